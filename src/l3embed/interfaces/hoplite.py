"""perch-hoplite: an `EmbeddingModel` to embed folders with and to search them.

Source: https://github.com/google-research/perch-hoplite, ``zoo/zoo_interface.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from threading import Lock
from typing import Any

from l3embed.interfaces.requirements import needed_by

with needed_by("l3embed.interfaces.hoplite", "perch_hoplite", "hoplite"):
    from perch_hoplite.zoo.zoo_interface import EmbeddingModel, InferenceOutputs

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error, warn
from l3embed.interfaces.network_choice import Weights, choose_network, place
from l3embed.runtimes.base import FrameworkError
from l3embed.variants import SAMPLE_RATE_HZ, WINDOW_SAMPLES

WINDOW_S = WINDOW_SAMPLES / SAMPLE_RATE_HZ


@dataclass
class OpenL3Model(EmbeddingModel):  # type: ignore[misc]
    """OpenL3 as hoplite calls it: windows begin at 0, `hop_size_s`, ... and the last is padded with zeros.

    Parameters
    ----------
    sample_rate : int
        Of the sounds that come, in Hz; hoplite resamples files to it. What is not at 48 kHz then, l3embed
        resamples.
    window_size_s : float
        Length of a window, which hoplite reads; OpenL3's are of 1 s.
    hop_size_s : float
        Seconds from one window to the next.
    input_repr, content_type, embedding_size
        As in `l3embed.hear.load_model`.
    weights : str, path or None
        ``published``, ``random``, a folder or a weight file; None: as ``L3EMBED_WEIGHTS`` says.
    device : str or None
        Where it runs, in PyTorch's words; None: on the GPU where there is one.
    normalize : bool
        Whether embeddings are divided by their lengths: hoplite's search takes dot products, which then are
        cosines. Without it they are `get_audio_embedding`'s.

    Raises
    ------
    OpenL3Error
        If an argument is none of the allowed values, or the weights cannot be had.
    """

    sample_rate: int = SAMPLE_RATE_HZ
    window_size_s: float = WINDOW_S
    hop_size_s: float = WINDOW_S
    input_repr: str | None = None
    content_type: str = "music"
    embedding_size: int = 512
    weights: Weights = None
    device: str | None = None
    normalize: bool = True

    def __post_init__(self) -> None:
        if self.window_size_s != WINDOW_S:
            raise OpenL3Error(f"window_size_s must be {WINDOW_S:g}; got {self.window_size_s!r}.")
        self._choice = choose_network(self.input_repr, self.content_type, self.embedding_size, self.weights)
        self._choice.fetch_weights()
        # hoplite embeds in eight threads, and each embedding uses all cores by itself.
        self._lock = Lock()

    @classmethod
    def from_config(cls, model_config: Any) -> OpenL3Model:
        """Make a model of an `ml_collections.ConfigDict` with the parameters of the class.

        Raises
        ------
        OpenL3Error
            If it has others, or one is none of its allowed values.
        """
        allowed = [field.name for field in fields(cls)]
        unknown = [name for name in model_config if name not in allowed]
        if unknown:
            raise OpenL3Error(f"The config may have {', '.join(allowed)}; got {', '.join(unknown)}.")
        return cls(**model_config)

    def embed(self, audio_array: npt.NDArray[Any]) -> Any:
        """Embed a sound, ``(N,)``: `InferenceOutputs` with embeddings ``(T, 1, D)``, 1 for its one channel.

        A sound that is empty or has samples that are not finite gets none: hoplite, which would end with
        the first error, leaves it out then, as it does files that it cannot read.

        Raises
        ------
        OpenL3Error
            If the network cannot be had, or cannot compute.

        Warns
        -----
        OpenL3Warning
            If there are no embeddings; and as `get_audio_embedding` does.
        """
        try:
            return InferenceOutputs(embeddings=self._embed([audio_array])[0])
        except FrameworkError:
            raise
        except OpenL3Error as error:
            warn(f"A sound was left out. {error}")
            return InferenceOutputs()

    def batch_embed(self, audio_batch: npt.NDArray[Any]) -> Any:
        """Embed sounds of one length, ``(B, N)``: `InferenceOutputs` with embeddings ``(B, T, 1, D)``.

        Raises
        ------
        OpenL3Error
            If `get_audio_embedding` finds fault with one, or as `embed`.
        """
        return InferenceOutputs(embeddings=np.stack(self._embed(list(audio_batch))), batched=True)

    def _embed(self, sounds: list[npt.NDArray[Any]]) -> list[npt.NDArray[np.float32]]:
        with self._lock:
            rows = self._choice.embed(
                sounds, self.sample_rate, hop_s=self.hop_size_s, center=False, device=place(self.device)
            )
        if self.normalize:
            rows = [_normalized(embeddings) for embeddings in rows]
        return [embeddings[:, np.newaxis] for embeddings in rows]


def _normalized(embeddings: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return np.asarray(np.divide(embeddings, lengths, out=np.zeros_like(embeddings), where=lengths > 0))

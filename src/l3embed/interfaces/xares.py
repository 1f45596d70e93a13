"""X-ARES: ``python -m xares.run l3embed.interfaces.xares TASKS...``.

Source: https://github.com/jimbozhang/xares, ``audio_encoder_checker.py``.
"""

from __future__ import annotations

from typing import Any

from l3embed.interfaces.requirements import needed_by

with needed_by("l3embed.interfaces.xares", "torch", "torch"):
    import torch  # noqa: F401 (what follows would name its own need)

from l3embed.errors import OpenL3Error
from l3embed.interfaces.frozen_module import FrozenOpenL3
from l3embed.interfaces.network_choice import Weights, choose_network
from l3embed.variants import SAMPLE_RATE_HZ

LARGEST_HOP_MS = 500
"""Half a window: with a longer hop the last frame would be centred behind the sound's end."""


class OpenL3Encoder(FrozenOpenL3):
    """OpenL3 as X-ARES calls it: ``(B, T)`` samples to ``(B, T', D)``, a frame each `hop_size_in_ms`.

    X-ARES makes it without arguments. A file of one's own with a subclass gives it others (and has no other
    name that ends in Encoder).

    Parameters
    ----------
    input_repr, content_type, embedding_size
        As in `l3embed.hear.load_model`.
    weights : str, path or None
        ``published``, ``random``, a folder or a weight file; None: as ``L3EMBED_WEIGHTS`` says.
    sampling_rate : int
        Of the sounds that come, in Hz. X-ARES resamples to it; what is not at 48 kHz then, l3embed does.
    hop_size_in_ms : int
        Milliseconds from one frame to the next, at most 500. Frames are centred on its multiples, from 0 on.

    Raises
    ------
    OpenL3Error
        If an argument is none of the allowed values, or the weights cannot be had.
    """

    def __init__(
        self,
        input_repr: str | None = None,
        content_type: str = "music",
        embedding_size: int = 512,
        weights: Weights = None,
        sampling_rate: int = SAMPLE_RATE_HZ,
        hop_size_in_ms: int = 50,
    ) -> None:
        if not 0 < hop_size_in_ms <= LARGEST_HOP_MS:
            raise OpenL3Error(
                f"hop_size_in_ms must be above 0 and at most {LARGEST_HOP_MS}; got {hop_size_in_ms!r}."
            )
        super().__init__(choose_network(input_repr, content_type, embedding_size, weights), sampling_rate)
        self.sampling_rate = sampling_rate
        self.hop_size_in_ms = hop_size_in_ms
        self.output_dim = self.embedding_size

    def forward(self, audio: Any) -> Any:
        """Embed a batch ``(B, T)``; of one sound, ``(T,)``, a batch of one.

        Raises
        ------
        OpenL3Error
            If `audio` is of another shape or type, empty, or has samples that are not finite.
        """
        return self.embed(audio[None] if audio.ndim == 1 else audio, self.hop_size_in_ms / 1000)

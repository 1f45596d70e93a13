"""MTEB and its benchmark of sounds, MAEB: ``mteb.evaluate(model_meta().load_model(), tasks)``.

Source: https://github.com/embeddings-benchmark/mteb, ``models/abs_encoder.py`` and ``models/model_meta.py``.
"""

from __future__ import annotations

import math
from typing import Any

from l3embed.interfaces.requirements import needed_by

with needed_by("l3embed.interfaces.mteb", "mteb", "mteb"):
    from mteb.models import ModelMeta
    from mteb.models.abs_encoder import AbsEncoder

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error
from l3embed.interfaces.network_choice import NetworkChoice, Weights, choose_network, place
from l3embed.networks.layers import trained_layers
from l3embed.variants import Modality

HOP_S = 0.5
"""The hop whose windows' mean stands for a whole sound, as in `l3embed.hear`."""

CITATION = """@inproceedings{cramer2019look,
  title={Look, Listen, and Learn More: Design Choices for Deep Audio Embeddings},
  author={Cramer, Aurora and Wu, Ho-Hsiang and Salamon, Justin and Bello, Juan Pablo},
  booktitle={IEEE International Conference on Acoustics, Speech and Signal Processing (ICASSP)},
  pages={3852--3856},
  year={2019}
}"""


class OpenL3Encoder(AbsEncoder):  # type: ignore[misc]
    """OpenL3 as MTEB calls it: a batch of sounds at a time, and the mean of each one's embeddings.

    Sounds come at their own rates: l3embed resamples them.

    Parameters
    ----------
    choice : NetworkChoice
        Which network.
    hop_s : float
        Seconds from one window to the next.
    device : str or None
        Where it runs, in PyTorch's words; None: on the GPU where there is one.
    """

    def __init__(self, choice: NetworkChoice, hop_s: float = HOP_S, device: str | None = None) -> None:
        choice.fetch_weights()
        self.model = choice
        self.hop_s = hop_s
        self.device = place(device)

    def encode(
        self,
        inputs: Any,
        *,
        task_metadata: Any,
        hf_split: str,
        hf_subset: str,
        prompt_type: Any = None,
        **kwargs: Any,
    ) -> npt.NDArray[np.float32]:
        """Return the mean embedding of each sound, ``(n, D)``.

        Parameters
        ----------
        inputs : torch.utils.data.DataLoader
            Batches with the key ``audio``: for each sound ``array``, ``(N,)`` or ``(channels, N)``, and
            ``sampling_rate``.
        task_metadata, hf_split, hf_subset, prompt_type, **kwargs
            MTEB's; the numbers don't depend on them.

        Raises
        ------
        OpenL3Error
            If there are no sounds, or `get_audio_embedding` finds fault with one.
        """
        nothing = np.empty((0, self.model.variant.embedding_size), np.float32)
        return np.concatenate([nothing, *(self._encode(batch, task_metadata) for batch in inputs)])

    def _encode(self, batch: Any, task_metadata: Any) -> npt.NDArray[np.float32]:
        if "audio" not in batch:
            raise OpenL3Error(
                f"OpenL3 embeds sounds; the task {task_metadata.name} gives {', '.join(batch)}. Choose tasks "
                'with mteb.get_tasks(modalities=["audio"], exclusive_modality_filter=True).'
            )
        sounds = [np.asarray(sound["array"]).T for sound in batch["audio"]]
        rates_hz = [float(sound["sampling_rate"]) for sound in batch["audio"]]
        rows = self.model.embed(sounds, rates_hz, hop_s=self.hop_s, center=True, device=self.device)
        return np.stack([embeddings.mean(axis=0) for embeddings in rows])


def load_model(
    name: str, revision: str | None, *, choice: NetworkChoice, hop_s: float, device: str | None = None
) -> OpenL3Encoder:
    """Return the encoder: MTEB calls this with a `ModelMeta`'s name, revision and `loader_kwargs`."""
    return OpenL3Encoder(choice, hop_s, device)


def model_meta(
    input_repr: str | None = None,
    content_type: str = "music",
    embedding_size: int = 512,
    weights: Weights = None,
    hop_s: float = HOP_S,
) -> ModelMeta:
    """Return what MTEB wants to know of a network of sounds; its `load_model` gives the encoder.

    MTEB keeps results by name and revision: the revision names the weights and the hop, so that other ones'
    results are never taken for these.

    Parameters
    ----------
    input_repr, content_type, embedding_size
        As in `l3embed.hear.load_model`.
    weights : str, path or None
        ``published``, ``random``, a folder or a weight file; None: as ``L3EMBED_WEIGHTS`` says.
    hop_s : float
        Seconds from one window to the next; a sound's embedding is the mean of its windows'.

    Raises
    ------
    OpenL3Error
        If an argument is none of the allowed values, or the weights cannot be had.
    """
    choice = choose_network(input_repr, content_type, embedding_size, weights)
    shapes = (shape for layer in trained_layers(Modality.AUDIO) for shape in layer.weight_shapes.values())
    numbers = sum(math.prod(shape) for shape in shapes)
    variant = choice.variant
    name = f"openl3-{variant.input_repr.value}-{variant.content_type.value}-{variant.embedding_size}"
    return ModelMeta(
        loader=load_model,
        loader_kwargs={"choice": choice, "hop_s": hop_s},
        name=f"l3embed/{name}",
        revision=f"{choice.identity.replace(':', '-').replace('/', '-')}-hop-{hop_s:g}",
        release_date="2019-05-12",  # the first day of ICASSP 2019, which published it
        languages=[],
        n_parameters=numbers,
        n_embedding_parameters=0,
        memory_usage_mb=round(numbers * np.dtype(np.float32).itemsize / 2**20),
        max_tokens=math.inf,
        embed_dim=variant.embedding_size,
        license="cc-by-4.0",
        open_weights=True,
        public_training_code="https://github.com/marl/l3embedding",
        public_training_data="https://research.google.com/audioset/",
        framework=["OpenVINO", "PyTorch"],
        reference="https://github.com/marl/openl3",
        similarity_fn_name="cosine",
        use_instructions=False,
        training_datasets={"AudioSet", "AudioSetMini"},  # it was trained on videos of AudioSet
        modalities=["audio"],
        citation=CITATION,
    )

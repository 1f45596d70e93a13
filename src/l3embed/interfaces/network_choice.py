"""Which network an interface embeds with, and how it calls l3embed for it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from l3embed.core import get_audio_embedding
from l3embed.models.openl3 import input_repr_in_name
from l3embed.variants import (
    AudioSize,
    AudioVariant,
    DeviceName,
    parse_audio_variant,
)
from l3embed.weights.locating import locate_in_silence
from l3embed.weights.registry import PUBLISHED_FILES
from l3embed.weights.source import PublishedWeights, WeightsFile, WeightsSource, as_weights_source

Embedding = npt.NDArray[np.float32]

Weights = str | os.PathLike[str] | None
"""``published``, ``random``, ``random:SEED``, the path of a folder or of a weight file; None, or nothing: as
the environment variable ``L3EMBED_WEIGHTS`` says."""


def parse_weights(weights: Weights) -> WeightsSource:
    """Return where the weights come from.

    Raises
    ------
    OpenL3Error
        If it is none of the words, and there is no such folder or file.
    """
    if not weights:
        return as_weights_source(None)
    path = Path(weights).expanduser()
    is_file = path.is_file() or (path.suffix == ".h5" and not path.is_dir())
    return WeightsFile(path) if is_file else as_weights_source(os.fspath(weights))


@dataclass(frozen=True)
class NetworkChoice:
    """A network of sounds and its weights.

    Parameters
    ----------
    variant : AudioVariant
        Which network.
    source : WeightsSource
        Where its weights come from.
    """

    variant: AudioVariant
    source: WeightsSource

    @property
    def identity(self) -> str:
        """What tells the weights apart from others; published ones are not fetched for it.

        Raises
        ------
        OpenL3Error
            If it takes a look at the weights, and they cannot be had.
        """
        if isinstance(self.source, PublishedWeights):
            return PUBLISHED_FILES[self.variant.weight_set].identity
        return locate_in_silence(self.variant.weight_set, self.source).identity

    def fetch_weights(self) -> None:
        """See to it that the weights are there, so that what is wrong with them is told at once.

        Raises
        ------
        OpenL3Error
            If they cannot be had.
        """
        locate_in_silence(self.variant.weight_set, self.source)

    def embed(
        self,
        sounds: Sequence[npt.NDArray[Any]],
        rates_hz: float | list[float],
        *,
        hop_s: float,
        center: bool,
        device: DeviceName = "auto",
    ) -> list[Embedding]:
        """Return the embeddings of sounds, ``(N,)`` or ``(N, channels)``, each of shape ``(T, D)``.

        They are those of `get_audio_embedding`, whose errors and warnings they have, too.
        """
        embeddings, _ = get_audio_embedding(
            list(sounds),
            rates_hz,
            input_repr=self.variant.input_repr.value,
            content_type=self.variant.content_type.value,
            embedding_size=cast("AudioSize", self.variant.embedding_size),
            frontend=self.variant.frontend.value,
            hop_size=hop_s,
            center=center,
            weights=self.source,
            device=device,
            verbose=False,
        )
        return embeddings


def choose_network(
    input_repr: str | None = None,
    content_type: str = "music",
    embedding_size: int = 512,
    weights: Weights = None,
) -> NetworkChoice:
    """Return the network that an interface's arguments name.

    Parameters
    ----------
    input_repr : "linear", "mel128", "mel256" or None
        None: as the name of a weight file tells, or mel256.
    content_type : "music" or "env"
        What the videos of the training set showed.
    embedding_size : 6144 or 512
        Embedding dimension.
    weights
        Where the weights come from: see `Weights`.

    Raises
    ------
    OpenL3Error
        If an argument is none of the allowed values.
    """
    source = parse_weights(weights)
    if input_repr is None and isinstance(source, WeightsFile):
        input_repr = input_repr_in_name(source.path).value
    return NetworkChoice(parse_audio_variant(input_repr, content_type, embedding_size, "kapre"), source)


def place(device: object) -> DeviceName:
    """Return l3embed's word for a PyTorch device or its name; without one l3embed chooses.

    ``cuda`` is the GPU that PyTorch takes by default, in runtime ``torch``; what l3embed has no runtime for,
    as ``mps``, is computed on the CPU.
    """
    if device is None:
        return "auto"
    return "gpu" if str(device).partition(":")[0] == "cuda" else "cpu"

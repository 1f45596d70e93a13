"""The network of one modality as a stage uses it: known by its weights, loaded when it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed import audio
from l3embed.models import build_model
from l3embed.pixels import BLOCK_IMAGES, frame_pixels
from l3embed.runtimes.keras import KerasEmbedder, keras_embedder
from l3embed.stages.origin import Origin
from l3embed.stages.results import read_blocks
from l3embed.store.recipe import Parameter
from l3embed.variants import SAMPLE_RATE_HZ, AudioVariant, Device, Frontend, ImageVariant
from l3embed.weights.file import WeightFile
from l3embed.windows import Framing

BLOCK_ROWS = {Frontend.KAPRE: 10 * SAMPLE_RATE_HZ, Frontend.LIBROSA: 32}
"""Rows of preprocessed sound that are read at a time: samples, or spectrograms."""

Inputs = Iterator[npt.NDArray[np.floating]]


@dataclass(frozen=True)
class Network:
    """One network and its weights.

    Parameters
    ----------
    variant : AudioVariant or ImageVariant
        Which.
    weights : WeightFile
        The file that holds its weights.
    weights_sha256 : str
        That file's checksum.
    framing : Framing
        How sound is cut into windows.
    """

    variant: AudioVariant | ImageVariant
    weights: WeightFile
    weights_sha256: str
    framing: Framing

    @property
    def origin(self) -> Origin:
        """What its embeddings are computed with."""
        return Origin(self.variant.name, self.weights.identity, self.weights.trained)

    @property
    def parameters(self) -> dict[str, Parameter]:
        """What decides about the embeddings, besides the input."""
        weights = {"weights": self.weights.identity, "weights_sha256": self.weights_sha256}
        framing: dict[str, Parameter] = {}
        if isinstance(self.variant, AudioVariant):
            framing = {"hop_s": float(self.framing.hop_s), "center": self.framing.center}
        return {"variant": self.variant.name, **weights, **framing}

    def load(self, device: Device) -> tuple[Any, KerasEmbedder]:
        """Return the model, to be kept while its embedder is used, and that.

        Raises
        ------
        OpenL3Error
            If the weights are damaged, or the device is not there.
        """
        model = build_model(self.variant, self.weights)
        return model, keras_embedder(model, device)

    def inputs(self, path: Path) -> Inputs:
        """Read a preprocessed file block by block, as what the network takes in."""
        if isinstance(self.variant, ImageVariant):
            return _image_inputs(path)
        blocks = read_blocks(path, BLOCK_ROWS[self.variant.frontend])
        if self.variant.frontend is Frontend.LIBROSA:
            return blocks
        return audio.network_inputs(blocks, self.framing, audio.as_samples)

    def timestamps_s(self, rows: int, times: Path) -> npt.NDArray[np.float64] | None:
        """Return the times of the embeddings; None for an image file, which has no `times` file."""
        if isinstance(self.variant, AudioVariant):
            return self.framing.timestamps_s(rows)
        return np.load(times) if times.is_file() else None


def _image_inputs(path: Path) -> Inputs:
    is_video = np.load(path, mmap_mode="r").dtype == np.uint8
    if is_video:
        return frame_pixels(lambda: read_blocks(path, BLOCK_IMAGES))
    return read_blocks(path, BLOCK_IMAGES)

"""The network of one modality as a stage uses it: known by its weights, loaded when it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l3embed.inputs import sound
from l3embed.inputs.pixels import BLOCK_IMAGES, frame_pixels
from l3embed.inputs.windows import Framing
from l3embed.models.origin import Origin, variant_origin
from l3embed.models.running import Network, build_network
from l3embed.runtimes.base import Placement
from l3embed.stages.output_folder import read_blocks
from l3embed.store.recipe import Parameter
from l3embed.variants import SAMPLE_RATE_HZ, AudioVariant, Frontend, ImageVariant
from l3embed.weights.file import WeightFile

BLOCK_SAMPLES = 10 * SAMPLE_RATE_HZ
BLOCK_SPECTROGRAMS = 32
"""Rows of preprocessed sound that are read at a time."""


@dataclass(frozen=True)
class ChosenNetwork:
    """One network by its weights, before it is loaded.

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
        return variant_origin(self.variant, self.weights)

    @property
    def parameters(self) -> dict[str, Parameter]:
        """What decides about the embeddings, besides the input."""
        weights = {"weights": self.weights.identity, "weights_sha256": self.weights_sha256}
        framing = self.framing.parameters if isinstance(self.variant, AudioVariant) else {}
        return {"variant": self.variant.name, **weights, **framing}

    def load(self, placement: Placement) -> Network:
        """Return the network, ready to run.

        Raises
        ------
        OpenL3Error
            If the weights are damaged, or it cannot run where it is to.
        """
        return build_network(self.variant, self.weights, placement)

    def inputs(self, path: Path, loaded: Network) -> sound.Inputs:
        """Read a preprocessed file block by block, as what the network takes in, or functions that do."""
        if isinstance(self.variant, ImageVariant):
            return _image_inputs(path)
        if self.variant.frontend is Frontend.LIBROSA:
            return read_blocks(path, BLOCK_SPECTROGRAMS)
        prepare = sound.prepare_for(loaded.embedder.input_shape, loaded.frontend)
        return sound.network_inputs(read_blocks(path, BLOCK_SAMPLES), self.framing, prepare)

    def timestamps_s(self, rows: int, times: Path) -> npt.NDArray[np.float64] | None:
        """Return the times of the embeddings; None for an image file, which has no `times` file."""
        if isinstance(self.variant, AudioVariant):
            return self.framing.timestamps_s(rows)
        return np.load(times) if times.is_file() else None


def _image_inputs(path: Path) -> Iterator[npt.NDArray[np.float32]]:
    is_video = np.load(path, mmap_mode="r").dtype == np.uint8
    if is_video:
        return frame_pixels(lambda: read_blocks(path, BLOCK_IMAGES))
    return read_blocks(path, BLOCK_IMAGES)

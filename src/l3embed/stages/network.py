"""The network of one modality as a stage uses it: known by its weights, loaded when it is needed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l3embed.disk.seals import reading
from l3embed.errors import OpenL3Error
from l3embed.inputs import sound
from l3embed.inputs.pixels import BLOCK_IMAGES, frame_pixels
from l3embed.inputs.windows import Framing
from l3embed.models.origin import Origin, variant_origin
from l3embed.models.running import Network, build_network, int8_checksum
from l3embed.runtimes.base import Placement, has_graph_frontend
from l3embed.runtimes.choice import choose_runtime
from l3embed.stages.output_folder import read_blocks
from l3embed.store.recipe import Parameter
from l3embed.variants import (
    SAMPLE_RATE_HZ,
    AudioVariant,
    Frontend,
    ImageVariant,
    Media,
    Precision,
    Variant,
)
from l3embed.weights.file import WeightFile

USUAL = Placement()
"""Nothing is asked for: this can be done on every machine."""

BLOCK_SAMPLES = 10 * SAMPLE_RATE_HZ
BLOCK_SPECTROGRAMS = 32
"""Rows of preprocessed sound that are read at a time."""


def check_placement(variants: Iterable[Variant], placement: Placement) -> None:
    """Check that networks can run where they are to, if anything out of the ordinary is asked for.

    Raises
    ------
    OpenL3Error
        If a runtime or a device is not there, or they do not go together with a network.
    """
    for variant in variants:
        is_usual = replace(placement, threads=USUAL.threads) == USUAL and not has_graph_frontend(variant)
        if not is_usual or variant.precision is not Precision.FLOAT32:
            choose_runtime(variant, placement)


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
        """What decides about the embeddings, besides the input; with the errors of `load`."""
        weights = {"weights": self.weights.identity, "weights_sha256": self.weights_sha256}
        framing = self.framing.parameters if isinstance(self.variant, AudioVariant) else {}
        return {"variant": self.variant.name, **weights, **framing, **self._quantized}

    @cached_property
    def _quantized(self) -> dict[str, Parameter]:
        """What the weights have been made into, once, by what was installed then."""
        if self.variant.precision is not Precision.INT8:
            return {}
        return {"quantized_sha256": int8_checksum(self.variant, self.weights)}

    def load(self, placement: Placement) -> Network:
        """Return the network, ready to run.

        Raises
        ------
        OpenL3Error
            If the weights are damaged, or it cannot run where it is to.
        """
        return build_network(self.variant, self.weights, placement)

    def inputs(self, path: Path, media: Media, loaded: Network) -> sound.Inputs:
        """Read a preprocessed file block by block, as what the network takes in, or functions that do.

        Raises
        ------
        OpenL3Error
            While it is read, if the file is damaged.
        """
        if media is Media.VIDEO and isinstance(self.variant, ImageVariant):
            frames = (np.uint8, self.variant.network_shape)
            return frame_pixels(lambda: read_blocks(path, BLOCK_IMAGES, frames))
        if isinstance(self.variant, ImageVariant):
            return read_blocks(path, BLOCK_IMAGES, (np.float32, self.variant.network_shape))
        if self.variant.frontend is Frontend.LIBROSA:
            return read_blocks(path, BLOCK_SPECTROGRAMS, (np.float32, self.variant.network_shape))
        prepare = sound.prepare_for(loaded.embedder.input_shape, loaded.frontend)
        blocks = read_blocks(path, BLOCK_SAMPLES, (np.float32, ()))
        return sound.network_inputs(blocks, self.framing, prepare)

    def expected_inputs(self, size_bytes: int, media: Media) -> float:
        """Return how many of the network's inputs a preprocessed file of a size makes."""
        size_bytes -= np.lib.format.ARRAY_ALIGN * 2  # its header
        if isinstance(self.variant, AudioVariant) and self.variant.frontend is not Frontend.LIBROSA:
            return self.framing.frames(size_bytes // np.dtype(np.float32).itemsize)
        is_bytes = media is Media.VIDEO and isinstance(self.variant, ImageVariant)
        kind = np.dtype(np.uint8 if is_bytes else np.float32)
        return size_bytes // (kind.itemsize * math.prod(self.variant.network_shape))

    def timestamps_s(self, rows: int, times: Path, media: Media) -> npt.NDArray[np.float64] | None:
        """Return the times of the embeddings; None for an image file, which has no `times` file.

        Raises
        ------
        OpenL3Error
            If a video's file is damaged.
        """
        if isinstance(self.variant, AudioVariant):
            return self.framing.timestamps_s(rows)
        if media is Media.IMAGE:
            return None
        with reading(times, "preprocess"):
            times_s: npt.NDArray[np.float64] = np.load(times)
            if times_s.shape != (rows,) or times_s.dtype != np.float64 or not np.isfinite(times_s).all():
                raise OpenL3Error(f"It must hold the times of {rows} frames.")
        return times_s

"""Seeded random weights in the layout of the published files: untrained, for trying things out."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from l3embed.networks.layers import BatchNorm, Conv, trained_layers
from l3embed.variants import Modality, WeightSet
from l3embed.weights.writing import write_layers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEFAULT_SEED = 20260101
"""Seed that the stored reference outputs were computed with."""

INPUT_MEAN_DB = -45.0
"""Mean of the audio network's input, which is a spectrogram of -80 to 0 dB."""

INPUT_VARIANCE_DB2 = 250.0
"""Variance of the same."""


def write_random_weights(path: Path, weight_set: WeightSet, seed: int = DEFAULT_SEED) -> None:
    """Write untrained weights that depend on nothing but the weight set's name and the seed.

    The file has the layout of the published ones (Keras 2 HDF5 weights) and appears all at once.

    Parameters
    ----------
    path
        File to write; its folder must exist.
    weight_set
        Which network the weights are for.
    seed
        Any integer from 0 on.
    """
    layers = [list(layer.values()) for layer in _draw_layers(weight_set, seed)]
    write_layers(path, weight_set.modality, layers, untrained=f"random:{seed}")


def _draw_layers(weight_set: WeightSet, seed: int) -> list[dict[str, NDArray[np.float64]]]:
    """Draw all arrays from one generator: the order of the draws is part of the recipe."""
    import numpy as np

    rng = np.random.default_rng([seed, zlib.crc32(weight_set.name.encode())])
    drawn = [
        _draw_conv(rng, layer) if isinstance(layer, Conv) else _draw_batch_norm(rng, layer)
        for layer in trained_layers(weight_set.modality)
    ]
    if weight_set.modality is Modality.AUDIO:
        # Decibels have to be brought to the range that the layers behind are drawn for.
        drawn[0]["moving_mean"] = np.full_like(drawn[0]["moving_mean"], INPUT_MEAN_DB)
        drawn[0]["moving_variance"] = np.full_like(drawn[0]["moving_variance"], INPUT_VARIANCE_DB2)
    return drawn


def _draw_conv(rng: np.random.Generator, layer: Conv) -> dict[str, NDArray[np.float64]]:
    """Draw a kernel that keeps the variance of rectified inputs, and a small bias."""
    shapes = layer.weight_shapes
    kernel_height, kernel_width, channels_in, _ = shapes["kernel"]
    scale = (2 / (kernel_height * kernel_width * channels_in)) ** 0.5
    return {
        "kernel": rng.normal(0.0, scale, shapes["kernel"]),
        "bias": rng.normal(0.0, 0.05, shapes["bias"]),
    }


def _draw_batch_norm(rng: np.random.Generator, layer: BatchNorm) -> dict[str, NDArray[np.float64]]:
    channels = layer.channels
    return {
        "gamma": rng.uniform(0.6, 1.4, channels),
        "beta": rng.normal(0.0, 0.3, channels),
        "moving_mean": rng.normal(0.0, 0.3, channels),
        "moving_variance": rng.uniform(0.5, 1.5, channels),
    }

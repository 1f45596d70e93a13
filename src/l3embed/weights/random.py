"""Seeded random weights in the layout of the published files: untrained, for trying things out."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from l3embed.disk.atomic import replacing
from l3embed.networks.layers import EMBEDDING_LAYER_NAMES, BatchNorm, Conv, trained_layers
from l3embed.variants import Modality, WeightSet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEFAULT_SEED = 20260101
"""Seed that the stored reference outputs were computed with."""

INPUT_MEAN_DB = -45.0
"""Mean of the audio network's input, which is a spectrogram of -80 to 0 dB."""

INPUT_VARIANCE_DB2 = 250.0
"""Variance of the same."""

UNTRAINED_ATTRIBUTE = "l3embed_untrained"
"""Attribute of the file, beyond the published layout, by which it is known wherever it is copied."""


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
    import h5py
    import numpy as np

    layers = dict(zip(_layer_names(weight_set.modality), _draw_layers(weight_set, seed), strict=True))
    with replacing(path) as temporary:
        # In memory first: of a full disk HDF5 tells in errors of several kinds, without the system's number.
        with h5py.File(temporary, "w", driver="core", backing_store=False) as root:
            for layer_name, weights in layers.items():
                _write_layer(root, layer_name, weights)
            root.attrs["layer_names"] = np.array([name.encode() for name in layers])
            root.attrs["backend"] = b"tensorflow"
            root.attrs["keras_version"] = b"2.2.4-tf"
            # Of fixed length: HDF5 takes as much memory as a string's own length says, damaged as it may be.
            root.attrs[UNTRAINED_ATTRIBUTE] = np.bytes_(f"random:{seed}")
            root.flush()
            image = root.id.get_file_image()
        temporary.write_bytes(image)


def _write_layer(root: Any, layer_name: str, weights: dict[str, NDArray[np.float64]]) -> None:
    import numpy as np

    group = root.create_group(layer_name)
    paths = {f"{layer_name}/{weight_name}:0": array for weight_name, array in weights.items()}
    group.attrs["weight_names"] = np.array([path.encode() for path in paths])
    for path, array in paths.items():
        group[path] = array.astype(np.float32)


def _layer_names(modality: Modality) -> list[str]:
    """Return the names of the trained layers, numbered by kind as Keras numbers them."""
    prefixes = {Conv: "conv2d", BatchNorm: "batch_normalization"}
    counts = dict.fromkeys(prefixes, 0)
    names = []
    for layer in trained_layers(modality):
        counts[type(layer)] += 1
        names.append(f"{prefixes[type(layer)]}_{counts[type(layer)]}")
    return [*names[:-1], EMBEDDING_LAYER_NAMES[modality]]


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

"""Weight files in the layout of the published ones: Keras 2 HDF5 weights."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from l3embed.disk.atomic import replacing
from l3embed.networks.layers import EMBEDDING_LAYER_NAMES, BatchNorm, Conv, trained_layers
from l3embed.variants import Modality

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UNTRAINED_ATTRIBUTE = "l3embed_untrained"
"""Attribute of a file of untrained weights, beyond the published layout, by which it is known wherever it is
copied."""


def write_layers(
    path: Path,
    modality: Modality,
    layers: Iterable[Iterable[NDArray[np.floating]]],
    untrained: str | None = None,
) -> None:
    """Write the arrays of each layer with weights; the file appears all at once.

    Parameters
    ----------
    path
        File to write; its folder must exist.
    modality
        Which network.
    layers
        The arrays, in the order of ``networks.layers.trained_layers`` and its ``weight_shapes``.
    untrained
        What the weights are, if they were not trained, as in ``random:1``.
    """
    import h5py
    import numpy as np

    names = _layer_names(modality)
    with replacing(path) as temporary:
        # In memory first: of a full disk HDF5 tells in errors of several kinds, without the system's number.
        with h5py.File(temporary, "w", driver="core", backing_store=False) as root:
            for name, layer, arrays in zip(names, trained_layers(modality), layers, strict=True):
                _write_layer(root, name, dict(zip(layer.weight_shapes, arrays, strict=True)))
            root.attrs["layer_names"] = np.array([name.encode() for name in names])
            root.attrs["backend"] = b"tensorflow"
            root.attrs["keras_version"] = b"2.2.4-tf"
            if untrained is not None:
                # Of fixed length: HDF5 takes as much memory as a string's length says, damaged as it may be.
                root.attrs[UNTRAINED_ATTRIBUTE] = np.bytes_(untrained)
            root.flush()
            image = root.id.get_file_image()
        temporary.write_bytes(image)


def _write_layer(root: Any, layer_name: str, weights: dict[str, NDArray[np.floating]]) -> None:
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

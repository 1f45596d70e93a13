"""One weight file on this machine, and the arrays in it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from l3embed.disk.checksums import sha256
from l3embed.errors import OpenL3Error
from l3embed.networks.layers import trained_layers
from l3embed.variants import Modality, WeightSet
from l3embed.weights.random import UNTRAINED_ATTRIBUTE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class WeightFile:
    """A weight file, what it is, and whether its weights were trained."""

    path: Path
    identity: str
    trained: bool


def describe_weights(path: Path) -> WeightFile:
    """Return what a weight file of unknown origin is: l3embed's own untrained weights say so themselves.

    Its identity is otherwise its checksum.
    """
    import h5py

    try:
        with h5py.File(path, "r") as root:
            identity = root.attrs.get(UNTRAINED_ATTRIBUTE)
    except OSError:  # no HDF5 file: reading its layers will say so
        identity = None
    if identity is not None:
        return WeightFile(path, _text(identity), trained=False)
    return WeightFile(path, f"sha256:{sha256(path)}", trained=True)


def read_layers(path: Path, weight_set: WeightSet) -> list[list[NDArray[np.float32]]]:
    """Read the arrays of a Keras 2 HDF5 weight file, by trained layer.

    Layers come in the order of ``networks.layers.trained_layers``, arrays in that of ``weight_shapes``:
    a kernel is (height, width, channels in, channels out), all others are (channels,).

    Raises
    ------
    OpenL3Error
        If the file cannot be read or does not hold the arrays of the weight set's network.
    """
    try:
        layers = _read_weighted_layers(path)
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        raise _error(path, weight_set, f"reading it failed: {error}") from error
    found = [[array.shape for array in layer] for layer in layers]
    for modality in Modality:
        if found == _expected_shapes(modality):
            if modality is weight_set.modality:
                return layers
            raise _error(path, weight_set, f"it holds the weights of an {modality.value} network")
    raise _error(path, weight_set, _first_difference(found, _expected_shapes(weight_set.modality)))


def layers_checksum(layers: Iterable[Iterable[NDArray[np.float32]]]) -> int:
    """Return a checksum of layers' arrays, by which one notices that they have changed."""
    checksum = 0
    for array in (array for layer in layers for array in layer):
        checksum = zlib.crc32(array.tobytes(), checksum)
    return checksum


def _read_weighted_layers(path: Path) -> list[list[NDArray[np.float32]]]:
    """Read all layers in the file's order, without those that have no weights, such as pooling."""
    import h5py
    import numpy as np

    with h5py.File(path, "r") as root:
        groups = [root[_text(name)] for name in root.attrs["layer_names"]]
        layers = [
            [np.asarray(group[_text(name)][()], np.float32) for name in group.attrs["weight_names"]]
            for group in groups
        ]
    return [layer for layer in layers if layer]


def _text(name: Any) -> str:
    """Return a name of the file as a string; h5py gives bytes or strings, as the file was written."""
    return name.decode() if isinstance(name, bytes) else str(name)


def _expected_shapes(modality: Modality) -> list[list[tuple[int, ...]]]:
    return [list(layer.weight_shapes.values()) for layer in trained_layers(modality)]


def _first_difference(found: list[list[tuple[int, ...]]], expected: list[list[tuple[int, ...]]]) -> str:
    if len(found) != len(expected):
        return f"it has {len(found)} layers with weights instead of {len(expected)}"
    position = next(i for i, (ours, theirs) in enumerate(zip(found, expected, strict=True)) if ours != theirs)
    return (
        f"its layer {position + 1} with weights has arrays of the shapes {found[position]} "
        f"instead of {expected[position]}"
    )


def _error(path: Path, weight_set: WeightSet, what_came: str) -> OpenL3Error:
    return OpenL3Error(
        f"{path} must be an HDF5 file with the weights of the {weight_set.modality.value} network "
        f"{weight_set.name}; {what_came}. Remove it and fetch it again, or put the right file in its place."
    )

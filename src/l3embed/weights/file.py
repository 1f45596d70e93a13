"""One weight file on this machine, and the arrays in it."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from l3embed.disk.checksums import sha256
from l3embed.errors import OpenL3Error, source_faults
from l3embed.networks.layers import BATCH_NORM_EPSILON, BatchNorm, trained_layers
from l3embed.variants import Modality, WeightSet
from l3embed.weights.writing import UNTRAINED_ATTRIBUTE

if TYPE_CHECKING:
    import h5py
    import numpy as np
    from numpy.typing import NDArray

MAX_NAMES = 256
"""Limit of the names that a group lists, and of their letters; there are 16 layers with weights."""

MAX_CHUNK_NUMBERS = 1 << 24
"""Limit of what HDF5 reads at once; the largest array has 2.4 million numbers."""


@dataclass(frozen=True)
class WeightFile:
    """A weight file, what it is, and whether its weights were trained."""

    path: Path
    identity: str
    trained: bool


def describe_weights(path: Path) -> WeightFile:
    """Return what a weight file of unknown origin is: l3embed's own untrained weights say so themselves.

    Its identity is otherwise its checksum.

    Raises
    ------
    OSError
        If it cannot be read at all.
    """
    import h5py

    identity = None
    # Where it is damaged, reading its layers will say so.
    with suppress(OpenL3Error), source_faults(), h5py.File(path, "r") as root:
        if UNTRAINED_ATTRIBUTE in root.attrs:
            (identity,) = _attribute_texts(root, UNTRAINED_ATTRIBUTE)
    if identity is not None:
        return WeightFile(path, identity, trained=False)
    return WeightFile(path, f"sha256:{sha256(path)}", trained=True)


def read_layers(path: Path, weight_set: WeightSet) -> list[list[NDArray[np.float32]]]:
    """Read the arrays of a Keras 2 HDF5 weight file, by trained layer.

    Layers come in the order of ``networks.layers.trained_layers``, arrays in that of ``weight_shapes``:
    a kernel is (height, width, channels in, channels out), all others are (channels,).

    Raises
    ------
    OpenL3Error
        If the file cannot be read, does not hold the arrays of the weight set's network, or holds numbers
        that no network has.
    """
    import h5py

    try:
        # HDF5 raises what it likes where a file is damaged: MemoryError, RuntimeError, OverflowError.
        with source_faults(), h5py.File(path, "r") as root:
            layers = _weighted_layers(root)
            _check_shapes(layers, weight_set.modality)
            arrays = [[_read_array(dataset) for dataset in layer] for layer in layers]
            _check_variances(arrays, weight_set.modality)
            return arrays
    except OpenL3Error as error:
        raise OpenL3Error(
            f"{path} must be an HDF5 file with the weights of the {weight_set.modality.value} network "
            f"{weight_set.name}. {str(error).rstrip('.')}. Remove it and fetch it again, or put the right "
            "file in its place."
        ) from error


def layers_checksum(layers: Iterable[Iterable[NDArray[np.float32]]]) -> int:
    """Return a checksum of layers' arrays, by which one notices that they have changed."""
    checksum = 0
    for array in (array for layer in layers for array in layer):
        checksum = zlib.crc32(array.tobytes(), checksum)
    return checksum


def _weighted_layers(root: h5py.File) -> list[list[h5py.Dataset]]:
    """Return all layers' datasets in the file's order, without layers that have none, such as pooling."""
    layers = []
    for layer_name in _attribute_texts(root, "layer_names"):
        group = _follow(root, layer_name)
        layers.append([_follow(group, name) for name in _attribute_texts(group, "weight_names")])
    return [layer for layer in layers if layer]


def _attribute_texts(node: h5py.HLObject, name: str) -> list[str]:
    """Return an attribute's words, a single one or several; its size is checked before they are read."""
    import numpy as np

    attribute = node.attrs.get_id(name)
    count = math.prod(attribute.shape)
    if not count:  # of floats, as Keras 2 writes it
        return []
    if attribute.dtype.kind not in "OS" or max(count, attribute.dtype.itemsize) > MAX_NAMES:
        raise OpenL3Error(
            f"Its attribute {name} must be words, at most {MAX_NAMES} of {MAX_NAMES} letters; it is "
            f"{attribute.dtype} of the shape {attribute.shape}."
        )
    return [_text(word) for word in np.ravel(node.attrs[name])]


def _follow(group: h5py.Group, path: str) -> Any:
    """Return what lies in the file itself under a name: a link could lead to any other file."""
    import h5py

    for name in path.strip("/").split("/"):
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise OpenL3Error(f"Its {group.name} must hold {name}, and not a link to elsewhere.")
        group = group[name]
    return group


def _text(name: Any) -> str:
    """Return a name of the file as a string; h5py gives bytes or strings, as the file was written."""
    return (name if isinstance(name, bytes) else str(name).encode(errors="surrogateescape")).decode()


def _check_shapes(layers: list[list[h5py.Dataset]], modality: Modality) -> None:
    """Check the arrays' shapes, before any is read: a damaged file may declare gigabytes."""
    found = [[dataset.shape for dataset in layer] for layer in layers]
    if found == _expected_shapes(modality):
        return
    for other in Modality:
        if found == _expected_shapes(other):
            raise OpenL3Error(f"It holds the weights of an {other.value} network.")
    raise OpenL3Error(_first_difference(found, _expected_shapes(modality)))


def _read_array(dataset: h5py.Dataset) -> NDArray[np.float32]:
    """Read an array whose shape is known to be right.

    Raises
    ------
    OpenL3Error
        If its numbers are no real ones, or not finite, or lie in another file.
    """
    import numpy as np

    if dataset.dtype.kind not in "fiu":
        raise OpenL3Error(f"Its {dataset.name} must be real numbers, as float32; it is {dataset.dtype}.")
    if dataset.external or dataset.is_virtual or not dataset.id.get_storage_size():
        raise OpenL3Error(f"The numbers of its {dataset.name} must be in the file itself; they are not.")
    if dataset.chunks and math.prod(dataset.chunks) > MAX_CHUNK_NUMBERS:
        raise OpenL3Error(f"Its {dataset.name} has chunks of the shape {dataset.chunks}, more than it needs.")
    with np.errstate(over="ignore"):  # what is beyond float32 becomes infinite, which is told below
        array = np.asarray(dataset[()], np.float32)
    if not np.isfinite(array).all():
        raise OpenL3Error(f"Its {dataset.name} holds numbers that are not finite (NaN or infinite).")
    return array


def _check_variances(layers: list[list[NDArray[np.float32]]], modality: Modality) -> None:
    """Check that no batch norm would divide by the root of a negative number, and give NaN."""
    for position, (layer, arrays) in enumerate(zip(trained_layers(modality), layers, strict=True), start=1):
        if isinstance(layer, BatchNorm) and (arrays[-1] <= -BATCH_NORM_EPSILON).any():
            raise OpenL3Error(f"Its layer {position} with weights has variances below 0.")


def _expected_shapes(modality: Modality) -> list[list[tuple[int, ...]]]:
    return [list(layer.weight_shapes.values()) for layer in trained_layers(modality)]


def _first_difference(found: list[list[tuple[int, ...]]], expected: list[list[tuple[int, ...]]]) -> str:
    if len(found) != len(expected):
        return f"It has {len(found)} layers with weights instead of {len(expected)}."
    position = next(i for i, (ours, theirs) in enumerate(zip(found, expected, strict=True)) if ours != theirs)
    return (
        f"Its layer {position + 1} with weights has arrays of the shapes {found[position]} "
        f"instead of {expected[position]}."
    )

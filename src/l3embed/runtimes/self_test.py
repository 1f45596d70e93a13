"""A small network through a runtime, once a process, against numbers that are known.

Runtimes have other code for every kind of processor, and new versions of them new faults: whoever computes
with one has seen it compute right before. What crashes the process is not caught.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error
from l3embed.networks.folding import LayerWeights, fold_layers
from l3embed.networks.layers import INPUT_CHANNELS, Conv, Layer, TrainedLayer, network_layers
from l3embed.runtimes.base import FrameworkError
from l3embed.runtimes.choice import RUNTIMES
from l3embed.runtimes.processor import processor_name
from l3embed.variants import AudioVariant, Device, ImageVariant, Modality, Precision, Variant

ANSWERS = Path(__file__).with_name("self_test_answers.npz")
"""The embeddings for each modality, computed in double precision, as the tests do again."""

FILTERS = (64, 128)
"""As many as the first blocks of the real networks have: with fewer, ncnn computes by other code."""

POOL = (5, 7)
SIDES = (19, 25)
"""Height and width of an item; odd, so that the poolings meet borders."""

ITEMS = 3
SIZE = 512
"""Of an embedding: two by two times as many as the last filters are."""

TOLERANCES = {
    Precision.FLOAT32: 1e-5,
    Precision.TF32: 0.03,
    Precision.BFLOAT16: 0.03,
    Precision.FLOAT16: 0.03,
}
"""Of the largest magnitude. A network in int8 has a test of its own (`runtimes.quantization`): of a runtime
that computes in it, what is in float32 is tested here.
"""


class SmallAudio(AudioVariant):
    """An audio network of two blocks."""

    @property
    def network_shape(self) -> tuple[int, ...]:
        """Shape of one item."""
        return (*SIDES, INPUT_CHANNELS[Modality.AUDIO])


class SmallImage(ImageVariant):
    """An image network of two blocks."""

    @property
    def network_shape(self) -> tuple[int, ...]:
        """Shape of one item."""
        return (*SIDES, INPUT_CHANNELS[Modality.IMAGE])


_faults: dict[tuple[str, Modality, Device, Precision], str] = {}


def self_test_fault(name: str, variant: Variant, device: Device, threads: int) -> str:
    """Return what is wrong with what a runtime computes here; nothing, if it is right.

    Parameters
    ----------
    name : str
        The runtime; its framework is imported.
    variant : AudioVariant or ImageVariant
        Of what kind the small network is to be, and in which precision.
    device : Device
        The CPU or the GPU.
    threads : int
        Threads on the CPU; 0: as many as this process may use.

    Raises
    ------
    OpenL3Error
        If it cannot be used in this process, be it right or wrong.
    """
    modality = variant.weight_set.modality
    precision = Precision.FLOAT32 if variant.precision is Precision.INT8 else variant.precision
    key = (name, modality, device, precision)
    if key not in _faults:
        _faults[key] = _find_fault(name, modality, device, precision, threads)
    return _faults[key]


def small_layers(modality: Modality) -> list[Layer]:
    """Return the small network's layers."""
    return network_layers(modality, POOL, FILTERS)


def small_weights(modality: Modality) -> list[LayerWeights]:
    """Return the small network's weights, the same on all machines and for ever."""
    layers = (layer for layer in small_layers(modality) if isinstance(layer, TrainedLayer))
    return [_layer_weights(layer, seed) for seed, layer in enumerate(layers, start=1)]


def small_items(modality: Modality) -> npt.NDArray[np.float32]:
    """Return what the small network takes in, from -1 to 1."""
    return _noise((ITEMS, *SIDES, INPUT_CHANNELS[modality]), seed=0)


def _find_fault(name: str, modality: Modality, device: Device, precision: Precision, threads: int) -> str:
    try:
        off = _largest_difference(name, modality, device, precision, threads)
    except OpenL3Error as error:
        if not isinstance(error, FrameworkError):
            raise
        return f"runtime {name} {_where(name)} does not work: {error}"
    except Exception as error:  # noqa: BLE001 (what a broken installation raises is anything)
        return f"runtime {name} {_where(name)} does not work: {type(error).__name__}: {error}"
    if off <= TOLERANCES[precision]:  # which not-a-number is not
        return ""
    return (
        f"runtime {name} {_where(name)} computes wrong numbers: a small network's embeddings are off by "
        f"{off:.1e} of the largest magnitude, where {TOLERANCES[precision]:.0e} is allowed"
    )


def _largest_difference(
    name: str, modality: Modality, device: Device, precision: Precision, threads: int
) -> float:
    variant: Variant = (
        SmallAudio(embedding_size=SIZE, precision=precision)
        if modality is Modality.AUDIO
        else SmallImage(embedding_size=SIZE, precision=precision)
    )
    layers = fold_layers(small_layers(modality), small_weights(modality))
    found = RUNTIMES[name].load().build(variant, layers, device, threads).embed(small_items(modality))
    with np.load(ANSWERS) as answers:
        expected = answers[modality.value]
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def _where(name: str) -> str:
    packages = ", ".join(f"{package} {_version(package)}" for package in RUNTIMES[name].packages)
    return f"({packages}, on {processor_name()})"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "of unknown version"


def _layer_weights(layer: TrainedLayer, seed: int) -> LayerWeights:
    """Return weights that keep the size of what goes through."""
    arrays: dict[str, Any] = {
        name: _noise(shape, 10 * seed + number)
        for number, (name, shape) in enumerate(layer.weight_shapes.items())
    }
    if isinstance(layer, Conv):
        arrays["kernel"] *= np.float32((6 / arrays["kernel"][..., 0].size) ** 0.5)
    else:
        arrays["gamma"] = 1 + arrays["gamma"] / 2
        arrays["moving_variance"] = 1 + arrays["moving_variance"] / 2
    return list(arrays.values())


def _noise(shape: tuple[int, ...], seed: int) -> npt.NDArray[np.float32]:
    """Return numbers from -1 to 1: a hash of their places, since NumPy's generators may change."""
    bits = np.arange(np.prod(shape), dtype=np.uint32) + np.uint32(seed * 0x9E3779B1 % 2**32)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        bits = (bits ^ (bits >> np.uint32(shift))) * np.uint32(factor)
    bits ^= bits >> np.uint32(16)
    return ((bits >> np.uint32(8)).astype(np.float32) / np.float32(2**23) - 1).reshape(shape)

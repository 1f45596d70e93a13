"""Networks as models of OpenVINO's, built straight from their weights, and compiled for the CPU."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.networks.folding import FoldedLayer, Scale, WeightedConv
from l3embed.networks.layers import MaxPool, ReLU
from l3embed.runtimes.forks import PerProcess
from l3embed.runtimes.processor import available_threads

TO_CHANNELS_FIRST, TO_CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
OTHER_SPATIAL = [1, 1]
"""Strides, paddings and dilations of a 3x3 `same` convolution."""


def _openvino() -> Any:
    import openvino

    return openvino


_core = PerProcess(lambda: _openvino().Core())


def read_model(network: bytes, numbers: npt.NDArray[np.uint8]) -> Any:
    """Return a model by the two files that OpenVINO writes: its operations, and its numbers."""
    return _core.get().read_model(network, _openvino().Tensor(numbers))


def compile_model(model: Any, hint: str, threads: int) -> Any:
    """Return a model ready to run on the CPU.

    Parameters
    ----------
    model : openvino.Model
        Which.
    hint : str
        What its floating-point operations compute in, as OpenVINO calls it: ``f32`` or ``bf16``.
    threads : int
        How many; 0: as many as this process may use.
    """
    settings = {
        "INFERENCE_PRECISION_HINT": hint,  # else it is the processor's favourite
        "INFERENCE_NUM_THREADS": available_threads(threads),
        # Several items side by side: a thread that another one holds up then holds up no others.
        "PERFORMANCE_HINT": "THROUGHPUT",
        # Pinned to cores, threads would wait for those that prepare the next batch, and for other
        # processes, which would all be pinned to the first cores.
        "ENABLE_CPU_PINNING": False,
    }
    return _core.get().compile_model(model, "CPU", settings)


def build_model(layers: Iterable[FoldedLayer], input_shape: tuple[int, ...]) -> Any:
    """Build the network, from channels last to embeddings, for batches of any size."""
    from openvino import opset13 as ops

    items = ops.parameter([-1, *input_shape], np.float32, name="items")
    tensor = ops.transpose(items, TO_CHANNELS_FIRST)
    for layer in layers:
        tensor = _apply(ops, layer, tensor)
    return _openvino().Model([tensor], [items])


def _apply(ops: Any, layer: FoldedLayer, tensor: Any) -> Any:
    if isinstance(layer, Scale):
        return ops.add(ops.multiply(tensor, _by_channel(layer.factor)), _by_channel(layer.offset))
    if isinstance(layer, WeightedConv):
        kernel = np.ascontiguousarray(layer.kernel.transpose(3, 2, 0, 1))
        convolved = ops.convolution(tensor, kernel, *[OTHER_SPATIAL] * 4)
        return ops.add(convolved, _by_channel(layer.bias))
    if isinstance(layer, ReLU):
        return ops.relu(tensor)
    if isinstance(layer, MaxPool):
        padding = "same_upper" if layer.padding == "same" else layer.padding
        size = list(layer.size)
        pooled = ops.max_pool(tensor, size, [1, 1], [0, 0], [0, 0], size, auto_pad=padding)
        return pooled.output(0)
    return ops.reshape(ops.transpose(tensor, TO_CHANNELS_LAST), [0, -1], special_zero=True)


def _by_channel(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return values.reshape(1, -1, 1, 1)

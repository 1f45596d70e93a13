"""The OpenVINO runtime: a network built straight from its weights, for CPUs. TensorFlow is not loaded."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from threading import Event, Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.networks.folding import FoldedLayer, Scale, WeightedConv
from l3embed.networks.layers import MaxPool, ReLU
from l3embed.runtimes.forks import PerProcess
from l3embed.runtimes.processor import available_threads, precision_fault
from l3embed.variants import Device, Precision, Variant

PRECISIONS = {Precision.FLOAT32: "f32", Precision.BFLOAT16: "bf16"}

TO_CHANNELS_FIRST, TO_CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
OTHER_SPATIAL = [1, 1]
"""Strides, paddings and dilations of a 3x3 `same` convolution."""


def fault(variant: Variant, device: Device) -> str:
    """Return why a network cannot run here on a device; nothing, if it can."""
    if variant.precision is Precision.TF32:
        return "precision tf32 is NVIDIA GPUs' alone; got runtime openvino."
    return precision_fault(variant.precision)


def build(variant: Variant, layers: Iterable[FoldedLayer], device: Device, threads: int) -> OpenVinoEmbedder:
    """Build a network."""
    return OpenVinoEmbedder(variant, layers, threads)


class OpenVinoEmbedder:
    """A network as an `Embedder`; its parameters are `build`'s."""

    runtime = "openvino"
    device = Device.CPU
    batches_at_once = 1

    def __init__(self, variant: Variant, layers: Iterable[FoldedLayer], threads: int = 0) -> None:
        self.input_shape = variant.network_shape
        self.embedding_size = variant.embedding_size
        self._compiled = PerProcess(partial(_compile, variant, list(layers), threads))
        self._compiled.get()

    def embed(self, batch: npt.NDArray[np.float32], stop: Event | None = None) -> npt.NDArray[np.float32]:
        """Compute the embeddings of a batch: ``(n, *input_shape)`` to ``(n, D)``, until `stop` is set."""
        queue, lock = self._compiled.get()
        items = np.ascontiguousarray(batch, np.float32)
        embeddings = np.empty((len(items), self.embedding_size), np.float32)

        def take(request: Any, number: int) -> None:
            embeddings[number] = request.get_output_tensor().data[0]

        with lock:
            queue.set_callback(take)
            try:
                # One by one: more at once are no faster, and each takes up to 40 MB on the way.
                for number in range(len(items)):
                    if stop and stop.is_set():
                        break
                    queue.start_async([items[number : number + 1]], number, share_inputs=True)
            finally:
                # If it was interrupted too, or what is still being computed would end up in the next batch.
                queue.wait_all()
        return embeddings


def _openvino() -> Any:
    import openvino

    return openvino


_core = PerProcess(lambda: _openvino().Core())


def _compile(variant: Variant, layers: Iterable[FoldedLayer], threads: int) -> tuple[Any, Lock]:
    """Build a network's queue, and what guards it: only one batch may go through at a time."""
    settings = {
        "INFERENCE_PRECISION_HINT": PRECISIONS[variant.precision],  # else it is the processor's favourite
        "INFERENCE_NUM_THREADS": available_threads(threads),
        # Several items side by side: a thread that another one holds up then holds up no others.
        "PERFORMANCE_HINT": "THROUGHPUT",
        # Pinned to cores, threads would wait for those that prepare the next batch, and for other
        # processes, which would all be pinned to the first cores.
        "ENABLE_CPU_PINNING": False,
    }
    compiled = _core.get().compile_model(_build(layers, variant.network_shape), "CPU", settings)
    return _openvino().AsyncInferQueue(compiled), Lock()


def _build(layers: Iterable[FoldedLayer], input_shape: tuple[int, ...]) -> Any:
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

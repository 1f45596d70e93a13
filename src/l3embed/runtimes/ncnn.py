"""The ncnn runtime, for CPUs in float32: 3x3 convolutions by Winograd's algorithm, without TensorFlow."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from threading import Event
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.networks.folding import FoldedLayer, Scale, WeightedConv
from l3embed.networks.layers import MaxPool, ReLU
from l3embed.runtimes.base import FrameworkError
from l3embed.runtimes.forks import PerProcess
from l3embed.runtimes.processor import available_threads
from l3embed.variants import Device, Precision, Variant

Weights = list[npt.NDArray[np.float32]]

SWITCHED_OFF = (
    *("use_vulkan_compute", "use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic"),
    *("use_bf16_packed", "use_bf16_storage", "use_int8_inference", "use_int8_packed"),
    *("use_int8_storage", "use_int8_arithmetic"),
)
"""Options, on by default some of them, that would compute something else than float32, or on a GPU."""

FORMAT = 7767517
"""The first line of a network in ncnn's text format."""

ELSEWHERE = {
    Precision.TF32: "PyTorch or Keras on NVIDIA GPUs",
    Precision.BFLOAT16: "OpenVINO, PyTorch or Keras",
    Precision.FLOAT16: "PyTorch on GPUs",
}
"""What computes in other precisions than this runtime's."""

PADDING_MODES = {"valid": 1, "same": 2}

SINGLE_PRECISION = np.zeros(1, np.float32)
"""Stands before a kernel, and says what it is in."""


def fault(variant: Variant, device: Device) -> str:
    """Return why a network cannot run here on a device; nothing, if it can."""
    if variant.precision is Precision.FLOAT32:
        return ""
    return (
        f"precision {variant.precision.value} runs in {ELSEWHERE[variant.precision]}; got runtime ncnn, "
        "which computes in float32 alone. Use precision float32, or runtime auto."
    )


def build(variant: Variant, layers: Iterable[FoldedLayer], device: Device, threads: int) -> NcnnEmbedder:
    """Build a network."""
    return NcnnEmbedder(variant, layers, threads)


class NcnnEmbedder:
    """A network as an `Embedder`; its parameters are `build`'s.

    Each item is computed by one thread, several items side by side: so the numbers depend neither on the
    other items nor on the number of threads, and ncnn starts no threads of its own, which no forked process
    would have. Each thread takes memory for its item: 60 MB (mel128) to 110 MB (mel256).
    """

    runtime = "ncnn"
    device = Device.CPU
    batches_at_once = 2  # the next one's items for threads that this one has none left for

    def __init__(self, variant: Variant, layers: Iterable[FoldedLayer], threads: int = 0) -> None:
        self.input_shape = variant.network_shape
        self.embedding_size = variant.embedding_size
        self._threads = available_threads(threads)
        self._loaded = PerProcess(partial(_load, list(layers), self.input_shape, self._threads))
        self._loaded.get()

    def embed(self, batch: npt.NDArray[np.float32], stop: Event | None = None) -> npt.NDArray[np.float32]:
        """Compute the embeddings of a batch: ``(n, *input_shape)`` to ``(n, D)``, until `stop` is set."""
        network, pool = self._loaded.get()
        embeddings = np.empty((len(batch), self.embedding_size), np.float32)
        unwanted = stop or Event()
        interrupted = Event()
        numbers = iter(range(len(batch)))  # all threads take from it; CPython's ranges hand out each but once

        def compute_some() -> None:
            for number in numbers:
                if unwanted.is_set() or interrupted.is_set():
                    break
                embeddings[number] = network.embed(batch[number])

        futures = [pool.submit(compute_some) for _ in range(min(self._threads, len(batch)))]
        try:
            wait(futures)
        finally:
            interrupted.set()  # or Ctrl-C would leave threads at work for nobody
        for future in futures:
            future.result()
        return embeddings


class _Network:
    """A network that ncnn has loaded: one item in, one embedding out; several threads may use it."""

    def __init__(self, layers: Iterable[FoldedLayer], input_shape: tuple[int, ...]) -> None:
        self._ncnn = _ncnn()
        description, weights, self._output = _describe(layers, input_shape)
        self._net = self._ncnn.Net()
        options = self._net.opt
        options.num_threads = 1
        for name in SWITCHED_OFF:
            if hasattr(options, name):  # options come and go; the self-test knows what they do to the numbers
                setattr(options, name, False)
        _check(self._net.load_param_mem(description))
        _check(self._net.load_model(_reader(self._ncnn, weights)))

    def embed(self, item: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        channels_first = np.ascontiguousarray(item.transpose(2, 0, 1), np.float32)
        # ncnn writes into what comes in, or crashes where that is not its own memory: hence the clone.
        own = self._ncnn.Mat(channels_first).clone()
        extractor = self._net.create_extractor()
        _check(extractor.input("blob0", own))
        status, pooled = extractor.extract(self._output)
        _check(status)
        return np.asarray(pooled).transpose(1, 2, 0).ravel()


def _ncnn() -> Any:
    import ncnn

    return ncnn


def _load(
    layers: Iterable[FoldedLayer], input_shape: tuple[int, ...], threads: int
) -> tuple[_Network, ThreadPoolExecutor]:
    """Load a network, and start what computes with it."""
    return _Network(layers, input_shape), ThreadPoolExecutor(threads, "ncnn")


def _check(status: int) -> None:
    """Check what ncnn's functions return.

    Raises
    ------
    FrameworkError
        If it is not that all is well; -100 is want of memory.
    """
    if status:
        raise FrameworkError(
            f"ncnn has failed (status {status}), probably for want of memory. Use fewer threads, or runtime "
            "openvino."
        )


def _describe(layers: Iterable[FoldedLayer], input_shape: tuple[int, ...]) -> tuple[str, Weights, str]:
    """Return a network in ncnn's text format, its weights in the order of that, and its output's name.

    Each line is a layer's kind, name, number of inputs and of outputs, their names, and its parameters by
    number. The last layer, which flattens, is left to NumPy: ncnn would flatten channel by channel.
    """
    height, width, channels = input_shape
    lines = [f"Input input 0 1 blob0 0={width} 1={height} 2={channels}"]
    weights: Weights = []
    for layer in layers:
        if isinstance(layer, ReLU) and lines[-1].startswith("Convolution"):
            lines[-1] += " 9=1"
            continue
        described = _describe_layer(layer)
        if described is None:
            continue
        kind, parameters, arrays = described
        number = len(lines)
        words = " ".join(f"{key}={value}" for key, value in parameters.items())
        lines.append(f"{kind} {layer.name} 1 1 blob{number - 1} blob{number} {words}")
        weights += arrays
    head = [str(FORMAT), f"{len(lines)} {len(lines)}"]
    return "\n".join([*head, *lines, ""]), weights, f"blob{len(lines) - 1}"


def _describe_layer(layer: FoldedLayer) -> tuple[str, dict[int, int], Weights] | None:
    if isinstance(layer, Scale):
        return "Scale", {0: len(layer.factor), 1: 1}, [layer.factor, layer.offset]
    if isinstance(layer, WeightedConv):
        kernel = layer.kernel.transpose(3, 2, 0, 1)
        filters, _, height, width = kernel.shape
        sizes = {0: filters, 1: width, 11: height, 4: width // 2, 14: height // 2, 5: 1, 6: kernel.size}
        return "Convolution", sizes, [SINGLE_PRECISION, kernel, layer.bias]
    if isinstance(layer, ReLU):
        return "ReLU", {}, []
    if isinstance(layer, MaxPool):
        height, width = layer.size
        return "Pooling", {1: width, 11: height, 2: width, 12: height, 5: PADDING_MODES[layer.padding]}, []
    return None


def _reader(ncnn: Any, weights: Weights) -> Any:
    """Return what ncnn reads weights from: it copies them.

    `Net.load_model_mem` would not, and its binding frees what it is given.
    """
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]

    class Reader(ncnn.DataReader):  # type: ignore[misc]
        """The weights, one after the other."""

        def __init__(self) -> None:
            super().__init__()
            self._left = (np.ascontiguousarray(array, np.float32) for array in weights)

        def scan(self, form: str, target: Any) -> int:
            return 0

        def read(self, target: Any, size: int) -> int:
            piece = next(self._left)
            if piece.nbytes != size:
                return 0  # which ncnn takes for an error
            ctypes.memmove(pointer(target, None), piece.ctypes.data, size)
            return size

    return Reader()

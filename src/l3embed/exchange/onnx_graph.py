"""A network as an ONNX graph, straight from its layers, with kapre in front of it if that is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.frontends.decibel import DYNAMIC_RANGE_DB, SMALLEST_MAGNITUDE
from l3embed.frontends.kapre import hann_window, padded_samples
from l3embed.frontends.mel import mel_filterbank
from l3embed.frontends.real_fft import real_fft, twiddles
from l3embed.networks.folding import FoldedLayer, Scale, WeightedConv
from l3embed.networks.layers import MaxPool, ReLU
from l3embed.variants import (
    SAMPLES_SHAPE,
    SPECTROGRAM_HOP_SAMPLES,
    WINDOW_SAMPLES,
    SpectrogramShape,
)
from l3embed.version import __version__

OPSET, IR_VERSION = 17, 8
"""Of 2022: what is older in browsers and on phones is rare, and nothing later is needed."""

EMBEDDING = "embedding"
TO_CHANNELS_FIRST, TO_CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
SMALLEST_INT64 = np.iinfo(np.int64).min


class GraphTensor:
    """A tensor of a graph that is being built; sums and products add nodes to it."""

    __array_ufunc__ = None  # so that an array on the left leaves the operation to this

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph, self.name = graph, name

    def __add__(self, other: Any) -> GraphTensor:
        return self.graph.apply("Add", self, other)

    def __sub__(self, other: Any) -> GraphTensor:
        return self.graph.apply("Sub", self, other)

    def __mul__(self, other: Any) -> GraphTensor:
        return self.graph.apply("Mul", self, other)


class Graph:
    """An ONNX graph that is being built.

    Parameters
    ----------
    input_name : str
        Name of its one input.
    input_shape : tuple of int
        Shape of one item of it, float32.
    """

    def __init__(self, input_name: str, input_shape: Sequence[int]) -> None:
        from onnx import TensorProto, helper

        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        shape = ("batch", *input_shape)
        self._input = helper.make_tensor_value_info(input_name, TensorProto.FLOAT, shape)
        self.items = GraphTensor(self, input_name)

    def apply(self, operator: str, *inputs: Any, name: str | None = None, **attributes: Any) -> GraphTensor:
        """Add a node, and return its output; inputs that are arrays or numbers become constants."""
        from onnx import helper

        names = [tensor.name if isinstance(tensor, GraphTensor) else self._keep(tensor) for tensor in inputs]
        output = GraphTensor(self, name or f"{operator.lower()}_{len(self._nodes)}")
        self._nodes.append(helper.make_node(operator, names, [output.name], name=output.name, **attributes))
        return output

    def _keep(self, value: Any) -> str:
        from onnx import numpy_helper

        array = np.asarray(value)
        if array.dtype == np.float64:  # a number of Python's
            array = array.astype(np.float32)
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def model(self, name: str, embedding_size: int, metadata: Mapping[str, str]) -> Any:
        """Return the whole as an `onnx.ModelProto`, whose output is the tensor called ``embedding``."""
        from onnx import TensorProto, helper

        output = helper.make_tensor_value_info(EMBEDDING, TensorProto.FLOAT, ("batch", embedding_size))
        graph = helper.make_graph(self._nodes, name, [self._input], [output], self._constants)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="l3embed",
            producer_version=__version__,
        )
        helper.set_model_props(model, dict(metadata))
        return model


class _Ops:
    """ONNX's operations, as `real_fft` calls them."""

    def reshape(self, tensor: GraphTensor, shape: tuple[int, ...]) -> GraphTensor:
        return tensor.graph.apply("Reshape", tensor, np.array(shape, np.int64))

    def part(self, tensor: GraphTensor, axis: int, start: int, stop: int) -> GraphTensor:
        return tensor.graph.apply("Slice", tensor, *(np.array([place]) for place in (start, stop, axis)))

    def join(self, tensors: Sequence[GraphTensor]) -> GraphTensor:
        return tensors[0].graph.apply("Concat", *tensors, axis=-1)

    def reverse(self, tensor: GraphTensor) -> GraphTensor:
        places = (np.array([place]) for place in (-1, SMALLEST_INT64, -1, -1))
        return tensor.graph.apply("Slice", tensor, *places)


def build_graph(layers: Iterable[FoldedLayer], input_name: str, input_shape: Sequence[int]) -> Graph:
    """Build a network, from channels last to embeddings, for batches of any size."""
    graph = Graph(input_name, input_shape)
    _add_network(layers, graph.apply("Transpose", graph.items, perm=TO_CHANNELS_FIRST))
    return graph


def build_graph_with_kapre(layers: Iterable[FoldedLayer], input_name: str, shape: SpectrogramShape) -> Graph:
    """Build a network with its spectrogram, from samples to embeddings, for batches of any size."""
    graph = Graph(input_name, SAMPLES_SHAPE)
    _add_network(layers, _spectrogram(graph.items, shape))
    return graph


def _spectrogram(samples: GraphTensor, shape: SpectrogramShape) -> GraphTensor:
    """Add the computation of decibels, ``(batch, 1, frequency, time)``."""
    graph, ops = samples.graph, _Ops()
    padding = padded_samples(shape) - WINDOW_SAMPLES
    padded = graph.apply("Pad", ops.reshape(samples, (-1, WINDOW_SAMPLES)), np.array([0, 0, 0, padding]))
    starts = np.arange(shape.frames)[:, np.newaxis] * SPECTROGRAM_HOP_SAMPLES
    # As a sum in the graph, since the whole table of places would be half of a file's size.
    places = graph.apply("Add", starts, np.arange(shape.fft_samples))
    frames = graph.apply("Gather", padded, places, axis=1) * hann_window(shape.fft_samples)
    frames = ops.reshape(frames, (-1, shape.fft_samples))
    real, imaginary = real_fft(ops, frames, shape.fft_samples, twiddles(shape.fft_samples))
    magnitudes = graph.apply("Sqrt", real * real + imaginary * imaginary)
    magnitudes = ops.reshape(magnitudes, (-1, shape.frames, shape.fft_samples // 2 + 1))
    if shape.is_mel:
        magnitudes = graph.apply("MatMul", magnitudes, mel_filterbank(shape.fft_samples, shape.bins).T)
    decibels = graph.apply("Log", graph.apply("Max", magnitudes, SMALLEST_MAGNITUDE)) * (10 / np.log(10))
    relative = decibels - graph.apply("ReduceMax", decibels, axes=[1, 2], keepdims=1)
    floored = graph.apply("Max", relative, -DYNAMIC_RANGE_DB)
    turned = graph.apply("Transpose", floored, perm=(0, 2, 1))
    return ops.reshape(turned, (-1, 1, shape.bins, shape.frames))


def _add_network(layers: Iterable[FoldedLayer], tensor: GraphTensor) -> None:
    for layer in layers:
        tensor = _add(tensor, layer)


def _add(tensor: GraphTensor, layer: FoldedLayer) -> GraphTensor:
    graph = tensor.graph
    if isinstance(layer, Scale):
        return tensor * _by_channel(layer.factor) + _by_channel(layer.offset)
    if isinstance(layer, WeightedConv):
        kernel = layer.kernel.transpose(3, 2, 0, 1)
        return graph.apply("Conv", tensor, kernel, layer.bias, name=layer.name, pads=[1, 1, 1, 1])
    if isinstance(layer, ReLU):
        return graph.apply("Relu", tensor, name=layer.name)
    if isinstance(layer, MaxPool):
        padding = "SAME_UPPER" if layer.padding == "same" else "VALID"
        sizes = {"kernel_shape": layer.size, "strides": layer.size}
        return graph.apply("MaxPool", tensor, name=layer.name, auto_pad=padding, **sizes)
    turned = graph.apply("Transpose", tensor, perm=TO_CHANNELS_LAST)
    return graph.apply("Flatten", turned, name=EMBEDDING)


def _by_channel(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return values.reshape(1, -1, 1, 1)

"""The Keras runtime: any Keras model, or a network frozen into one TensorFlow function, compiled once."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from threading import Event
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.frontends.kapre_layers import spectrogram_layer
from l3embed.networks.folding import FoldedLayer, Scale, WeightedConv
from l3embed.networks.layers import MaxPool, ReLU
from l3embed.runtimes.base import has_graph_frontend
from l3embed.runtimes.forks import PerProcess
from l3embed.runtimes.processor import available_threads, precision_fault
from l3embed.runtimes.tensorflow import (
    find_device,
    gpu_fault,
    has_gpu,
    prepare_tensorflow,
    tensor_float_32,
    use_threads,
    works_on_gpu,
)
from l3embed.variants import SAMPLES_SHAPE, Device, Precision, Variant

ITEMS_A_THREAD = 2
"""Items that go through the CPU at once for each thread: a third of a second's work, as fast as more are."""

__all__ = ["FrozenEmbedder", "KerasEmbedder", "build", "fault", "has_gpu", "model_embedder", "works_on_gpu"]


def fault(variant: Variant, device: Device) -> str:
    """Return why a network cannot run here on a device; nothing, if it can."""
    return gpu_fault(variant.precision) if device is Device.GPU else precision_fault(variant.precision)


def build(variant: Variant, layers: Iterable[FoldedLayer], device: Device, threads: int) -> FrozenEmbedder:
    """Build a network; threads are as they were if TensorFlow has computed something already."""
    use_threads(threads)
    return FrozenEmbedder(variant, layers, device)


class _Compiled:
    """A function of tensors, compiled for batches of any size."""

    runtime = "keras"
    batches_at_once = 1

    def __init__(self, compute: Callable[[Any], Any], input_shape: Sequence[int], device: Device) -> None:
        tf = prepare_tensorflow()
        self.device = find_device(device)
        self.input_shape: tuple[int, ...] = tuple(input_shape)
        self._precision = Precision.FLOAT32

        def on_device(batch: Any) -> Any:
            with tf.device(f"/{self.device.value}:0"):
                return compute(batch)

        def compiled() -> Any:
            signature = tf.TensorSpec((None, *self.input_shape), tf.float32)
            return (
                prepare_tensorflow().function(on_device, input_signature=[signature]).get_concrete_function()
            )

        self._function = PerProcess(compiled)
        self.embedding_size: int = int(self._function.get().structured_outputs.shape[-1])
        threads = tf.config.threading.get_intra_op_parallelism_threads() or available_threads()
        self._items_at_once = ITEMS_A_THREAD * threads if self.device is Device.CPU else None

    def embed(self, batch: npt.NDArray[np.float32], stop: Event | None = None) -> npt.NDArray[np.float32]:
        """Compute the embeddings of a batch: ``(n, *input_shape)`` to ``(n, D)``, until `stop` is set."""
        function, tf = self._function.get(), prepare_tensorflow()
        count = self._items_at_once or len(batch)
        embeddings = np.empty((len(batch), self.embedding_size), np.float32)
        # TensorFlow has convolutions that take no empty batch: of one, there is no part.
        for start in range(0, len(batch), max(1, count)):
            if stop and stop.is_set():
                break
            with tensor_float_32(self._precision):
                part = function(tf.convert_to_tensor(batch[start : start + count])).numpy()
            embeddings[start : start + count] = part
        return embeddings


class KerasEmbedder(_Compiled):
    """A Keras model with one input and one output as an `Embedder`; its weights may change."""

    def __init__(self, model: Any, device: Device = Device.AUTO) -> None:
        # A proxy: `model_embedder` keeps this object for as long as somebody else keeps the model.
        proxy = weakref.proxy(model)
        super().__init__(lambda batch: proxy(batch, training=False), model.input_shape[1:], device)


_embedders: weakref.WeakKeyDictionary[Any, dict[Device, KerasEmbedder]] = weakref.WeakKeyDictionary()


def model_embedder(model: Any, device: Device = Device.AUTO) -> KerasEmbedder:
    """Return the embedder of a model, compiled when it is first asked for and as long-lived as the model.

    Raises
    ------
    OpenL3Error
        If the device is not there.
    """
    embedders = _embedders.setdefault(model, {})
    if device not in embedders:
        embedders[device] = KerasEmbedder(model, device)
    return embedders[device]


class FrozenEmbedder(_Compiled):
    """A network as an `Embedder`, its weights constants of the function; its parameters are `build`'s."""

    def __init__(self, variant: Variant, layers: Iterable[FoldedLayer], device: Device) -> None:
        prepare_tensorflow()
        frontend = spectrogram_layer(variant.input_repr) if has_graph_frontend(variant) else None
        steps = list(layers)

        def compute(batch: Any) -> Any:
            return _apply_all(steps, frontend(batch) if frontend else batch, variant.precision)

        super().__init__(compute, SAMPLES_SHAPE if frontend else variant.network_shape, device)
        self._precision = variant.precision


def _apply_all(layers: Iterable[FoldedLayer], tensor: Any, precision: Precision) -> Any:
    """Apply a network's layers; the convolutions, and what lies between them, in a precision."""
    import tensorflow as tf

    dtype = tf.bfloat16 if precision is Precision.BFLOAT16 else tf.float32
    for number, layer in enumerate(layers):
        tensor = _apply(tf, layer, tensor)
        if not number:  # bfloat16 would round decibels to half a decibel before they are scaled
            tensor = tf.cast(tensor, dtype)
    return tf.cast(tensor, tf.float32)


def _apply(tf: Any, layer: FoldedLayer, tensor: Any) -> Any:
    if isinstance(layer, Scale):
        return tensor * tf.cast(layer.factor, tensor.dtype) + tf.cast(layer.offset, tensor.dtype)
    if isinstance(layer, WeightedConv):
        convolved = tf.nn.conv2d(tensor, tf.cast(layer.kernel, tensor.dtype), strides=1, padding="SAME")
        return tf.nn.bias_add(convolved, tf.cast(layer.bias, tensor.dtype))
    if isinstance(layer, ReLU):
        return tf.nn.relu(tensor)
    if isinstance(layer, MaxPool):
        return tf.nn.max_pool2d(tensor, layer.size, layer.size, layer.padding.upper())
    return tf.reshape(tensor, (-1, np.prod(tensor.shape[1:])))

"""The Keras runtime: any Keras model, or a network frozen into one TensorFlow function, compiled once."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.networks.folding import FoldedLayer, Scale, WeightedConv
from l3embed.networks.layers import MaxPool, ReLU
from l3embed.runtimes.tensorflow import find_device, prepare_tensorflow, tensor_float_32, use_threads
from l3embed.variants import SAMPLES_SHAPE, AudioVariant, Device, ImageVariant, Precision, Runtime


class _Compiled:
    """A function of tensors, compiled for batches of any size."""

    runtime = Runtime.KERAS

    def __init__(self, compute: Callable[[Any], Any], input_shape: Sequence[int], device: Device) -> None:
        tf = prepare_tensorflow()
        self.device = find_device(device)
        self.input_shape: tuple[int, ...] = tuple(input_shape)
        self._precision = Precision.FLOAT32

        def on_device(batch: Any) -> Any:
            with tf.device(f"/{self.device}:0"):
                return compute(batch)

        signature = tf.TensorSpec((None, *self.input_shape), tf.float32)
        self._function = tf.function(on_device, input_signature=[signature]).get_concrete_function()
        self.embedding_size: int = int(self._function.structured_outputs.shape[-1])

    def embed(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Compute the embeddings of a batch: ``(n, *input_shape)`` to ``(n, D)``."""
        if not len(batch):  # TensorFlow has convolutions that take no empty batch
            return np.empty((0, self.embedding_size), np.float32)
        tf = prepare_tensorflow()
        with tensor_float_32(self._precision):
            embeddings: npt.NDArray[np.float32] = self._function(tf.convert_to_tensor(batch)).numpy()
        return embeddings


class KerasEmbedder(_Compiled):
    """A Keras model with one input and one output as an `Embedder`; its weights may change."""

    def __init__(self, model: Any, device: Device = Device.AUTO) -> None:
        # A proxy: `keras_embedder` keeps this object for as long as somebody else keeps the model.
        proxy = weakref.proxy(model)
        super().__init__(lambda batch: proxy(batch, training=False), model.input_shape[1:], device)


_embedders: weakref.WeakKeyDictionary[Any, dict[Device, KerasEmbedder]] = weakref.WeakKeyDictionary()


def keras_embedder(model: Any, device: Device = Device.AUTO) -> KerasEmbedder:
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
    """A network as an `Embedder`, its weights constants of the function.

    Parameters
    ----------
    variant : AudioVariant or ImageVariant
        Which network; its precision is what the convolutions compute in.
    layers : iterable of FoldedLayer
        Its layers, with their weights.
    frontend : sequence of keras.Layer
        Layers from samples ``(batch, 1, 48000)`` to spectrograms, if the function is to have them.
    device : Device
        Where it is to run.
    threads : int
        Threads on the CPU, unless TensorFlow has computed something already; 0: as many as there are.
    """

    def __init__(
        self,
        variant: AudioVariant | ImageVariant,
        layers: Iterable[FoldedLayer],
        frontend: Sequence[Any],
        device: Device,
        threads: int = 0,
    ) -> None:
        use_threads(threads)
        steps = list(layers)

        def compute(batch: Any) -> Any:
            for layer in frontend:
                batch = layer(batch)
            return _apply_all(steps, batch, variant.precision)

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

"""The Keras runtime: any Keras model on TensorFlow, compiled once for all batch sizes."""

from __future__ import annotations

import os
import sys
import weakref
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error
from l3embed.variants import Device


@cache
def prepare_tensorflow() -> Any:
    """Import TensorFlow as l3embed needs it, and return the module.

    Raises
    ------
    OpenL3Error
        If Keras has been set to another backend: kapre's layers are TensorFlow's.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if "keras" not in sys.modules:
        # Importing Keras for a backend that is not installed would end in that package's ImportError.
        _check_backend(backend)
    import keras
    import tensorflow as tf

    _check_backend(keras.backend.backend())
    # Recent GPUs would multiply float32 with 10 bits of mantissa: other numbers, which nobody asked for.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    for gpu in tf.config.list_physical_devices("GPU"):
        # Without this TensorFlow takes all of a GPU's memory at once. A program that has started
        # TensorFlow itself has made its own choice.
        with suppress(RuntimeError):
            tf.config.experimental.set_memory_growth(gpu, True)
    return tf


def _check_backend(backend: str) -> None:
    if backend != "tensorflow":
        raise OpenL3Error(
            f"l3embed runs Keras on TensorFlow; KERAS_BACKEND is {backend!r}. "
            "Set KERAS_BACKEND=tensorflow before Keras is imported."
        )


def find_device(device: Device) -> str:
    """Return the kind of device that is meant: ``GPU``, or ``CPU``.

    Raises
    ------
    OpenL3Error
        If a GPU is asked for and TensorFlow finds none.
    """
    has_gpu = bool(prepare_tensorflow().config.list_physical_devices("GPU"))
    if device is Device.GPU and not has_gpu:
        raise OpenL3Error(
            "device is gpu, and TensorFlow finds none. Use cpu or auto, or install a driver and the GPU "
            "build: pip install 'tensorflow[and-cuda]'."
        )
    return "GPU" if has_gpu and device is not Device.CPU else "CPU"


class KerasEmbedder:
    """A Keras model with one input and one output as an `Embedder`."""

    def __init__(self, model: Any, device: Device = Device.AUTO) -> None:
        tf = prepare_tensorflow()
        self.device = find_device(device)
        self.input_shape: tuple[int, ...] = tuple(model.input_shape[1:])
        self.embedding_size: int = int(model.output_shape[-1])
        signature = tf.TensorSpec((None, *self.input_shape), tf.float32)
        # A proxy: `keras_embedder` keeps this object for as long as somebody else keeps the model.
        proxy = weakref.proxy(model)

        def compute(batch: Any) -> Any:
            with tf.device(f"/{self.device}:0"):
                return proxy(batch, training=False)

        self._function = tf.function(compute, input_signature=[signature]).get_concrete_function()

    def embed(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Compute the embeddings of a batch: ``(n, *input_shape)`` to ``(n, D)``."""
        tf = prepare_tensorflow()
        embeddings: npt.NDArray[np.float32] = self._function(tf.convert_to_tensor(batch)).numpy()
        return embeddings


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

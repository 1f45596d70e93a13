"""The Keras runtime: any Keras model on TensorFlow, compiled once for all batch sizes."""

from __future__ import annotations

import os
import sys
import weakref
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error
from l3embed.runtimes.base import Device


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
    return tf


def _check_backend(backend: str) -> None:
    if backend != "tensorflow":
        raise OpenL3Error(
            f"l3embed runs Keras on TensorFlow; KERAS_BACKEND is {backend!r}. "
            "Set KERAS_BACKEND=tensorflow before Keras is imported."
        )


def use_device(device: Device) -> str:
    """Choose the device for all models of this process, before the first is built; return its name.

    Raises
    ------
    OpenL3Error
        If a GPU is asked for and TensorFlow finds none, or a choice comes after TensorFlow has started.
    """
    tf = prepare_tensorflow()
    gpus = tf.config.list_physical_devices("GPU")
    if device is Device.GPU and not gpus:
        raise OpenL3Error(
            "device is gpu, and TensorFlow finds none. Use device=cpu or device=auto, or install "
            "a driver and the GPU build: pip install 'tensorflow[and-cuda]'."
        )
    try:
        if device is Device.CPU:
            tf.config.set_visible_devices([], "GPU")
            return "CPU"
        for gpu in gpus:
            # Without this TensorFlow takes all of the GPU's memory at once.
            tf.config.experimental.set_memory_growth(gpu, True)
    except RuntimeError as error:
        raise OpenL3Error(
            f"device={device.value} must be chosen before TensorFlow starts to compute: {error}"
        ) from error
    return f"GPU ({len(gpus)} found)" if gpus else "CPU"


class KerasEmbedder:
    """A Keras model with one input and one output as an `Embedder`."""

    def __init__(self, model: Any) -> None:
        tf = prepare_tensorflow()
        self.input_shape: tuple[int, ...] = tuple(model.input_shape[1:])
        self.embedding_size: int = int(model.output_shape[-1])
        signature = tf.TensorSpec((None, *self.input_shape), tf.float32)
        # A proxy: `keras_embedder` keeps this object for as long as somebody else keeps the model.
        proxy = weakref.proxy(model)
        function = tf.function(lambda batch: proxy(batch, training=False), input_signature=[signature])
        self._function = function.get_concrete_function()

    def embed(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Compute the embeddings of a batch: ``(n, *input_shape)`` to ``(n, D)``."""
        tf = prepare_tensorflow()
        embeddings: npt.NDArray[np.float32] = self._function(tf.convert_to_tensor(batch)).numpy()
        return embeddings


_embedders: weakref.WeakKeyDictionary[Any, KerasEmbedder] = weakref.WeakKeyDictionary()


def keras_embedder(model: Any) -> KerasEmbedder:
    """Return the embedder of a model, compiled when it is first asked for and as long-lived as the model."""
    if model not in _embedders:
        _embedders[model] = KerasEmbedder(model)
    return _embedders[model]

"""Keras models of the networks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.networks.folding import LayerWeights
from l3embed.networks.layers import (
    BATCH_NORM_EPSILON,
    INPUT_NORM_NAME,
    KERNEL_PIXELS,
    BatchNorm,
    Conv,
    Flatten,
    Layer,
    MaxPool,
    ReLU,
    TrainedLayer,
    network_layers,
)
from l3embed.variants import SAMPLES_SHAPE, AudioVariant, ImageVariant, Precision

SHORTER = frozenset((Precision.BFLOAT16, Precision.FLOAT16))
"""What a Keras layer's policy can name; TF32 is a switch of the process."""


def build_keras_model(
    variant: AudioVariant | ImageVariant, weights: Iterable[LayerWeights], frontend: Any = None
) -> Any:
    """Build the Keras model of a variant, in Keras 3's backend-neutral layers, with its weights.

    Parameters
    ----------
    variant : AudioVariant or ImageVariant
        Which model.
    weights : iterable of sequences of np.ndarray
        The arrays of each layer with weights, in the order of the weight files.
    frontend : keras.Layer, optional
        From samples ``(batch, 1, 48000)`` to spectrograms, if the model is to compute them.

    Returns
    -------
    keras.Model
        From ``(batch, 1, 48000)`` with a frontend, else ``(batch, frequency, time, 1)`` or
        ``(batch, 224, 224, 3)``, to ``(batch, embedding_size)``.
    """
    import keras

    layers = network_layers(variant.weight_set.modality, variant.pool)
    inputs = keras.Input(SAMPLES_SHAPE if frontend else variant.network_shape, name="input")
    tensor = frontend(inputs) if frontend else inputs
    for description in layers:
        tensor = _keras_layer(description, _dtype(description, variant.precision))(tensor)
    model = keras.Model(inputs, tensor, name=variant.name)
    for name, arrays in zip(_weighted_names(layers), weights, strict=True):
        model.get_layer(name).set_weights(arrays)
    return model


def model_weights(model: Any, variant: AudioVariant | ImageVariant) -> list[list[npt.NDArray[np.float32]]]:
    """Return the arrays of each layer with weights of a model that was built here, as they are now."""
    layers = network_layers(variant.weight_set.modality, variant.pool)
    return [model.get_layer(name).get_weights() for name in _weighted_names(layers)]


def _weighted_names(layers: Iterable[Layer]) -> list[str]:
    return [layer.name for layer in layers if isinstance(layer, TrainedLayer)]


def _dtype(layer: Layer, precision: Precision) -> str:
    """Return the type that a layer computes in: both ends of a network stay in float32."""
    # bfloat16 would round decibels to half a decibel before the first convolution sees them.
    is_end = isinstance(layer, Flatten) or layer.name == INPUT_NORM_NAME
    return "float32" if is_end or precision not in SHORTER else f"mixed_{precision.value}"


def _keras_layer(layer: Layer, dtype: str) -> Any:
    from keras import layers

    if isinstance(layer, BatchNorm):
        return layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, name=layer.name, dtype=dtype)
    if isinstance(layer, Conv):
        return layers.Conv2D(layer.filters, KERNEL_PIXELS, padding="same", name=layer.name, dtype=dtype)
    if isinstance(layer, ReLU):
        return layers.ReLU(name=layer.name, dtype=dtype)
    if isinstance(layer, MaxPool):
        return layers.MaxPooling2D(layer.size, padding=layer.padding, name=layer.name, dtype=dtype)
    return layers.Flatten(name=layer.name, dtype=dtype)

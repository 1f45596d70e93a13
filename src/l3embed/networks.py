"""The one description of the audio and image networks, and the Keras models built from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.variants import (
    BLOCK_FILTERS,
    EMBEDDING_LAYER_NAMES,
    IMAGE_INPUT_SHAPE,
    KERNEL_PIXELS,
    AudioVariant,
    ImageVariant,
    Modality,
    Precision,
)

BATCH_NORM_EPSILON = 1e-3
INPUT_NORM_NAME = "input_norm"
LayerWeights = Sequence[npt.NDArray[np.float32]]


@dataclass(frozen=True)
class BatchNorm:
    """Batch norm, with weights."""

    name: str


@dataclass(frozen=True)
class Conv:
    """A 3x3 convolution with a bias, `same` padding and no activation, with weights."""

    name: str
    filters: int


@dataclass(frozen=True)
class ReLU:
    """Rectification."""

    name: str


@dataclass(frozen=True)
class MaxPool:
    """Max pooling whose stride is its size."""

    name: str
    size: tuple[int, int]
    padding: str


@dataclass(frozen=True)
class Flatten:
    """To one axis, in the order (height, width, channel)."""

    name: str


Layer = BatchNorm | Conv | ReLU | MaxPool | Flatten

BLOCK_POOL_PADDING = {Modality.AUDIO: "valid", Modality.IMAGE: "same"}


def network_layers(modality: Modality, pool: tuple[int, int]) -> list[Layer]:
    """Describe a network from its input, a spectrogram or an image, to its embedding.

    Parameters
    ----------
    modality : Modality
        Which network.
    pool : tuple[int, int]
        Max-pooling of the head, which makes the embedding's size.
    """
    layers: list[Layer] = [BatchNorm(INPUT_NORM_NAME)]
    for block, filters in enumerate(BLOCK_FILTERS, start=1):
        is_last_block = block == len(BLOCK_FILTERS)
        layers += _conv_unit(f"block{block}_conv1", filters)
        if is_last_block:
            layers.append(Conv(EMBEDDING_LAYER_NAMES[modality], filters))
        else:
            # The published image network has these two the other way round, here and nowhere else.
            relu_first = modality is Modality.IMAGE and block == 1
            layers += _conv_unit(f"block{block}_conv2", filters, relu_first=relu_first)
            layers.append(MaxPool(f"block{block}_pool", (2, 2), BLOCK_POOL_PADDING[modality]))
    return [*layers, MaxPool("embedding_pool", pool, "same"), Flatten("embedding")]


def _conv_unit(name: str, filters: int, *, relu_first: bool = False) -> list[Layer]:
    norm, relu = BatchNorm(f"{name}_norm"), ReLU(f"{name}_relu")
    return [Conv(name, filters), *((relu, norm) if relu_first else (norm, relu))]


def build_keras_model(
    variant: AudioVariant | ImageVariant, weights: Iterable[LayerWeights], frontend: Sequence[Any] = ()
) -> Any:
    """Build the Keras model of a variant, in Keras 3's backend-neutral layers, with its weights.

    Parameters
    ----------
    variant : AudioVariant or ImageVariant
        Which model.
    weights : iterable of sequences of np.ndarray
        The arrays of each layer with weights, in the order of the weight files.
    frontend : sequence of keras.Layer
        Layers from samples ``(batch, 1, 48000)`` to spectrograms, if the model is to have them.

    Returns
    -------
    keras.Model
        From ``(batch, 1, 48000)`` with a frontend, else ``(batch, frequency, time, 1)`` or
        ``(batch, 224, 224, 3)``, to ``(batch, embedding_size)``.
    """
    import keras

    layers = network_layers(variant.weight_set.modality, variant.pool)
    inputs = keras.Input(_input_shape(variant, has_frontend=bool(frontend)), name="input")
    tensor = inputs
    for layer in frontend:
        tensor = layer(tensor)
    for description in layers:
        tensor = _keras_layer(description, _dtype(description, variant.precision))(tensor)
    model = keras.Model(inputs, tensor, name=variant.name)
    trained = [layer.name for layer in layers if isinstance(layer, (BatchNorm, Conv))]
    for name, arrays in zip(trained, weights, strict=True):
        model.get_layer(name).set_weights(arrays)
    return model


def _input_shape(variant: AudioVariant | ImageVariant, *, has_frontend: bool) -> tuple[int, ...]:
    if isinstance(variant, ImageVariant):
        return IMAGE_INPUT_SHAPE
    return variant.samples_shape if has_frontend else variant.spectrogram.input_shape


def _dtype(layer: Layer, precision: Precision) -> str:
    """Return the type that a layer computes in: both ends of a network stay in float32."""
    # bfloat16 would round decibels to half a decibel before the first convolution sees them.
    is_end = isinstance(layer, Flatten) or layer.name == INPUT_NORM_NAME
    return "float32" if is_end or precision is Precision.FLOAT32 else f"mixed_{precision.value}"


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

"""The one description of the audio and image networks, what it folds to, and Keras models built from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.variants import (
    BLOCK_FILTERS,
    EMBEDDING_LAYER_NAMES,
    KERNEL_PIXELS,
    SAMPLES_SHAPE,
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


@dataclass(frozen=True)
class Scale:
    """A batch norm that no convolution can take up: ``x * factor + offset``, both ``(channels,)``."""

    name: str
    factor: npt.NDArray[np.float32]
    offset: npt.NDArray[np.float32]


@dataclass(frozen=True)
class WeightedConv:
    """A convolution with its kernel, ``(height, width, channels in, channels out)``, and bias."""

    name: str
    kernel: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]


FoldedLayer = Scale | WeightedConv | ReLU | MaxPool | Flatten


def fold_layers(layers: Iterable[Layer], weights: Iterable[LayerWeights]) -> list[FoldedLayer]:
    """Put the weights into a network's layers, and each batch norm into the convolution before it.

    The one on the input stays: the zeros around an image are put there after it. So does the image
    network's that follows a ReLU.

    Parameters
    ----------
    layers : iterable of Layer
        As `network_layers` describes them.
    weights : iterable of sequences of np.ndarray
        The arrays of each layer with weights, in the order of the weight files.
    """
    arrays = iter(weights)
    folded: list[FoldedLayer] = []
    for layer in layers:
        if isinstance(layer, Conv):
            folded.append(WeightedConv(layer.name, *next(arrays)))
        elif not isinstance(layer, BatchNorm):
            folded.append(layer)
        elif folded and isinstance(folded[-1], WeightedConv):
            folded[-1] = _scaled(folded[-1], *_factor_and_offset(next(arrays)))
        else:
            factor, offset = _factor_and_offset(next(arrays))
            folded.append(Scale(layer.name, factor.astype(np.float32), offset.astype(np.float32)))
    return folded


def _factor_and_offset(batch_norm: LayerWeights) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    gamma, beta, mean, variance = (array.astype(np.float64) for array in batch_norm)
    factor = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
    return factor, beta - mean * factor


def _scaled(
    conv: WeightedConv, factor: npt.NDArray[np.float64], offset: npt.NDArray[np.float64]
) -> WeightedConv:
    kernel, bias = conv.kernel * factor, conv.bias * factor + offset
    return WeightedConv(conv.name, kernel.astype(np.float32), bias.astype(np.float32))


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
    for name, arrays in zip(_weighted_names(layers), weights, strict=True):
        model.get_layer(name).set_weights(arrays)
    return model


def model_weights(model: Any, variant: AudioVariant | ImageVariant) -> list[list[npt.NDArray[np.float32]]]:
    """Return the arrays of each layer with weights of a model that was built here, as they are now."""
    layers = network_layers(variant.weight_set.modality, variant.pool)
    return [model.get_layer(name).get_weights() for name in _weighted_names(layers)]


def _weighted_names(layers: Iterable[Layer]) -> list[str]:
    return [layer.name for layer in layers if isinstance(layer, (BatchNorm, Conv))]


def _input_shape(variant: AudioVariant | ImageVariant, *, has_frontend: bool) -> tuple[int, ...]:
    return SAMPLES_SHAPE if has_frontend else variant.network_shape


def _dtype(layer: Layer, precision: Precision) -> str:
    """Return the type that a layer computes in: both ends of a network stay in float32."""
    # bfloat16 would round decibels to half a decibel before the first convolution sees them.
    is_end = isinstance(layer, Flatten) or layer.name == INPUT_NORM_NAME
    return "float32" if is_end or precision is not Precision.BFLOAT16 else f"mixed_{precision.value}"


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

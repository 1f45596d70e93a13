"""The one description of the audio and the image network, down to the shapes of their weights.

What folds weights into it and builds it in a framework reads this; it is loaded without NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from l3embed.variants import Modality

BLOCK_FILTERS = (64, 128, 256, 512)
"""Filters of the two convolutions in each of the four blocks."""

KERNEL_PIXELS = 3
"""Height and width of every convolution's kernel."""

BATCH_NORM_EPSILON = 1e-3

INPUT_NORM_NAME = "input_norm"

EMBEDDING_LAYER_NAMES = {Modality.AUDIO: "audio_embedding_layer", Modality.IMAGE: "vision_embedding_layer"}
"""Name, in the published files, of the last convolution, whose pooled output is the embedding."""

BLOCK_POOL_PADDING = {Modality.AUDIO: "valid", Modality.IMAGE: "same"}

INPUT_CHANNELS = {Modality.AUDIO: 1, Modality.IMAGE: 3}


@dataclass(frozen=True)
class BatchNorm:
    """Batch norm, with weights."""

    name: str
    channels: int

    @property
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of its arrays, in the order of the weight files."""
        return dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), (self.channels,))


@dataclass(frozen=True)
class Conv:
    """A 3x3 convolution with a bias, `same` padding and no activation, with weights."""

    name: str
    channels_in: int
    filters: int

    @property
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of its arrays, in the order of the weight files."""
        kernel = (KERNEL_PIXELS, KERNEL_PIXELS, self.channels_in, self.filters)
        return {"kernel": kernel, "bias": (self.filters,)}


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


TrainedLayer = BatchNorm | Conv
Layer = BatchNorm | Conv | ReLU | MaxPool | Flatten


def network_layers(
    modality: Modality, pool: tuple[int, int], filters: Sequence[int] | None = None
) -> list[Layer]:
    """Describe a network from its input, a spectrogram or an image, to its embedding.

    Parameters
    ----------
    modality : Modality
        Which network.
    pool : tuple[int, int]
        Max-pooling of the head, which makes the embedding's size.
    filters : sequence of int, optional
        Filters of the two convolutions in each block; by default those of the published networks.
    """
    return [
        *_body(modality, filters or BLOCK_FILTERS),
        MaxPool("embedding_pool", pool, "same"),
        Flatten("embedding"),
    ]


def trained_layers(modality: Modality) -> tuple[TrainedLayer, ...]:
    """Return the layers with weights of one network, in the order of the weight files: no head has any."""
    return tuple(layer for layer in _body(modality, BLOCK_FILTERS) if isinstance(layer, TrainedLayer))


def _body(modality: Modality, block_filters: Sequence[int]) -> list[Layer]:
    channels = INPUT_CHANNELS[modality]
    layers: list[Layer] = [BatchNorm(INPUT_NORM_NAME, channels)]
    for block, filters in enumerate(block_filters, start=1):
        layers += _conv_unit(f"block{block}_conv1", channels, filters)
        channels = filters
        if block == len(block_filters):
            layers.append(Conv(EMBEDDING_LAYER_NAMES[modality], channels, filters))
        else:
            # The published image network has these two the other way round, here and nowhere else.
            relu_first = modality is Modality.IMAGE and block == 1
            layers += _conv_unit(f"block{block}_conv2", channels, filters, relu_first=relu_first)
            layers.append(MaxPool(f"block{block}_pool", (2, 2), BLOCK_POOL_PADDING[modality]))
    return layers


def _conv_unit(name: str, channels: int, filters: int, *, relu_first: bool = False) -> list[Layer]:
    norm, relu = BatchNorm(f"{name}_norm", filters), ReLU(f"{name}_relu")
    return [Conv(name, channels, filters), *((relu, norm) if relu_first else (norm, relu))]

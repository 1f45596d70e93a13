"""A network's layers with their weights, each batch norm put into the convolution before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from l3embed.networks.layers import BATCH_NORM_EPSILON, BatchNorm, Conv, Flatten, Layer, MaxPool, ReLU

LayerWeights = Sequence[npt.NDArray[np.float32]]


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

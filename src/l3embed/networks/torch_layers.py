"""The networks' layers in PyTorch: with their batch norms, to be trained, or folded, to be run.

Tensors are PyTorch's: ``(batch, channel, height, width)``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from l3embed.networks.folding import FoldedLayer, LayerWeights, Scale, WeightedConv
from l3embed.networks.layers import (
    BATCH_NORM_EPSILON,
    KERNEL_PIXELS,
    BatchNorm,
    Conv,
    Flatten,
    Layer,
    MaxPool,
    ReLU,
)

BATCH_NORM_MOMENTUM = 0.01
"""What a batch adds to the moving averages in training: Keras's 0.99, as PyTorch counts it."""

TO_PYTORCH_KERNEL, TO_FILE_KERNEL = (3, 2, 0, 1), (2, 3, 1, 0)


class ChannelsLastFlatten(nn.Module):  # type: ignore[misc]
    """To one axis, in the order (height, width, channel)."""

    def forward(self, tensor: Any) -> Any:
        """Flatten ``(batch, channel, height, width)``."""
        return tensor.permute(0, 2, 3, 1).flatten(1)


class SamePool(nn.MaxPool2d):  # type: ignore[misc]
    """Max pooling of all there is, padded on both sides, behind by one more if need be.

    The published networks' sizes leave nothing to pad; those of the runtimes' self-test do.
    """

    def forward(self, tensor: Any) -> Any:
        """Pool ``(batch, channel, height, width)``."""
        missing = [-side % step for side, step in zip(tensor.shape[2:], self.kernel_size, strict=True)]
        if any(missing):
            top, left = (count // 2 for count in missing)
            borders = (left, missing[1] - left, top, missing[0] - top)
            tensor = nn.functional.pad(tensor, borders, value=-torch.inf)
        return super().forward(tensor)


class ChannelScale(nn.Module):  # type: ignore[misc]
    """A batch norm that no convolution takes up: a factor and an offset by channel."""

    def __init__(self, layer: Scale) -> None:
        super().__init__()
        self.register_buffer("factor", torch.from_numpy(layer.factor.reshape(1, -1, 1, 1)))
        self.register_buffer("offset", torch.from_numpy(layer.offset.reshape(1, -1, 1, 1)))

    def forward(self, tensor: Any) -> Any:
        """Scale ``(batch, channel, height, width)``."""
        return tensor * self.factor + self.offset


def trainable_network(layers: Iterable[Layer]) -> Any:
    """Return a network as a `torch.nn.Sequential`, each layer under its name, with initial weights."""
    return nn.Sequential(OrderedDict((layer.name, _trainable(layer)) for layer in layers))


def folded_network(layers: Iterable[FoldedLayer]) -> Any:
    """Return a folded network as a `torch.nn.Sequential`, to be run and not to be trained."""
    network = nn.Sequential(OrderedDict((layer.name, _folded(layer)) for layer in layers))
    return network.requires_grad_(False).eval()


def load_arrays(network: Any, weights: Iterable[LayerWeights]) -> None:
    """Give a trainable network the arrays of each layer with weights, in the order of the weight files."""
    with torch.no_grad():
        for layer, arrays in zip(_weighted_layers(network), weights, strict=True):
            for tensor, array in zip(_tensors(layer), arrays, strict=True):
                tensor.copy_(torch.from_numpy(_to_pytorch(array)))


def network_arrays(network: Any) -> list[list[npt.NDArray[np.float32]]]:
    """Return the arrays of each layer with weights of a trainable network, as the weight files have them."""
    return [
        [_to_file(tensor.detach().float().cpu().numpy()) for tensor in _tensors(layer)]
        for layer in _weighted_layers(network)
    ]


def _weighted_layers(network: Any) -> list[Any]:
    return [layer for layer in network if isinstance(layer, nn.Conv2d | nn.BatchNorm2d)]


def _tensors(layer: Any) -> tuple[Any, ...]:
    """Return a layer's tensors in the order of the weight files."""
    if isinstance(layer, nn.Conv2d):
        return layer.weight, layer.bias
    return layer.weight, layer.bias, layer.running_mean, layer.running_var


def _to_pytorch(array: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    turned = array.transpose(TO_PYTORCH_KERNEL) if array.ndim > 1 else array
    return np.ascontiguousarray(turned)


def _to_file(array: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    turned = array.transpose(TO_FILE_KERNEL) if array.ndim > 1 else array
    return turned.copy()


def _trainable(layer: Layer) -> Any:
    if isinstance(layer, BatchNorm):
        return nn.BatchNorm2d(layer.channels, eps=BATCH_NORM_EPSILON, momentum=BATCH_NORM_MOMENTUM)
    if isinstance(layer, Conv):
        return nn.Conv2d(layer.channels_in, layer.filters, KERNEL_PIXELS, padding=KERNEL_PIXELS // 2)
    return _weightless(layer)


def _folded(layer: FoldedLayer) -> Any:
    if isinstance(layer, Scale):
        return ChannelScale(layer)
    if isinstance(layer, WeightedConv):
        filters, channels_in = layer.kernel.shape[-1], layer.kernel.shape[-2]
        conv = nn.Conv2d(channels_in, filters, KERNEL_PIXELS, padding=KERNEL_PIXELS // 2)
        with torch.no_grad():
            conv.weight.copy_(torch.from_numpy(_to_pytorch(layer.kernel)))
            conv.bias.copy_(torch.from_numpy(layer.bias))
        return conv
    if isinstance(layer, MaxPool) and layer.padding == "same":
        return SamePool(layer.size)
    return _weightless(layer)


def _weightless(layer: ReLU | MaxPool | Flatten) -> Any:
    if isinstance(layer, ReLU):
        return nn.ReLU()
    if isinstance(layer, MaxPool):
        # `same` would pad on both sides; no size that the networks have leaves anything to pad.
        return nn.MaxPool2d(layer.size, ceil_mode=layer.padding == "same")
    return ChannelsLastFlatten()

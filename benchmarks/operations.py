"""How many floating-point operations a network takes for one window or image."""

from __future__ import annotations

from math import ceil

from l3embed.networks.layers import KERNEL_PIXELS, Conv, MaxPool, network_layers
from l3embed.variants import AudioVariant, ImageVariant

Variant = AudioVariant | ImageVariant

OPERATIONS_PER_WEIGHT = 2
"""A multiplication and an addition."""


def operations(variant: Variant) -> int:
    """Return the operations of a network's convolutions for one item; the rest of it is next to nothing."""
    height, width, _ = variant.network_shape
    total = 0
    for layer in network_layers(variant.weight_set.modality, variant.pool):
        if isinstance(layer, Conv):
            weights = KERNEL_PIXELS**2 * layer.channels_in * layer.filters
            total += OPERATIONS_PER_WEIGHT * weights * height * width
        elif isinstance(layer, MaxPool):
            height, width = (
                _pooled(side, size, layer) for side, size in ((height, layer.size[0]), (width, layer.size[1]))
            )
    return total


def _pooled(side: int, size: int, layer: MaxPool) -> int:
    return ceil(side / size) if layer.padding == "same" else side // size

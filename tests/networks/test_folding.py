"""Batch norms folded into convolutions, against a network in plain NumPy that keeps them apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from l3embed.networks.folding import FoldedLayer, LayerWeights, Scale, WeightedConv, fold_layers
from l3embed.networks.layers import BatchNorm, Conv, Layer, ReLU, network_layers, trained_layers
from l3embed.variants import Modality

Array = npt.NDArray[np.floating]

CHANNELS = 3


def convolve(image: Array, kernel: Array, bias: Array) -> Array:
    """A `same` convolution, term by term: ``(height, width, channels in)`` to ``(..., channels out)``."""
    height, width = image.shape[:2]
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    result = np.zeros((height, width, kernel.shape[-1])) + bias
    for row in range(3):
        for column in range(3):
            result += padded[row : row + height, column : column + width] @ kernel[row, column]
    return result


def normalise(image: Array, gamma: Array, beta: Array, mean: Array, variance: Array) -> Array:
    result: Array = gamma * (image - mean) / np.sqrt(variance + 1e-3) + beta
    return result


def run_unfolded(layers: Sequence[Layer], weights: Sequence[LayerWeights], image: Array) -> Array:
    arrays = iter(weights)
    for layer in layers:
        if isinstance(layer, Conv):
            image = convolve(image, *next(arrays))
        elif isinstance(layer, BatchNorm):
            image = normalise(image, *next(arrays))
        elif isinstance(layer, ReLU):
            image = np.maximum(image, 0)
    return image


def run_folded(layers: Sequence[FoldedLayer], image: Array) -> Array:
    for layer in layers:
        if isinstance(layer, WeightedConv):
            image = convolve(image, layer.kernel, layer.bias)
        elif isinstance(layer, Scale):
            image = image * layer.factor + layer.offset
        elif isinstance(layer, ReLU):
            image = np.maximum(image, 0)
    return image


def some_weights(layers: Sequence[Layer]) -> list[list[npt.NDArray[np.float32]]]:
    rng = np.random.default_rng(0)
    weights = []
    for layer in layers:
        if isinstance(layer, Conv):
            arrays = [rng.normal(size=(3, 3, CHANNELS, CHANNELS)), rng.normal(size=CHANNELS)]
        elif isinstance(layer, BatchNorm):
            arrays = [*rng.normal(size=(3, CHANNELS)), rng.uniform(0.5, 2, CHANNELS)]
        else:
            continue
        weights.append([array.astype(np.float32) for array in arrays])
    return weights


STACKS: dict[str, list[Layer]] = {
    "convolution, norm": [Conv("a", CHANNELS, CHANNELS), BatchNorm("b", CHANNELS)],
    "norm, convolution": [BatchNorm("a", CHANNELS), Conv("b", CHANNELS, CHANNELS)],
    "convolution, ReLU, norm": [Conv("a", CHANNELS, CHANNELS), ReLU("b"), BatchNorm("c", CHANNELS)],
    "all of them": [
        BatchNorm("a", CHANNELS),
        *(Conv("b", CHANNELS, CHANNELS), BatchNorm("c", CHANNELS), ReLU("d")),
        *(Conv("e", CHANNELS, CHANNELS), ReLU("f"), BatchNorm("g", CHANNELS)),
        Conv("h", CHANNELS, CHANNELS),
    ],
}


@pytest.mark.parametrize("name", STACKS)
def test_folding_changes_no_result(name: str) -> None:
    layers = STACKS[name]
    weights = some_weights(layers)
    image = np.random.default_rng(1).normal(size=(5, 4, CHANNELS))

    folded = fold_layers(layers, weights)

    expected = run_unfolded(layers, weights, image)
    np.testing.assert_allclose(run_folded(folded, image), expected, atol=1e-5 * np.abs(expected).max())


def folded_network(modality: Modality) -> list[FoldedLayer]:
    ones = [
        [np.ones(shape, np.float32) for shape in layer.weight_shapes.values()]
        for layer in trained_layers(modality)
    ]
    return fold_layers(network_layers(modality, (7, 7)), ones)


def test_the_norm_on_the_input_stays_apart() -> None:
    """A convolution would take it up wrongly at the edges, where zeros are put around its result."""
    scales = [layer.name for layer in folded_network(Modality.AUDIO) if isinstance(layer, Scale)]

    assert scales == ["input_norm"]


def test_the_image_network_s_norm_behind_a_relu_stays_apart_and_in_its_place() -> None:
    layers = folded_network(Modality.IMAGE)

    assert [layer.name for layer in layers if isinstance(layer, Scale)] == ["input_norm", "block1_conv2_norm"]
    names = [layer.name for layer in layers]
    assert names[3:7] == ["block1_conv2", "block1_conv2_relu", "block1_conv2_norm", "block1_pool"]


@pytest.mark.parametrize("modality", Modality, ids=lambda choice: choice.value)
def test_all_other_norms_are_gone_and_all_else_is_there_in_order(modality: Modality) -> None:
    description = network_layers(modality, (7, 7))
    folded = folded_network(modality)

    assert not any(isinstance(layer, BatchNorm) for layer in folded)
    kept = {layer.name for layer in folded}
    assert [layer.name for layer in folded] == [layer.name for layer in description if layer.name in kept]
    assert {layer.name for layer in description if not isinstance(layer, BatchNorm)} <= kept


def test_weights_stay_in_single_precision() -> None:
    arrays = [
        array
        for layer in folded_network(Modality.IMAGE)
        for array in vars(layer).values()
        if isinstance(array, np.ndarray)
    ]

    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}

"""The one contract of all runtimes: what each embedder must do, and that all compute the same.

The networks are slim: the reference outputs test the real ones.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from conftest import NEEDS_NCNN, NEEDS_OPENVINO, NEEDS_TORCH, PATIENCE_S

from l3embed.networks.folding import FoldedLayer, fold_layers
from l3embed.networks.keras_model import build_keras_model
from l3embed.networks.layers import network_layers
from l3embed.runtimes.base import Embedder
from l3embed.runtimes.forks import PerProcess
from l3embed.runtimes.keras import FrozenEmbedder, KerasEmbedder
from l3embed.runtimes.ncnn import NcnnEmbedder
from l3embed.runtimes.openvino import build as build_in_openvino
from l3embed.runtimes.processor import available_threads
from l3embed.runtimes.pytorch import TorchEmbedder
from l3embed.variants import (
    AUDIO_EMBEDDING_SIZES,
    IMAGE_EMBEDDING_SIZES,
    AudioVariant,
    Device,
    ImageVariant,
    InputRepr,
)
from l3embed.weights.file import read_layers

Variant = AudioVariant | ImageVariant
Items = npt.NDArray[np.float32]

SMALLEST = AudioVariant(InputRepr.MEL128, embedding_size=512)
VARIANTS: list[Variant] = [
    *(
        AudioVariant(input_repr, embedding_size=size)
        for input_repr in InputRepr
        for size in AUDIO_EMBEDDING_SIZES
    ),
    *(ImageVariant(embedding_size=size) for size in IMAGE_EMBEDDING_SIZES),
]

SAME_NUMBERS = 1e-5
"""Of the largest magnitude: what two runtimes may differ by."""

BATCH_TOLERANCES = {
    "ncnn": 0.0,
    "openvino": 1e-6,
    "torch": 1e-6,
    "frozen": 1e-6,
    "keras model": SAME_NUMBERS,
}
"""Of the largest magnitude: what the rest of a batch may change. TensorFlow multiplies by weights that may
change in another order where a batch holds one or two items."""


def layer_weights(variant: Variant, folder: Path) -> list[list[Items]]:
    return read_layers(folder / f"openl3_{variant.weight_set.name}.h5", variant.weight_set)


def folded(variant: Variant, folder: Path) -> list[FoldedLayer]:
    layers = network_layers(variant.weight_set.modality, variant.pool)
    return fold_layers(layers, layer_weights(variant, folder))


def keras_model(variant: Variant, folder: Path) -> Any:
    return build_keras_model(variant, layer_weights(variant, folder))


@cache
def predicted(variant: Variant, folder: Path) -> Items:
    """What the Keras model makes of two items."""
    embeddings: Items = keras_model(variant, folder).predict(some_items(variant, 2), verbose=0)
    return embeddings


def openvino(variant: Variant, folder: Path) -> Embedder:
    return build_in_openvino(variant, folded(variant, folder), Device.CPU, threads=0)


def frozen(variant: Variant, folder: Path) -> Embedder:
    return FrozenEmbedder(variant, folded(variant, folder), Device.CPU)


def ncnn(variant: Variant, folder: Path) -> Embedder:
    return NcnnEmbedder(variant, folded(variant, folder))


def torch(variant: Variant, folder: Path) -> Embedder:
    return TorchEmbedder(variant, folded(variant, folder))


MAKE: dict[str, Callable[[Variant, Path], Embedder]] = {
    "ncnn": ncnn,
    "openvino": openvino,
    "torch": torch,
    "frozen": frozen,
}
NAMES = {
    "ncnn": "ncnn",
    "openvino": "openvino",
    "torch": "torch",
    "frozen": "keras",
    "keras model": "keras",
}
"""What each kind of embedder says that it runs in."""

KINDS = [
    pytest.param("ncnn", marks=NEEDS_NCNN),
    pytest.param("openvino", marks=NEEDS_OPENVINO),
    pytest.param("torch", marks=NEEDS_TORCH),
    "frozen",
]


def some_items(variant: Variant, count: int, seed: int = 0) -> Items:
    """Spectrograms, or pixels, of noise."""
    low, high = (-80, 0) if isinstance(variant, AudioVariant) else (-1, 1)
    shape = (count, *variant.network_shape)
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def relative_difference(ours: Items, theirs: Items) -> float:
    assert ours.shape == theirs.shape
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


@pytest.fixture(scope="module", params=[*KINDS, "keras model"])
def embedder(request: pytest.FixtureRequest, slim_weights: Path) -> Iterator[Embedder]:
    """Each kind of embedder in turn, of one network."""
    if request.param == "keras model":
        model = keras_model(SMALLEST, slim_weights)
        yield KerasEmbedder(model, Device.CPU)
        del model  # an embedder does not keep its model: whoever uses it does
    else:
        yield MAKE[request.param](SMALLEST, slim_weights)


@pytest.fixture
def batch_tolerance(request: pytest.FixtureRequest) -> float:
    return BATCH_TOLERANCES[request.node.callspec.params["embedder"]]


def test_an_embedder_says_what_it_is(embedder: Embedder, request: pytest.FixtureRequest) -> None:
    assert embedder.input_shape == (128, 199, 1)
    assert embedder.embedding_size == 512
    assert embedder.device is Device.CPU
    assert embedder.runtime == NAMES[request.node.callspec.params["embedder"]]


@pytest.mark.parametrize("batch_size", [0, 1, 3, 9])
def test_each_item_becomes_one_row_of_single_precision(embedder: Embedder, batch_size: int) -> None:
    embeddings = embedder.embed(some_items(SMALLEST, batch_size))

    assert embeddings.shape == (batch_size, 512)
    assert embeddings.dtype == np.float32


@pytest.mark.parametrize("batch_size", [1, 2, 4])
def test_the_size_of_the_batch_does_not_matter(
    embedder: Embedder, batch_size: int, batch_tolerance: float
) -> None:
    items = some_items(SMALLEST, 9)
    whole = embedder.embed(items)

    parts = [embedder.embed(items[start : start + batch_size]) for start in range(0, 9, batch_size)]

    assert relative_difference(np.concatenate(parts), whole) <= batch_tolerance


def test_the_other_items_of_a_batch_do_not_matter(embedder: Embedder, batch_tolerance: float) -> None:
    item, others, more = (
        some_items(SMALLEST, 1),
        some_items(SMALLEST, 5, seed=1),
        some_items(SMALLEST, 5, seed=2),
    )

    first = embedder.embed(np.concatenate([item, others]))[0]
    last = embedder.embed(np.concatenate([more, item]))[-1]

    assert relative_difference(first, last) <= batch_tolerance


def test_embeddings_keep_their_values_when_later_batches_come(embedder: Embedder) -> None:
    embeddings = embedder.embed(some_items(SMALLEST, 3))
    before = embeddings.copy()

    embedder.embed(some_items(SMALLEST, 3, seed=1))

    np.testing.assert_array_equal(embeddings, before)


def test_items_may_lie_in_memory_in_any_order_and_stay_as_they_are(embedder: Embedder) -> None:
    items = some_items(SMALLEST, 3)
    transposed = np.asfortranarray(items)

    embeddings = embedder.embed(transposed)

    np.testing.assert_array_equal(embeddings, embedder.embed(items))
    np.testing.assert_array_equal(transposed, items)


def test_several_threads_may_use_an_embedder_at_once(embedder: Embedder) -> None:
    batches = [some_items(SMALLEST, 5, seed) for seed in range(3)]
    expected = [embedder.embed(batch) for batch in batches]
    start = threading.Barrier(len(batches))

    def embed_many_times(batch: Items) -> list[Items]:
        start.wait(PATIENCE_S)
        return [embedder.embed(batch) for _ in range(2)]

    with ThreadPoolExecutor(len(batches)) as pool:
        found = list(pool.map(embed_many_times, batches))

    for embeddings, alone in zip(found, expected, strict=True):
        for again in embeddings:
            np.testing.assert_array_equal(again, alone)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_embeddings_are_the_keras_model_s(variant: Variant, kind: str, slim_weights: Path) -> None:
    items = some_items(variant, 2)

    embeddings = MAKE[kind](variant, slim_weights).embed(items)

    assert relative_difference(embeddings, predicted(variant, slim_weights)) <= SAME_NUMBERS


def test_a_keras_model_s_embedder_is_the_model(slim_weights: Path) -> None:
    items = some_items(SMALLEST, 3)
    model = keras_model(SMALLEST, slim_weights)

    embeddings = KerasEmbedder(model, Device.CPU).embed(items)

    assert relative_difference(embeddings, model.predict(items, verbose=0)) <= SAME_NUMBERS


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_is_not_computed_to_its_end_once_nobody_wants_it(kind: str, slim_weights: Path) -> None:
    embedder = MAKE[kind](SMALLEST, slim_weights)

    class SetAtThird(threading.Event):
        """Is set when it is looked at for the third time."""

        looks = 0

        def is_set(self) -> bool:
            self.looks += 1
            return self.looks >= 3

    stop = SetAtThird()
    embedder.embed(some_items(SMALLEST, 1_000), stop)

    # Where each thread has its own items, each of them looks once more.
    assert 3 <= stop.looks < 3 + available_threads()


@NEEDS_OPENVINO
def test_an_interrupted_batch_leaves_nothing_behind_for_the_next(slim_weights: Path) -> None:
    embedder = build_in_openvino(SMALLEST, folded(SMALLEST, slim_weights), Device.CPU, threads=0)
    queue, lock = embedder._compiled.get()
    waited: list[bool] = []

    class Interrupted:
        """OpenVINO's queue, with Ctrl-C at its third item."""

        def set_callback(self, callback: Callable[..., None]) -> None:
            queue.set_callback(callback)

        def start_async(self, inputs: Any, number: int, *, share_inputs: bool) -> None:
            if number == 2:
                raise KeyboardInterrupt
            queue.start_async(inputs, number, share_inputs=share_inputs)

        def wait_all(self) -> None:
            queue.wait_all()
            waited.append(True)

    embedder._compiled = PerProcess(lambda: (Interrupted(), lock))
    with pytest.raises(KeyboardInterrupt):
        embedder.embed(np.zeros((4, *embedder.input_shape), np.float32))

    assert waited == [True]

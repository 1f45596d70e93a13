"""What is ncnn's alone: weights from memory, one item a thread, and what is left after Ctrl-C."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import NEEDS_NCNN

from l3embed.errors import OpenL3Error
from l3embed.networks.folding import FoldedLayer, WeightedConv
from l3embed.runtimes.forks import PerProcess
from l3embed.runtimes.ncnn import NcnnEmbedder

from .test_contract import SMALLEST, folded, some_items

pytestmark = NEEDS_NCNN


@pytest.fixture
def layers(slim_weights: Path) -> list[FoldedLayer]:
    return folded(SMALLEST, slim_weights)


def test_the_number_of_threads_does_not_matter(layers: list[FoldedLayer]) -> None:
    items = some_items(SMALLEST, 7)

    one, two, five = (NcnnEmbedder(SMALLEST, layers, threads).embed(items) for threads in (1, 2, 5))

    np.testing.assert_array_equal(two, one)
    np.testing.assert_array_equal(five, one)


def test_what_it_has_read_it_has_copied(layers: list[FoldedLayer]) -> None:
    """So that it does not compute with what lies there later."""
    kept = [
        WeightedConv(layer.name, layer.kernel.copy(), layer.bias.copy())
        if isinstance(layer, WeightedConv)
        else layer
        for layer in layers
    ]
    embedder, items = NcnnEmbedder(SMALLEST, kept), some_items(SMALLEST, 2)
    before = embedder.embed(items)

    for layer in kept:
        if isinstance(layer, WeightedConv):
            layer.kernel[:], layer.bias[:] = 1e3, 1e3
    gc.collect()

    np.testing.assert_array_equal(embedder.embed(items), before)


def test_its_items_stay_as_they_are(layers: list[FoldedLayer]) -> None:
    """The first layer of the network is computed in place."""
    items = some_items(SMALLEST, 2)
    before = items.copy()

    NcnnEmbedder(SMALLEST, layers).embed(items)

    np.testing.assert_array_equal(items, before)


def test_an_item_that_fails_is_an_error(layers: list[FoldedLayer]) -> None:
    embedder = NcnnEmbedder(SMALLEST, layers)
    network, _ = embedder._loaded.get()
    network._output = "no such blob"

    with pytest.raises(
        OpenL3Error, match=r"ncnn has failed \(status -1\), .* Use fewer threads, or runtime openvino"
    ):
        embedder.embed(some_items(SMALLEST, 2))


def test_after_ctrl_c_no_thread_begins_another_item(
    layers: list[FoldedLayer], monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = NcnnEmbedder(SMALLEST, layers, threads=1)
    network, _ = embedder._loaded.get()
    tasks: list[Callable[[], None]] = []
    begun: list[Any] = []
    monkeypatch.setattr(network, "embed", begun.append)

    class NotYet:
        """A pool whose threads are busy elsewhere."""

        def submit(self, task: Callable[[], None]) -> Future[None]:
            tasks.append(task)
            return Future()

    def interrupt(futures: Any) -> None:
        raise KeyboardInterrupt

    embedder._loaded = PerProcess(lambda: (network, NotYet()))  # type: ignore[arg-type,return-value]
    monkeypatch.setattr("l3embed.runtimes.ncnn.wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        embedder.embed(some_items(SMALLEST, 3))
    tasks[0]()

    assert not begun


@pytest.mark.skipif(sys.platform != "linux", reason="Linux lists a process's threads")
def test_it_starts_no_threads_but_ours(layers: list[FoldedLayer]) -> None:
    """OpenMP's would be missing in a forked process, and would be waited for there."""

    def threads() -> set[str]:
        return {path.name for path in Path("/proc/self/task").iterdir()}

    before = threads()
    embedder = NcnnEmbedder(SMALLEST, layers, threads=3)

    embedder.embed(some_items(SMALLEST, 9))

    assert len(threads() - before) <= 3

"""The GPU's pipeline of chunks, with slots that only pretend: no GPU is needed, nor PyTorch's."""

from __future__ import annotations

from threading import Event
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("torch")
embed_in_slots: Any = pytest.importorskip("l3embed.runtimes.cuda_graphs").embed_in_slots

Items = npt.NDArray[np.float32]


class StandIn:
    """A slot that adds up each item, and writes down what it is asked for."""

    def __init__(self, name: str, log: list[str]) -> None:
        self._name, self._log = name, log
        self._buffer = np.zeros((4, 1), np.float32)
        self._count = 0

    def start(self, items: Items) -> None:
        self._log.append(f"start {self._name}")
        self._count = len(items)
        self._buffer[: self._count, 0] = items.sum(axis=1)

    def finish(self) -> Items:
        self._log.append(f"finish {self._name}")
        return self._buffer[: self._count]


def embed(count: int, stop: Event | None = None) -> tuple[Items, list[str]]:
    log: list[str] = []
    items = np.arange(3 * count, dtype=np.float32).reshape(count, 3)
    embeddings = np.full((count, 1), np.nan, np.float32)
    embed_in_slots([StandIn("a", log), StandIn("b", log)], items, embeddings, 4, stop)
    return embeddings, log


@pytest.mark.parametrize("count", [0, 1, 4, 5, 8, 11, 23])
def test_each_item_gets_its_own_row(count: int) -> None:
    embeddings, _ = embed(count)

    np.testing.assert_array_equal(embeddings[:, 0], np.arange(3 * count).reshape(count, 3).sum(axis=1))


def test_a_chunk_is_started_before_the_one_before_it_is_waited_for() -> None:
    _, log = embed(16)

    assert log == ["start a", "start b", "finish a", "start a", "finish b", "start b", "finish a", "finish b"]


def test_no_chunk_is_started_once_nobody_wants_it_and_none_is_left_under_way() -> None:
    class SetAtThird(Event):
        looks = 0

        def is_set(self) -> bool:
            self.looks += 1
            return self.looks >= 3

    embeddings, log = embed(100, SetAtThird())

    assert log == ["start a", "start b", "finish a", "finish b"]
    assert np.isnan(embeddings[8:]).all()

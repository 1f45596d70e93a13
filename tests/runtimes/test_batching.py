"""The batch loop: what goes through the network together, and whose result it is."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pytest
from conftest import PATIENCE_S

from l3embed.errors import OpenL3Error
from l3embed.runtimes.batching import Piece, embed_sources
from l3embed.variants import Device

Block = npt.NDArray[np.float32]


class RecordingEmbedder:
    """Embeds an item, two numbers, as their sum and their difference, and notes the sizes of batches."""

    input_shape = (2,)
    embedding_size = 2
    device = Device.CPU
    runtime = "keras"
    batches_at_once = 1

    def __init__(self) -> None:
        self.batch_sizes: list[int] = []

    def embed(self, batch: Block, stop: threading.Event | None = None) -> Block:
        self.batch_sizes.append(len(batch))
        return np.stack([batch.sum(axis=1), batch[:, 0] - batch[:, 1]], axis=1)


def items(first: int, count: int) -> Block:
    """Items that can be told apart: (first, 1), (first + 1, 1), ..."""
    return np.stack([np.arange(first, first + count), np.ones(count)], axis=1).astype(np.float32)


def expected_embeddings(first: int, count: int) -> Block:
    return np.stack([np.arange(first, first + count) + 1, np.arange(first, first + count) - 1], axis=1)


def embed(
    sources: Iterable[tuple[str, Iterable[Block]]], batch_size: int
) -> tuple[list[Piece[str]], RecordingEmbedder]:
    embedder = RecordingEmbedder()
    return list(embed_sources(embedder, sources, batch_size)), embedder


def by_source(pieces: Iterable[Piece[str]]) -> dict[str, Block]:
    """All embeddings of each source, put together, in the order in which sources come to their end."""
    parts: dict[str, list[Block]] = defaultdict(list)
    for piece in pieces:
        parts[piece.key].append(piece.embeddings)
    return {key: np.concatenate(arrays) for key, arrays in parts.items()}


def fails_after(*blocks: Block) -> Iterator[Block]:
    yield from blocks
    raise OpenL3Error("The file is cut short.")


def test_batches_run_across_sources_and_are_full_but_for_the_last() -> None:
    sources = [("a", [items(0, 3)]), ("b", [items(10, 4)]), ("c", [items(20, 2), items(22, 2)])]
    pieces, embedder = embed(sources, batch_size=4)
    assert embedder.batch_sizes == [4, 4, 3]
    for key, first, count in [("a", 0, 3), ("b", 10, 4), ("c", 20, 4)]:
        np.testing.assert_array_equal(by_source(pieces)[key], expected_embeddings(first, count))


@pytest.mark.parametrize("batch_size", [1, 2, 5, 7, 100])
def test_the_size_of_batches_does_not_matter(batch_size: int) -> None:
    sources = [(key, [items(first, 1), items(first + 1, 6)]) for key, first in [("a", 0), ("b", 50)]]
    pieces, embedder = embed(sources, batch_size)
    np.testing.assert_array_equal(by_source(pieces)["a"], expected_embeddings(0, 7))
    np.testing.assert_array_equal(by_source(pieces)["b"], expected_embeddings(50, 7))
    assert sum(embedder.batch_sizes) == 14
    assert max(embedder.batch_sizes) == min(batch_size, 14)


def test_sources_come_to_their_end_in_order_and_once_each() -> None:
    names = [f"source {number}" for number in range(20)]
    pieces, _ = embed(((name, [items(0, number % 4)]) for number, name in enumerate(names)), batch_size=3)
    assert [piece.key for piece in pieces if piece.is_last] == names
    positions = [names.index(piece.key) for piece in pieces]
    assert positions == sorted(positions)


def test_the_last_piece_of_a_source_says_so() -> None:
    pieces, _ = embed([("a", [items(0, 5)]), ("b", [items(9, 1)])], batch_size=2)
    for key in ("a", "b"):
        flags = [piece.is_last for piece in pieces if piece.key == key]
        assert flags == [False] * (len(flags) - 1) + [True]


def test_an_empty_source_ends_without_embeddings() -> None:
    pieces, embedder = embed(
        [("none", []), ("empty block", [items(0, 0)]), ("one", [items(0, 1)])], batch_size=4
    )
    found = by_source(pieces)
    assert {key: array.shape for key, array in found.items()} == {
        "none": (0, 2),
        "empty block": (0, 2),
        "one": (1, 2),
    }
    assert embedder.batch_sizes == [1]


def test_nothing_but_empty_sources_never_reach_the_network() -> None:
    pieces, embedder = embed([("a", []), ("b", [])], batch_size=4)
    assert [(piece.key, piece.is_last) for piece in pieces] == [("a", True), ("b", True)]
    assert embedder.batch_sizes == []


def test_no_sources() -> None:
    pieces, embedder = embed([], batch_size=4)
    assert (pieces, embedder.batch_sizes) == ([], [])


@pytest.mark.parametrize(
    "good_blocks",
    [
        pytest.param([], id="at once"),
        pytest.param([items(100, 2)], id="in the middle of a batch"),
        pytest.param([items(100, 11)], id="after earlier batches of it were computed"),
    ],
)
def test_a_source_that_fails_costs_only_itself(good_blocks: list[Block]) -> None:
    sources = [("a", [items(0, 3)]), ("bad", fails_after(*good_blocks)), ("c", [items(20, 6)])]
    pieces, _ = embed(sources, batch_size=4)
    np.testing.assert_array_equal(by_source(pieces)["a"], expected_embeddings(0, 3))
    np.testing.assert_array_equal(by_source(pieces)["c"], expected_embeddings(20, 6))
    assert {piece.key: str(piece.error) for piece in pieces if piece.error} == {
        "bad": "The file is cut short."
    }
    (last,) = (piece for piece in pieces if piece.key == "bad" and piece.is_last)
    assert last.error


def test_whatever_a_source_raises_costs_that_source_alone() -> None:
    def fails() -> Iterator[Block]:
        yield items(0, 1)
        raise ZeroDivisionError("a bug")

    pieces, _ = embed([("a", [items(0, 1)]), ("b", fails()), ("c", [items(0, 1)])], batch_size=4)
    errors = {piece.key: str(piece.error) for piece in pieces if piece.error}
    assert errors == {"b": "It could not be read: ZeroDivisionError: a bug."}


def test_ctrl_c_in_a_source_ends_the_loop() -> None:
    def interrupted() -> Iterator[Block]:
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        embed([("a", interrupted())], batch_size=4)


def test_embeddings_keep_their_values_when_later_batches_come() -> None:
    """A runtime may reuse nothing of an earlier batch, nor the loop."""
    embedder = RecordingEmbedder()
    pieces = embed_sources(embedder, [("a", [items(0, 8)])], batch_size=2)
    first = next(pieces)
    before = first.embeddings.copy()
    list(pieces)
    np.testing.assert_array_equal(first.embeddings, before)


def test_the_next_batch_is_prepared_in_another_thread_while_the_network_runs() -> None:
    """The network waits inside its first batch for the second to be prepared: one thread would never end."""
    second_prepared = threading.Event()
    prepared_in: list[int] = []

    class WaitingEmbedder(RecordingEmbedder):
        def embed(self, batch: Block, stop: threading.Event | None = None) -> Block:
            assert second_prepared.wait(PATIENCE_S), "the second batch was not prepared meanwhile"
            return super().embed(batch, stop)

    def blocks() -> Iterator[Block]:
        yield items(0, 2)
        prepared_in.append(threading.get_ident())
        second_prepared.set()
        yield items(2, 2)

    pieces = list(embed_sources(WaitingEmbedder(), [("a", blocks())], batch_size=2))
    np.testing.assert_array_equal(by_source(pieces)["a"], expected_embeddings(0, 4))
    assert prepared_in != [threading.get_ident()]


def test_no_more_than_one_batch_is_prepared_ahead() -> None:
    """Memory stays bounded: while the first batch is in the network, the third is not asked for."""
    asked_for = 0

    def blocks() -> Iterator[Block]:
        nonlocal asked_for
        for index in range(10):
            asked_for = index + 1
            yield items(2 * index, 2)

    ahead_of_network: list[int] = []

    class CountingEmbedder(RecordingEmbedder):
        def embed(self, batch: Block, stop: threading.Event | None = None) -> Block:
            ahead_of_network.append(asked_for - len(self.batch_sizes))
            return super().embed(batch, stop)

    list(embed_sources(CountingEmbedder(), [("a", blocks())], batch_size=2))
    assert len(ahead_of_network) == 10
    assert max(ahead_of_network) <= 3


def test_the_input_is_not_read_further_when_nobody_asks() -> None:
    closed = threading.Event()

    def blocks() -> Iterator[Block]:
        try:
            for index in range(1_000):
                yield items(index, 1)
        finally:
            closed.set()

    source = blocks()
    pieces = embed_sources(RecordingEmbedder(), [("a", source)], batch_size=1)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    source.close()  # type: ignore[attr-defined]
    assert closed.wait(PATIENCE_S)
    assert not any(thread.name.startswith("l3embed-input") for thread in threading.enumerate())

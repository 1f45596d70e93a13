"""The batch loop's threads: blocks that are functions, what runs at once, its bounds, and how it ends.

Waiting is by events, with a limit that only a failure reaches.
"""

from __future__ import annotations

import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
import pytest
from conftest import PATIENCE_S, run_child

from l3embed.errors import OpenL3Error
from l3embed.profiling import profiling
from l3embed.runtimes.batching import Piece, embed_sources
from l3embed.variants import Device

Items = npt.NDArray[np.float32]
Function = Callable[[], Items]


class Doubling:
    """Embeds an item, one number, as twice that."""

    input_shape = (1,)
    embedding_size = 1
    device = Device.CPU
    runtime = "keras"
    batches_at_once = 1

    def embed(self, batch: Items, stop: threading.Event | None = None) -> Items:
        return 2 * batch


def numbers(*values: float) -> Items:
    return np.array(values, np.float32)[:, np.newaxis]


def embeddings_of(pieces: Iterable[Piece[str]], key: str) -> list[float]:
    return [float(row[0]) for piece in pieces if piece.key == key for row in piece.embeddings]


def errors_of(pieces: Iterable[Piece[str]]) -> dict[str, str]:
    return {piece.key: str(piece.error) for piece in pieces if piece.error}


def threads_of_the_loop() -> list[str]:
    names = ("l3embed-batch", "l3embed-frontend", "l3embed-input", "l3embed-network")
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(names)]


def test_functions_are_called_in_threads_several_at_once() -> None:
    """Both wait until the other is being computed as well: one after the other would never end."""
    both = threading.Barrier(2)
    called_in = []

    def compute() -> Items:
        called_in.append(threading.current_thread().name)
        both.wait(PATIENCE_S)
        return numbers(1)

    pieces = list(embed_sources(Doubling(), [("a", [compute]), ("b", [compute])], 4, workers=2))

    assert (embeddings_of(pieces, "a"), embeddings_of(pieces, "b")) == ([2], [2])
    assert all(name.startswith("l3embed-frontend") for name in called_in)


def test_the_order_stays_though_later_blocks_are_done_first() -> None:
    last_is_done = threading.Event()

    def late() -> Items:
        assert last_is_done.wait(PATIENCE_S)
        return numbers(1, 2)

    def early() -> Items:
        last_is_done.set()
        return numbers(4)

    pieces = list(embed_sources(Doubling(), [("a", [late, numbers(3), early])], 2, workers=2))

    assert embeddings_of(pieces, "a") == [2, 4, 6, 8]


def test_blocks_and_functions_go_together() -> None:
    pieces = list(embed_sources(Doubling(), [("a", [numbers(1), lambda: numbers(2), numbers(3)])], 2))

    assert embeddings_of(pieces, "a") == [2, 4, 6]


def test_a_fault_in_a_function_costs_only_its_source_whatever_was_computed_behind_it() -> None:
    rest_is_done = threading.Event()

    def fails() -> Items:
        assert rest_is_done.wait(PATIENCE_S)
        raise OpenL3Error("It is no image.")

    def last_of_it() -> Items:
        rest_is_done.set()
        return numbers(99)

    sources: list[tuple[str, list[Items | Function]]] = [
        ("a", [numbers(1)]),
        ("bad", [numbers(98), fails, last_of_it]),
        ("c", [lambda: numbers(2)]),
    ]
    pieces = list(embed_sources(Doubling(), sources, 1, workers=2))

    assert (embeddings_of(pieces, "a"), embeddings_of(pieces, "c")) == ([2], [4])
    assert errors_of(pieces) == {"bad": "It is no image."}
    assert 198 not in embeddings_of(pieces, "bad")
    assert [piece.key for piece in pieces if piece.is_last] == ["a", "bad", "c"]


def failing(message: str) -> Function:
    def fail() -> Items:
        raise OpenL3Error(message)

    return fail


def functions_that_fail() -> Iterator[Function]:
    yield failing("first")
    yield failing("second")


def function_and_source_that_fail() -> Iterator[Function]:
    yield failing("first")
    raise OpenL3Error("second")


@pytest.mark.parametrize("blocks", [functions_that_fail, function_and_source_that_fail])
def test_the_first_of_several_faults_of_a_source_is_told(blocks: Callable[[], Iterator[Function]]) -> None:
    pieces = list(embed_sources(Doubling(), [("bad", blocks())], 4, workers=2))

    assert errors_of(pieces) == {"bad": "first"}


def test_whatever_a_function_raises_costs_its_source_alone() -> None:
    def fails() -> Items:
        raise ZeroDivisionError("a bug")

    sources: list[tuple[str, list[Items | Function]]] = [
        ("a", [numbers(1), fails]),
        ("b", [numbers(1)]),
    ]
    pieces = list(embed_sources(Doubling(), sources, 4, workers=2))
    assert [(piece.key, str(piece.error)) for piece in pieces if piece.error] == [
        ("a", "It could not be read: ZeroDivisionError: a bug.")
    ]
    assert threads_of_the_loop() == []


def test_a_fault_of_the_network_ends_the_loop() -> None:
    class Failing(Doubling):
        def embed(self, batch: Items, stop: threading.Event | None = None) -> Items:
            raise ZeroDivisionError("a bug")

    endless = (numbers(1) for _ in iter(int, 1))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        list(embed_sources(Failing(), [("a", endless)], 1))
    assert threads_of_the_loop() == []


def test_the_network_runs_while_the_last_embeddings_are_used() -> None:
    second_batch = threading.Event()

    class Telling(Doubling):
        def embed(self, batch: Items, stop: threading.Event | None = None) -> Items:
            if batch[0, 0] == 2:
                second_batch.set()
            return super().embed(batch, stop)

    pieces = embed_sources(Telling(), [("a", [numbers(1), numbers(2)])], 1)

    assert embeddings_of([next(pieces)], "a") == [2]
    assert second_batch.wait(PATIENCE_S), "the network waited for its first embeddings to be used"
    assert embeddings_of(pieces, "a") == [4]


@pytest.mark.parametrize("workers", [1, 3])
def test_few_blocks_are_held_however_long_the_source(workers: int) -> None:
    """While the network is busy, blocks wait in a bounded queue, each a function or what it returned."""
    held = most_held = 0
    lock = threading.Lock()

    def count(change: int) -> None:
        nonlocal held, most_held
        with lock:
            held += change
            most_held = max(most_held, held)

    def compute() -> Items:
        block = numbers(1, 1)
        count(1)
        weakref.finalize(block, count, -1)
        return block

    class Slow(Doubling):
        def embed(self, batch: Items, stop: threading.Event | None = None) -> Items:
            threading.Event().wait(0.002)  # time to read further than it should
            return super().embed(batch, stop)

    pieces = list(embed_sources(Slow(), [("a", [compute] * 60)], 2, workers))

    assert len(embeddings_of(pieces, "a")) == 120
    assert most_held <= 2 * workers + 2  # those that wait, the one that was read last, the one being packed


def test_few_batches_are_held_however_long_the_source() -> None:
    held = most_held = 0
    lock = threading.Lock()

    def count(change: int) -> None:
        nonlocal held, most_held
        with lock:
            held += change
            most_held = max(most_held, held)

    class Counting(Doubling):
        def embed(self, batch: Items, stop: threading.Event | None = None) -> Items:
            count(1)
            embeddings = super().embed(batch, stop)
            weakref.finalize(embeddings, count, -1)
            return embeddings

    for piece in embed_sources(Counting(), [("a", [numbers(1)] * 60)], 1):
        threading.Event().wait(0.002)
        del piece

    assert most_held <= 4


def take_one_and_leave(sources: Iterable[tuple[str, Iterable[Items | Function]]]) -> None:
    pieces = embed_sources(Doubling(), sources, 1, workers=2)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]


def test_no_threads_are_left_when_nobody_asks_further() -> None:
    take_one_and_leave([("a", [lambda: numbers(1)] * 1_000)])

    assert threads_of_the_loop() == []


def test_no_threads_are_left_after_an_interrupt() -> None:
    def use() -> None:
        for _ in embed_sources(Doubling(), [("a", [lambda: numbers(1)] * 1_000)], 1, workers=2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use()
    assert threads_of_the_loop() == []


def test_an_interrupt_is_told_to_the_network_in_the_middle_of_a_batch() -> None:
    second_is_begun = threading.Event()
    told = []

    class Waiting(Doubling):
        def embed(self, batch: Items, stop: threading.Event | None = None) -> Items:
            if stop and batch[0] == 2:
                second_is_begun.set()
                told.append(stop.wait(PATIENCE_S))
            return super().embed(batch, stop)

    def use() -> None:
        for _ in embed_sources(Waiting(), [("a", [numbers(1), numbers(2), numbers(3)])], 1):
            assert second_is_begun.wait(PATIENCE_S)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use()
    assert told == [True]


class TwoAtOnce(Doubling):
    """Both batches of a pair wait until the other is being computed as well."""

    batches_at_once = 2

    def __init__(self) -> None:
        self.both = threading.Barrier(2)

    def embed(self, batch: Items, stop: threading.Event | None = None) -> Items:
        self.both.wait(PATIENCE_S)
        return super().embed(batch, stop)


def test_batches_go_side_by_side_through_a_network_that_can_do_with_two() -> None:
    blocks = [numbers(1), numbers(2), numbers(3), numbers(4)]

    # One after the other, the first would wait in vain. The last batch holds nothing.
    pieces = list(embed_sources(TwoAtOnce(), [("a", blocks)], 1))

    assert [piece.embeddings.tolist() for piece in pieces if len(piece.embeddings)] == [
        [[2]],
        [[4]],
        [[6]],
        [[8]],
    ]


def test_the_time_that_the_network_takes_is_not_counted_twice_where_two_batches_share_it() -> None:
    class Sleeping(Doubling):
        batches_at_once = 2

        def embed(self, batch: Items, stop: threading.Event | None = None) -> Items:
            time.sleep(0.05)
            return super().embed(batch, stop)

    started_s = time.perf_counter()
    with profiling() as profile:
        pieces = list(embed_sources(Sleeping(), [("a", [numbers(number) for number in range(6)])], 1))
    elapsed_s = time.perf_counter() - started_s

    assert profile.seconds["network"] + profile.seconds["idle"] <= elapsed_s
    assert sum(piece.seconds for piece in pieces) == pytest.approx(profile.seconds["network"], abs=0.002)


def test_blocks_that_nobody_wants_any_more_are_not_begun() -> None:
    computed = []
    go_on = threading.Event()

    def compute(number: int) -> Items:
        computed.append(number)
        assert number == 0 or go_on.wait(PATIENCE_S)
        return numbers(number)

    def use() -> None:
        blocks = [partial(compute, number) for number in range(100)]
        for _ in embed_sources(Doubling(), [("a", blocks)], 1):
            threading.Timer(0.1, go_on.set).start()  # when the loop is ending; if not yet, less is tested
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use()
    assert computed in ([0], [0, 1])


def test_a_loop_that_is_left_alone_does_not_keep_the_interpreter() -> None:
    code = (
        "import numpy, threading\n"
        "from types import SimpleNamespace\n"
        "from l3embed.runtimes.batching import embed_sources\n"
        "one = numpy.ones((1, 1), numpy.float32)\n"
        "facts = dict(input_shape=(1,), embedding_size=1, batches_at_once=1)\n"
        "embedder = SimpleNamespace(embed=lambda batch, stop: batch, **facts)\n"
        "blocks = (each or threading.Event().wait() for each in [lambda: one] * 3 + [None])\n"
        "pieces = embed_sources(embedder, [('a', blocks)], 1, workers=2)\n"
        "next(pieces)\n"
        "threading.main_thread().pieces = pieces  # what lives as long as the interpreter\n"
    )

    run_child([sys.executable, "-c", code])


def test_a_source_is_closed_in_the_thread_that_read_it() -> None:
    """Which has opened its file."""
    threads = []

    def blocks() -> Iterator[Items]:
        threads.append(threading.current_thread().name)
        try:
            while True:
                yield numbers(1)
        finally:
            threads.append(threading.current_thread().name)

    take_one_and_leave((key, blocks()) for key in "a")

    assert threads == ["l3embed-input", "l3embed-input"]

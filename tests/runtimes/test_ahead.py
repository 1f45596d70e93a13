"""Items that are made in another thread ahead of their use: order, faults, bounds, and how it ends."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import PATIENCE_S, run_child

from l3embed.runtimes.ahead import Ahead, map_ahead


def names_of_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


def test_items_come_in_their_order() -> None:
    with Ahead(iter(range(100)), 3, "numbers") as numbers:
        assert list(numbers) == list(range(100))


def test_items_are_made_in_a_thread_of_their_own() -> None:
    def thread_names() -> Iterator[str]:
        yield threading.current_thread().name

    with Ahead(thread_names(), 1, "maker") as names:
        assert list(names) == ["maker"]


def test_a_fault_is_raised_where_its_item_was_expected() -> None:
    def numbers() -> Iterator[int]:
        yield 1
        yield 2
        raise ZeroDivisionError("the third")

    with Ahead(numbers(), 5, "numbers") as ahead:
        assert [next(ahead), next(ahead)] == [1, 2]
        with pytest.raises(ZeroDivisionError, match="the third"):
            next(ahead)


def test_nothing_comes_behind_a_fault() -> None:
    def fails() -> Iterator[int]:
        raise ZeroDivisionError
        yield 1

    with Ahead(fails(), 1, "numbers") as numbers:
        with pytest.raises(ZeroDivisionError):
            next(numbers)
        assert list(numbers) == []


@pytest.mark.parametrize("count", [1, 3])
def test_no_more_are_made_ahead_than_wait_and_one(count: int) -> None:
    made = 0

    def numbers() -> Iterator[int]:
        nonlocal made
        while made < 50:
            made += 1
            yield made

    ahead_of_use = []
    with Ahead(numbers(), count, "numbers") as ahead:
        for taken in ahead:
            threading.Event().wait(0.002)  # time to make more than it should
            ahead_of_use.append(made - taken)
    assert max(ahead_of_use) <= count + 1


def test_leaving_ends_the_thread_and_closes_the_generator_in_it() -> None:
    closed_in = []

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed_in.append(threading.current_thread().name)

    with Ahead(endless(), 1, "maker") as items:
        next(items)

    assert closed_in == ["maker"]
    assert "maker" not in names_of_threads()


def test_an_iterator_that_cannot_be_closed_will_do() -> None:
    with Ahead(iter([1, 2]), 1, "numbers") as numbers:
        assert next(numbers) == 1


def test_who_waits_for_an_item_is_told_of_the_stop() -> None:
    wanted = threading.Event()

    def late() -> Iterator[int]:
        wanted.wait(PATIENCE_S)
        yield 1

    with ThreadPoolExecutor(1) as pool, Ahead(late(), 1, "late") as items:
        waiting = pool.submit(list, items)
        items.stop()
        try:
            assert waiting.result(PATIENCE_S) == []
        finally:
            wanted.set()


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="threads get no signals here")
def test_an_interrupt_ends_the_wait_and_leaves_no_thread_behind() -> None:
    main_thread = threading.get_ident()
    waiting, interrupted = threading.Event(), threading.Event()

    def endless() -> Iterator[int]:
        waiting.wait(PATIENCE_S)
        signal.pthread_kill(main_thread, signal.SIGINT)  # as Ctrl-C does
        assert interrupted.wait(PATIENCE_S)
        while True:
            yield 0

    def use() -> None:
        with Ahead(endless(), 1, "maker") as items:
            try:
                waiting.set()
                next(items)
            finally:
                interrupted.set()

    with pytest.raises(KeyboardInterrupt):
        use()
    assert "maker" not in names_of_threads()


def test_a_read_that_never_ends_does_not_keep_the_interpreter() -> None:
    code = (
        "import threading\n"
        "from l3embed.runtimes.ahead import Ahead\n"
        "items = Ahead((threading.Event().wait() for _ in range(1)), 1, 'stuck')\n"
    )

    run_child([sys.executable, "-c", code])


def test_results_come_in_the_items_order_though_later_ones_are_done_first() -> None:
    second_is_done = threading.Event()

    def square(number: int) -> int:
        if number == 1:
            assert second_is_done.wait(PATIENCE_S)
        elif number == 2:
            second_is_done.set()
        return number**2

    with ThreadPoolExecutor(2) as pool:
        assert list(map_ahead(pool, square, [1, 2, 3], count=2)) == [1, 4, 9]


def test_no_more_results_are_computed_ahead_than_asked_for() -> None:
    asked_for = 0

    def numbers() -> Iterator[int]:
        nonlocal asked_for
        for number in range(20):
            asked_for = number + 1
            yield number

    with ThreadPoolExecutor(2) as pool:
        ahead_of_use = [asked_for - taken - 1 for taken in map_ahead(pool, int, numbers(), count=3)]

    assert max(ahead_of_use) == 3


def test_a_function_s_fault_is_raised_where_its_result_was_expected() -> None:
    with ThreadPoolExecutor(2) as pool:
        results = map_ahead(pool, lambda number: 6 // number, [2, 1, 0, 3], count=3)
        assert [next(results), next(results)] == [3, 6]
        with pytest.raises(ZeroDivisionError):
            next(results)


def test_no_items_make_no_results() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert list(map_ahead(pool, str, [], count=2)) == []

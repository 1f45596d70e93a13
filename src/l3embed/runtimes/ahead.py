"""Iterators whose items are made in another thread while the last ones are being used."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from queue import Empty, Full, Queue
from threading import Event, Thread
from types import TracebackType
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

LOOK_S = 0.1
"""How often a thread that waits looks whether it is still wanted."""


class Ahead(AbstractContextManager["Ahead[Item]"], Iterator[Item], Generic[Item]):
    """The items of an iterator, made in a thread of their own, a few at a time ahead of their use.

    What the iterator raises is raised where its item was expected. Leaving the context ends the thread
    behind the item that it is making.

    Parameters
    ----------
    items : iterator
        Is used by that thread alone, from now on.
    count : int
        Items that wait at most, besides the one that is being made.
    name : str
        The thread's.
    """

    def __init__(self, items: Iterator[Item], count: int, name: str) -> None:
        self._items = items
        self._queue: Queue[tuple[Item] | BaseException | None] = Queue(count)
        self._unwanted = Event()
        self._thread = Thread(target=self._make, name=name, daemon=True)
        self._thread.start()

    def __next__(self) -> Item:
        """Return the next item when it is there."""
        made = self._take()
        if made is None:
            self._unwanted.set()
            raise StopIteration
        if isinstance(made, BaseException):
            self._unwanted.set()
            raise made
        return made[0]

    def stop(self) -> None:
        """Ask for no more items; who waits for one is told that there are none."""
        self._unwanted.set()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        self._thread.join()

    def _take(self) -> tuple[Item] | BaseException | None:
        while not self._unwanted.is_set():
            try:
                return self._queue.get(timeout=LOOK_S)
            except Empty:
                continue
        return None

    def _make(self) -> None:
        try:
            for item in self._items:
                if not self._offer((item,)):
                    return
            self._offer(None)
        except BaseException as fault:  # noqa: BLE001 (it is raised again, in the thread that waits)
            self._offer(fault)
        finally:
            # Generators let go of their files here, in the thread that has opened them.
            del self._items

    def _offer(self, made: tuple[Item] | BaseException | None) -> bool:
        """Put something into the queue; return whether it was still wanted."""
        while not self._unwanted.is_set():
            try:
                self._queue.put(made, timeout=LOOK_S)
            except Full:
                continue
            return True
        return False


def map_ahead(
    pool: ThreadPoolExecutor, function: Callable[[Item], Result], items: Iterable[Item], count: int
) -> Iterator[Result]:
    """Yield the results of a function in the items' order, up to `count` being computed ahead in a pool."""
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) > count:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()

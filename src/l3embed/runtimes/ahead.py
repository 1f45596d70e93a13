"""Iterators whose items are made in another thread while the last ones are being used."""

from __future__ import annotations

import atexit
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from queue import Empty, SimpleQueue
from threading import Event, Semaphore, Thread
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from l3embed.errors import keeping_warnings, warn

Item = TypeVar("Item")
Result = TypeVar("Result")

LOOK_S = 0.2
"""How long a wait for an item is before it begins anew: Ctrl-C that comes on the very way into a wait (on
Windows: any) is answered when a wait ends."""


LAST_WAIT_S = 30.0
"""How long the interpreter waits at its exit, at most, for threads that have been told to stop."""

_all: WeakSet[Ahead[Any]] = WeakSet()


class Ahead(AbstractContextManager["Ahead[Item]"], Iterator[Item], Generic[Item]):
    """The items of an iterator, made in a thread of their own, a few at a time ahead of their use.

    What the iterator raises is raised where its item was expected, and what it warns of is told there.
    Leaving the context ends the thread behind the item that it is making. It is a daemon, which no executor's
    thread is: the interpreter would wait at its exit for a read that never ends.

    Parameters
    ----------
    items : iterator
        Is used by that thread alone, from now on.
    count : int
        Items that wait at most, besides the one that is being made.
    name : str
        The thread's.
    unwanted : threading.Event or None
        Is set as soon as no more items are wanted. What makes them looks at it, and ends soon: the
        interpreter waits for that at its exit, since a thread that it stops in C++ code aborts the process.
    """

    def __init__(self, items: Iterator[Item], count: int, name: str, unwanted: Event | None = None) -> None:
        self._items = items
        self._made: SimpleQueue[tuple[Item] | BaseException] = SimpleQueue()
        self._room = Semaphore(count + 1)
        self._unwanted = unwanted or Event()
        self._warnings: list[str] = []
        self._thread = Thread(target=self._make, name=name, daemon=True)
        self.ends_soon = unwanted is not None
        _all.add(self)
        self._thread.start()

    def __next__(self) -> Item:
        """Return the next item when it is there."""
        made = StopIteration() if self._unwanted.is_set() else self._take()
        while self._warnings:
            warn(self._warnings.pop(0))
        if isinstance(made, BaseException):
            self._unwanted.set()
            try:
                raise made
            finally:
                del made  # its traceback holds this frame, which would hold it in turn, and the items left
        self._room.release()
        return made[0]

    def stop(self) -> None:
        """Ask for no more items; who waits for one is told that there are none."""
        self._unwanted.set()
        self._made.put(StopIteration())
        self._room.release()

    def __exit__(self, *fault: object) -> None:
        self.stop()
        self._thread.join()

    def wait(self, limit_s: float) -> None:
        """Wait for the thread's end, so long at most."""
        self._thread.join(limit_s)

    def _take(self) -> tuple[Item] | BaseException:
        while True:
            with suppress(Empty):
                return self._made.get(timeout=LOOK_S)

    def _make(self) -> None:
        try:
            with keeping_warnings() as self._warnings:
                while self._room.acquire() and not self._unwanted.is_set():
                    self._made.put((next(self._items),))
        except BaseException as end:  # noqa: BLE001 (it is raised again, in the thread that waits)
            self._made.put(end)
        finally:
            # Generators let go of their files here, in the thread that has opened them.
            del self._items


@atexit.register
def _end_all() -> None:
    """End what a second Ctrl-C has kept from being waited for."""
    left = list(_all)
    for ahead in left:
        ahead.stop()
    for ahead in left:
        if ahead.ends_soon:
            ahead.wait(LAST_WAIT_S)


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

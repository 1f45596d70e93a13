"""The one batch loop: items of many sources in full batches through a network, and back to their sources.

Four kinds of threads work at once, with bounded queues between them: one reads the sources, some compute
what the network takes in, one runs the network, and the caller's uses the embeddings.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import takewhile
from threading import Event, Lock
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error, source_faults
from l3embed.profiling import Phase, take_down
from l3embed.runtimes.ahead import Ahead, map_ahead
from l3embed.runtimes.base import Embedder

Key = TypeVar("Key")
Item = TypeVar("Item")
Result = TypeVar("Result")
Array = npt.NDArray[np.floating]
Block = Array | Callable[[], Array]
"""Some of the network's inputs, or what computes them, in whatever thread."""

Blocks = Iterable[Block]

WAITING_BLOCKS = 2
"""Blocks for each thread that computes them, so that none waits for its next one."""


@dataclass(frozen=True)
class Piece(Generic[Key]):
    """Some embeddings of one source, in order.

    Parameters
    ----------
    key : Key
        Which source.
    embeddings : np.ndarray [shape=(n, D)]
        The next embeddings; n may be 0.
    is_last : bool
        Whether the source has come to its end.
    error : OpenL3Error or None
        What ended the source, if it was a fault; then its earlier pieces are void.
    seconds : float
        Their share of the time that the network took for their batch.
    """

    key: Key
    embeddings: npt.NDArray[np.float32]
    is_last: bool
    error: OpenL3Error | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class _Part(Generic[Key]):
    """What comes next of a source: a block, or its end."""

    key: Key
    block: Future[Array] | None = None
    error: OpenL3Error | None = None


@dataclass(frozen=True)
class _Span(Generic[Key]):
    """Whose the next `count` items of a batch are."""

    key: Key
    count: int
    is_last: bool = False
    error: OpenL3Error | None = None


@dataclass
class _Batch(Generic[Key]):
    """Items of one or more sources, one after the other."""

    items: npt.NDArray[np.float32]
    count: int = 0
    spans: list[_Span[Key]] = field(default_factory=list)


def embed_sources(
    embedder: Embedder, sources: Iterable[tuple[Key, Blocks]], batch_size: int, workers: int = 1
) -> Iterator[Piece[Key]]:
    """Embed the items of all sources, batches running across sources so that short ones fill them too.

    At most three batches and those in the network, and a few blocks are held. A source that raises anything
    ends with it, and the others go on.

    Parameters
    ----------
    embedder : Embedder
        The network.
    sources : iterable of (key, blocks)
        Blocks have the shape ``(n, *embedder.input_shape)``, or are functions that return such.
    batch_size : int
        Items that go through the network at once.
    workers : int
        Threads that call those functions.

    Yields
    ------
    Piece
        In the order of the sources and their items; the last piece of each source says so.
    """
    stop = Event()
    with ThreadPoolExecutor(workers, "l3embed-frontend") as pool:

        def batches_ahead() -> Ahead[_Batch[Key]]:
            # Nothing but that thread holds the iterators, so that files are closed where they were opened.
            parts = _compute_ahead(_parts(sources, pool), workers * WAITING_BLOCKS)
            parts = takewhile(lambda _: not stop.is_set(), parts)
            return Ahead(_pack(parts, embedder.input_shape, batch_size), 1, "l3embed-input")

        with (
            batches_ahead() as batches,
            Ahead(_run(embedder, batches, stop), 1, "l3embed-network", stop) as pieces,
        ):
            try:
                for some in pieces:
                    yield from some
            finally:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                batches.stop()  # first, since the network's thread may be waiting for the next batch


def _parts(sources: Iterable[tuple[Key, Blocks]], pool: ThreadPoolExecutor) -> Iterator[_Part[Key]]:
    """Go through the sources, and have their blocks computed."""
    for key, blocks in sources:
        error = None
        try:
            with source_faults():
                for block in blocks:
                    yield _Part(key, pool.submit(block) if callable(block) else _done(block))
        except OpenL3Error as fault:
            error = fault
        yield _Part(key, error=error)


def _done(block: Array) -> Future[Array]:
    future: Future[Array] = Future()
    future.set_result(block)
    return future


def _compute_ahead(parts: Iterator[_Part[Key]], count: int) -> Iterator[_Part[Key]]:
    """Yield parts while `count` blocks behind them are being computed."""
    waiting: deque[_Part[Key]] = deque()
    for part in parts:
        waiting.append(part)
        while waiting and (len(waiting) > count or _is_there(waiting[0])):
            yield waiting.popleft()
    yield from waiting


def _is_there(part: _Part[Any]) -> bool:
    return part.block is None or part.block.done()


def _pack(
    parts: Iterator[_Part[Key]], input_shape: tuple[int, ...], batch_size: int
) -> Iterator[_Batch[Key]]:
    """Copy the sources' items into batches, all full but the last."""

    def new_batch() -> _Batch[Key]:
        return _Batch(np.empty((batch_size, *input_shape), np.float32))

    batch = new_batch()
    error: OpenL3Error | None = None
    for part in parts:
        if part.block is None:
            batch.spans.append(_Span(part.key, 0, is_last=True, error=error or part.error))
            error = None
            continue
        try:
            with source_faults():
                block = part.block.result()
        except OpenL3Error as fault:
            error = error or fault
        if error:  # what else was computed of this source is of no use
            continue
        start = 0
        while start < len(block):
            items = block[start : start + batch_size - batch.count]
            batch.items[batch.count : batch.count + len(items)] = items
            batch.count += len(items)
            batch.spans.append(_Span(part.key, len(items)))
            start += len(items)
            if batch.count == batch_size:
                yield batch
                batch = new_batch()
    yield batch


class _Clock:
    """How long the network computes, and how long it waits for batches; these may run side by side."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running = 0
        self._counted_until_s = time.perf_counter()

    def start(self) -> None:
        """Take down that a batch begins."""
        with self._lock:
            if not self._running:
                self._count(Phase.IDLE)
            self._running += 1

    def end(self) -> float:
        """Take down that a batch has ended, and return the seconds since it began, or the last one ended."""
        with self._lock:
            self._running -= 1
            return self._count(Phase.NETWORK)

    def _count(self, name: Phase) -> float:
        now_s = time.perf_counter()
        passed_s, self._counted_until_s = now_s - self._counted_until_s, now_s
        take_down(name, passed_s)
        return passed_s


def _run(embedder: Embedder, batches: Iterator[_Batch[Key]], stop: Event) -> Iterator[list[Piece[Key]]]:
    """Send batches through the network, and give each source its own."""
    clock = _Clock()
    empty = np.empty((0, embedder.embedding_size), np.float32)

    def compute(batch: _Batch[Key]) -> list[Piece[Key]]:
        clock.start()
        try:
            embeddings = embedder.embed(batch.items[: batch.count], stop) if batch.count else empty
        finally:
            seconds = clock.end()
        return list(_pieces(batch, embeddings, seconds))

    for pieces in _in_order(compute, batches, embedder.batches_at_once):
        if stop.is_set():  # the batch need not be whole
            return
        yield pieces


def _in_order(compute: Callable[[Item], Result], items: Iterator[Item], at_once: int) -> Iterator[Result]:
    if at_once == 1:  # in this thread, always the same, as some frameworks want it
        yield from map(compute, items)
        return
    with ThreadPoolExecutor(at_once, "l3embed-batch") as pool:
        yield from map_ahead(pool, compute, items, at_once - 1)


def _pieces(batch: _Batch[Key], embeddings: npt.NDArray[np.float32], seconds: float) -> Iterator[Piece[Key]]:
    item_s = seconds / max(1, batch.count)
    start = 0
    for span in batch.spans:
        rows = embeddings[start : start + span.count]
        yield Piece(span.key, rows, span.is_last, span.error, item_s * span.count)
        start += span.count

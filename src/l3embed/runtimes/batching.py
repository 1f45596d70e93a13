"""The one batch loop: items of many sources in full batches through a network, and back to their sources."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error
from l3embed.runtimes.base import Embedder

Key = TypeVar("Key")
Item = TypeVar("Item")
Blocks = Iterable[npt.NDArray[np.floating]]


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
    embedder: Embedder, sources: Iterable[tuple[Key, Blocks]], batch_size: int
) -> Iterator[Piece[Key]]:
    """Embed the items of all sources, batches running across sources so that short ones fill them too.

    While the network computes, another thread prepares the next batch. At most two batches and one
    block are held. A source that raises `OpenL3Error` ends with it, and the others go on.

    Parameters
    ----------
    embedder : Embedder
        The network.
    sources : iterable of (key, blocks)
        Blocks have the shape ``(n, *embedder.input_shape)``.
    batch_size : int
        Items that go through the network at once.

    Yields
    ------
    Piece
        In the order of the sources and their items; the last piece of each source says so.
    """
    empty = np.empty((0, embedder.embedding_size), np.float32)
    for batch in _prepare_ahead(_pack(sources, embedder.input_shape, batch_size)):
        started_s = time.perf_counter()
        embeddings = embedder.embed(batch.items[: batch.count]) if batch.count else empty
        item_s = (time.perf_counter() - started_s) / max(1, batch.count)
        start = 0
        for span in batch.spans:
            rows = embeddings[start : start + span.count]
            yield Piece(span.key, rows, span.is_last, span.error, item_s * span.count)
            start += span.count


def _pack(
    sources: Iterable[tuple[Key, Blocks]], input_shape: tuple[int, ...], batch_size: int
) -> Iterator[_Batch[Key]]:
    """Copy the sources' items into batches, all full but the last."""

    def new_batch() -> _Batch[Key]:
        return _Batch(np.empty((batch_size, *input_shape), np.float32))

    batch = new_batch()
    for key, blocks in sources:
        error = None
        try:
            for block in blocks:
                start = 0
                while start < len(block):
                    part = block[start : start + batch_size - batch.count]
                    batch.items[batch.count : batch.count + len(part)] = part
                    batch.count += len(part)
                    batch.spans.append(_Span(key, len(part)))
                    start += len(part)
                    if batch.count == batch_size:
                        yield batch
                        batch = new_batch()
        except OpenL3Error as fault:
            error = fault
        batch.spans.append(_Span(key, 0, is_last=True, error=error))
    yield batch


def _prepare_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield the items of an iterator, the next one being made in another thread meanwhile."""
    end = object()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="l3embed-input") as executor:
        ahead = executor.submit(next, items, end)
        while (item := ahead.result()) is not end:
            ahead = executor.submit(next, items, end)
            yield item  # type: ignore[misc]

"""Embeddings as they come, source by source, into files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

from l3embed.disk.rows import RowSpool
from l3embed.errors import OpenL3Error, source_faults
from l3embed.runtimes.batching import Piece

Key = TypeVar("Key")


def save_each(
    pieces: Iterable[Piece[Key]],
    folder_of: Callable[[Key], Path],
    save: Callable[[Key, RowSpool], None],
    on_rows: Callable[[Key, int], object],
) -> Iterator[tuple[Key, int, OpenL3Error | OSError | None]]:
    """Save each source's embeddings when all of them have come.

    Parameters
    ----------
    pieces : iterable of Piece
        Source by source, as `embed_sources` yields them.
    folder_of : callable
        Folder of a source's output; it is made.
    save : callable
        Writes a source's output.
    on_rows : callable
        Is told of which source embeddings have come, and how many.

    Yields
    ------
    tuple
        The source, how many embeddings were saved, and what went wrong if none were: `OSError` if
        writing them did, which is likely to concern the other sources too.
    """
    for key, own_pieces in groupby(pieces, attrgetter("key")):
        rows = 0
        fault: OpenL3Error | OSError | None = None
        try:
            with _faults_of_saving(), RowSpool(_made(folder_of(key))) as spool:
                for piece in own_pieces:
                    if piece.error:
                        raise piece.error
                    spool.append(piece.embeddings)
                    on_rows(key, len(piece.embeddings))
                save(key, spool)
                rows = spool.rows
        except (OpenL3Error, OSError) as error:
            fault = error
        yield key, rows, fault


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _faults_of_saving() -> Iterator[None]:
    """Make an `OpenL3Error` of whatever is raised, but for the disk's own errors."""
    disk_error: OSError | None = None
    with source_faults("It could not be saved"):
        try:
            yield
        except OSError as error:
            disk_error = error
    if disk_error:
        raise disk_error

"""All moments of a folder, ready to be searched: an index on disk that is brought up to date.

It lies beside the folder, or in the cache where that cannot be written to. What has not changed is not read
again: adding files costs these files.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l3embed.disk.folders import cache_folder
from l3embed.errors import OpenL3Error
from l3embed.progress import progress_bar
from l3embed.search.embedded_inputs import Frames, SearchedFolder
from l3embed.search.moments_files import (
    Mapped,
    RowWriter,
    Segment,
    Table,
    map_rows,
    read_table,
    remove_other_generations,
)
from l3embed.store.claims import only_writer
from l3embed.variants import Modality

MOST_DEAD = 0.25
"""Share of rows that count no more from which on the files are written anew without them."""

COMMIT_ROWS = 1 << 17
"""New rows after which what is done counts, so that a killed run goes on from there."""


@dataclass(frozen=True)
class Moments:
    """The moments of a folder.

    Parameters
    ----------
    table : Table
        With the base that all directions start from.
    mapped : Mapped
        Their rows, some of which may count no more.
    starts, counts : np.ndarray
        Of each of the folder's inputs: its first row and how many it has, ``(inputs,)``; none of one that
        could not be read.
    failures : dict of str to str
        Why inputs could not be read.
    """

    table: Table
    mapped: Mapped
    starts: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    failures: dict[str, str]


def index_folder(folder: Path, modality: Modality) -> Path:
    """Return where the index of a folder lies: beside it, or in the cache."""
    whole = folder.resolve()
    beside = whole.with_name(f"{whole.name}.search")
    is_writable = os.access(beside if beside.is_dir() else whole.parent, os.W_OK)
    if whole.name and is_writable:
        return beside / modality.value
    digest = hashlib.sha256(os.fsencode(whole)).hexdigest()[:16]
    return cache_folder() / "search" / f"{whole.name}-{digest}" / modality.value


def current_moments(source: SearchedFolder, *, verbose: bool = False) -> Moments:
    """Bring the index of a folder up to date, and return it.

    Raises
    ------
    OpenL3Error
        If the folder's embeddings were computed in several ways, or there are none.
    """
    folder = index_folder(source.folder, source.modality)
    folder.mkdir(parents=True, exist_ok=True)
    with only_writer(folder):
        table, failures = _refreshed(folder, source, verbose=verbose)
        remove_other_generations(folder, table)
        segments = [table.segments.get(each.path) for each in source.inputs]
        counts = np.array([segment.count if segment else 0 for segment in segments], np.int64)
        if not counts.sum():
            raise _nothing(source, failures)
        starts = np.array([segment.start if segment else 0 for segment in segments], np.int64)
        return Moments(table, map_rows(folder, table), starts, counts, failures)


def _refreshed(folder: Path, source: SearchedFolder, *, verbose: bool) -> tuple[Table, dict[str, str]]:
    """Read what has changed; return the table of all of it, and why inputs could not be read."""
    old = read_table(folder)
    prints = dict(zip((each.path for each in source.inputs), source.fingerprints(), strict=True))
    made_with = source.made_with()
    is_same = made_with is None or made_with == old.made_with
    kept = {
        path: segment
        for path, segment in old.segments.items()
        if is_same and prints.get(path) == segment.fingerprint
    }
    todo = [place for place, each in enumerate(source.inputs) if each.path not in kept]
    if not todo and len(kept) == len(old.segments):
        return old, {}
    failures: dict[str, str] = {}
    with _writer(folder, old, kept) as writer:
        fingerprints = [prints[each.path] for each in source.inputs]
        for place, fault in _read(source, todo, writer, fingerprints, verbose=verbose):
            failures[source.inputs[place].path] = str(fault)
        writer.commit()
        return writer.table, failures


def _writer(folder: Path, old: Table, kept: dict[str, Segment]) -> RowWriter:
    """Return what appends to the rows that are kept: behind them, or in new files where many are dead."""
    alive = sum(segment.count for segment in kept.values())
    if alive and old.rows - alive <= MOST_DEAD * old.rows:
        table = replace(old, segments=dict(kept))
        return RowWriter(folder, table)
    fresh = Table(generation=old.generation + 1)
    if not alive:
        return RowWriter(folder, fresh)
    writer = RowWriter(folder, replace(fresh, made_with=old.made_with, base=old.base))
    mapped = map_rows(folder, old)
    for path, segment in sorted(kept.items(), key=lambda item: item[1].start):
        if segment.count:
            writer.copy(path, segment, mapped)
        else:
            writer.end(path, segment.fingerprint)
    return writer


def _read(
    source: SearchedFolder, todo: list[int], writer: RowWriter, prints: list[str], *, verbose: bool
) -> Iterator[tuple[int, OpenL3Error]]:
    """Append the frames of inputs, and yield those that cannot be read with the reason."""
    done = writer.table.rows
    left = set(todo)
    with progress_bar("Indexing", total=len(todo), unit="file", enabled=verbose and bool(todo)) as bar:
        for place, fault in _inputs(source, todo, writer):
            bar.update(1)
            left.discard(place)
            if fault:
                writer.forget()
                yield place, fault
                continue
            writer.end(source.inputs[place].path, prints[place])
            if writer.table.rows - done >= COMMIT_ROWS:
                writer.commit()
                done = writer.table.rows
    for place in sorted(left):
        yield place, OpenL3Error("None of its embeddings are there. Compute them anew.")


def _inputs(
    source: SearchedFolder, todo: list[int], writer: RowWriter
) -> Iterator[tuple[int, OpenL3Error | None]]:
    """Append the frames of one input after the other; yield each when it is at its end."""
    current: int | None = None
    fault: OpenL3Error | None = None
    for frames in source.frames(todo) if todo else ():
        if current is not None and frames.place != current:
            yield current, fault
            fault = None
        current = frames.place
        fault = fault or frames.fault or _append(source, frames, writer)
    if current is not None:
        yield current, fault


def _append(source: SearchedFolder, frames: Frames, writer: RowWriter) -> OpenL3Error | None:
    """Append frames; return what is wrong with them.

    Raises
    ------
    OpenL3Error
        If they were computed otherwise than those before them: then nothing can be compared.
    """
    if not len(frames.embeddings):
        return None
    if not np.isfinite(frames.embeddings).all():
        row = int(np.flatnonzero(~np.isfinite(frames.embeddings).all(axis=1))[0]) + writer.pending
        return OpenL3Error(f"Its embedding {row} (from 0) holds numbers that are not finite.")
    if not len(writer.table.base):
        writer.begin(frames.made_with, frames.embeddings.mean(axis=0, dtype=np.float64).astype(np.float32))
    _check_alike(source, frames, writer.table)
    writer.append(frames.embeddings, frames.times_s)
    return None


def _check_alike(source: SearchedFolder, frames: Frames, table: Table) -> None:
    dimension = frames.embeddings.shape[1]
    if (frames.made_with, dimension) == (table.made_with, len(table.base)):
        return
    known = {each.path for each in source.inputs}
    others = (path for path, each in table.segments.items() if each.count and path in known)
    other = next(others, "what came before it")
    raise OpenL3Error(
        f"{source.inputs[frames.place].path} was embedded by {frames.made_with} (dimension {dimension}), "
        f"{other} by {table.made_with} (dimension {len(table.base)}): they can't be compared. Search a "
        f"folder of files that were embedded alike: {source.folder} has others."
    )


def _nothing(source: SearchedFolder, failures: dict[str, str]) -> OpenL3Error:
    if not source.inputs:
        return OpenL3Error(
            f"{source.folder} is neither an export of the pipeline nor has it any .npz file. Name "
            "data/export, or a folder that 'l3embed audio' or 'l3embed image' has written to."
        )
    if failures:
        path, reason = next(iter(failures.items()))
        return OpenL3Error(
            f"None of the {len(source.inputs)} files in {source.folder} can be searched. {path}: {reason}"
        )
    return OpenL3Error(f"{source.folder} has no {source.modality.value} embeddings.")

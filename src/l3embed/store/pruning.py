"""What the store holds, and making room in it."""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from l3embed.disk.atomic import ABANDONED_AFTER_S
from l3embed.store.claims import Claims
from l3embed.store.digests import forget_digests
from l3embed.store.entries import CLAIMS_FILE, DIGESTS_FILE, NOTE_SUFFIX, ROWS_FILE
from l3embed.store.recipe import Step
from l3embed.store.row_index import RowIndex

DAY_S = 86_400.0

IN_USE_S = 3600.0
"""How long a run may take from finding a result to having a further name for it."""


@dataclass(frozen=True)
class Stored:
    """One result as it lies in the store: its files, what they take, and when it was last used."""

    step: Step
    paths: tuple[Path, ...]
    bytes: int
    used_s: float


@dataclass(frozen=True)
class Pruned:
    """What was removed, and how many results were spared because a run may be using them."""

    results: int
    bytes: int
    spared: int = 0


def stored_results(folder: Path) -> Iterator[Stored]:
    """Go through all results of a store."""
    for step in Step:
        for note, others in _by_key(folder / step.value):
            if note is not None:
                paths = (note, *others)
                statuses = [status for status in map(_status, paths) if status]
                if statuses:
                    used_s = statuses[0].st_mtime
                    yield Stored(step, paths, sum(status.st_size for status in statuses), used_s)


def prune(folder: Path, *, older_than_days: float | None, max_bytes: int | None) -> Pruned:
    """Remove results that were not used for some days, then the least recently used ones above a size.

    What no result needs any more goes too: files that killed runs have left, and checksums of files that
    have not been computed for as long. While other runs use the store, what was used within the last hour
    is spared.

    Parameters
    ----------
    folder : Path
        The store.
    older_than_days : float, optional
        Days without use.
    max_bytes : int, optional
        What the store may hold.
    """
    if not folder.is_dir():
        return Pruned(0, 0)
    now_s = time.time()
    before_s = -math.inf if older_than_days is None else now_s - older_than_days * DAY_S
    with Claims(folder / CLAIMS_FILE).alone() as is_alone:
        spared_s = math.inf if is_alone else now_s - IN_USE_S
        pruned = _remove_results(folder, before_s, math.inf if max_bytes is None else max_bytes, spared_s)
        _remove_left_over(folder, now_s if is_alone else now_s - ABANDONED_AFTER_S)
    forget_digests(folder / DIGESTS_FILE, before_s)
    RowIndex(folder / ROWS_FILE).forget(before_s)
    return pruned


def _remove_results(folder: Path, before_s: float, max_bytes: float, spared_s: float) -> Pruned:
    """Remove results last used before a time or above a size, but for those used from a time on."""
    results = sorted(stored_results(folder), key=lambda stored: stored.used_s)
    total = sum(stored.bytes for stored in results)
    removed = removed_bytes = spared = 0
    for stored in results:
        if stored.used_s >= before_s and total - removed_bytes <= max_bytes:
            continue
        status = _status(stored.paths[0])  # a run may have used it since
        if status and status.st_mtime >= spared_s:
            spared += 1
            continue
        for path in stored.paths:  # the note first: without it the rest is no result
            _remove(path)
        removed, removed_bytes = removed + 1, removed_bytes + stored.bytes
    return Pruned(removed, removed_bytes, spared)


def _by_key(folder: Path) -> Iterator[tuple[Path | None, list[Path]]]:
    """Yield the note, if there is one, and the other files of each key."""
    for shelf in sorted(path for path in folder.glob("??") if path.is_dir()):
        keys: dict[str, list[Path]] = {}
        for path in sorted(shelf.iterdir()):
            if not path.name.startswith("."):
                keys.setdefault(path.name.split(".")[0], []).append(path)
        for paths in keys.values():
            notes = [path for path in paths if path.name.count(".") == 1 and path.suffix == NOTE_SUFFIX]
            yield notes[0] if notes else None, [path for path in paths if path not in notes]


def _remove_left_over(folder: Path, before_s: float) -> None:
    for step in Step:
        for note, others in _by_key(folder / step.value):
            if note is None:
                _remove_if_older(others, before_s)
        _remove_if_older(list((folder / step.value).glob("??/.*.tmp")), before_s)


def _remove_if_older(paths: list[Path], before_s: float) -> None:
    for path in paths:
        status = _status(path)
        if status and status.st_mtime < before_s:
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():  # which has no place in a store
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:  # another run has removed it
        return None

"""The best of all rows: which of them may be hits, and one for each file, if so wished."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from l3embed.export.cosine import Vectors, largest
from l3embed.search.compared_rows import ComparedRows, Mask, Places


def best_rows(
    rows: ComparedRows, cosines: npt.NDArray[np.float32], allowed: Mask, top: int, *, one_per_file: bool
) -> list[tuple[int, float]]:
    """Return the rows that are most alike, with their cosines, the best first.

    Parameters
    ----------
    rows : ComparedRows
        What was searched.
    cosines : np.ndarray
        Shape ``(N,)``.
    allowed : np.ndarray
        Which of them may be hits, ``(N,)``.
    top : int
        How many at most.
    one_per_file : bool
        Whether only the best of each file counts.
    """
    found = np.where(allowed & ~np.isnan(cosines), cosines, np.float32(-np.inf))
    if one_per_file:
        return _best_of_files(rows, found, top)
    return _top(found, top)


def _top(values: Vectors, top: int) -> list[tuple[int, float]]:
    count = min(top, int(np.isfinite(values).sum()))
    if not count:
        return []
    places, best = largest(values[np.newaxis], count)
    return [(int(place), float(value)) for place, value in zip(places[0], best[0], strict=True)]


def _best_of_files(rows: ComparedRows, values: Vectors, top: int) -> list[tuple[int, float]]:
    inputs: Places = np.flatnonzero(rows.counts)
    bounds = np.stack([rows.starts[inputs], rows.starts[inputs] + rows.counts[inputs]], axis=1)
    # One more value, since the last bound may lie behind all of them.
    best = np.maximum.reduceat(np.append(values, np.float32(-np.inf)), bounds.ravel())[::2]
    hits = []
    for file, value in _top(best, top):
        start, stop = bounds[file]
        hits.append((int(start + np.argmax(values[start:stop])), value))
    return hits

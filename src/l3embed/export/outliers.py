"""Which files are far from all others: by the distance to their nearest neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from l3embed.disk.npy_rows import NpyRows
from l3embed.export.doubts import Doubt
from l3embed.export.manifest import ManifestRow
from l3embed.variants import DoubtKind, Modality

NEIGHBOURS = 5
"""A file's distance is the mean over so many: of two that are far from all others, each has one near."""

FENCE = 3.0
"""Interquartile ranges above the upper quartile from which on a distance is far out (Tukey, 1977)."""

FEWEST_FILES = 20
"""Of fewer, quartiles say nothing."""

MOST_COMPARED = 5_000
"""Of more files, each is compared with so many that are drawn at random: all pairs would take hours."""

CHUNK_ROWS = 512
SEED = 0

Vectors = npt.NDArray[np.float32]


def doubts_about_outliers(rows: Sequence[ManifestRow], means: Vectors | NpyRows) -> Iterator[Doubt]:
    """Yield the files that lie far from all others, the farthest first.

    Parameters
    ----------
    rows : sequence of ManifestRow
        Inputs with embeddings in one modality.
    means : np.ndarray
        Their mean embeddings, ``(inputs, D)``; they may be mapped from a file, or be read as they are needed.
    """
    if len(rows) < FEWEST_FILES:
        return
    distances = neighbour_distances(means)
    lower, middle, upper = np.percentile(distances, (25, 50, 75))
    for place in np.argsort(-distances, kind="stable"):
        if not distances[place] > upper + FENCE * (upper - lower):
            return
        row = rows[place]
        words = (
            f"is far from all others: {distances[place]:.3g} is the mean cosine distance to its {NEIGHBOURS} "
            f"nearest, and half of all files have at most {middle:.3g}."
        )
        yield Doubt(row.path, Modality(row.modality), row.label, DoubtKind.OUTLIER, words)


def neighbour_distances(vectors: Vectors | NpyRows) -> Vectors:
    """Return the mean cosine distance of each vector, ``(N, D)``, to its nearest neighbours, ``(N,)``.

    Of more than `MOST_COMPARED` vectors, to the nearest of so many drawn at random.
    """
    count = len(vectors)
    compared = np.random.default_rng(SEED).permutation(count)[:MOST_COMPARED]
    others = _units(vectors[compared])
    column_of = np.full(count, -1)
    column_of[compared] = np.arange(len(compared))
    distances = np.empty(count, np.float32)
    for start in range(0, count, CHUNK_ROWS):
        rows = slice(start, min(start + CHUNK_ROWS, count))
        cosines = _units(vectors[rows]) @ others.T
        own = np.flatnonzero(column_of[rows] >= 0)
        cosines[own, column_of[rows][own]] = -np.inf
        nearest = np.partition(cosines, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:]
        distances[rows] = 1 - nearest.mean(axis=1)
    return distances


def _units(vectors: Vectors) -> Vectors:
    """Return vectors of length 1; of zeros, which have no direction, zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: Vectors = np.divide(vectors, lengths, out=np.zeros(vectors.shape, np.float32), where=lengths > 0)
    return units

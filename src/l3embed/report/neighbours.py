"""Which files sound or look most alike: the centred cosine between mean embeddings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from l3embed.export.cosine import CentredCosine, largest

CHUNK_ROWS = 512
"""Files that are compared with all others at a time: 20 MB of similarities for 10,000 files."""

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Neighbours:
    """The nearest neighbours of every file, the nearest first.

    Parameters
    ----------
    index : np.ndarray
        Which files they are, shape ``(files, neighbours)``.
    similarity : np.ndarray
        Their centred cosines, shape ``(files, neighbours)``.
    """

    index: npt.NDArray[np.int32]
    similarity: Vectors

    def first(self, count: int) -> Neighbours:
        """Return at most so many neighbours of every file."""
        return Neighbours(self.index[:, :count], self.similarity[:, :count])


def nearest(vectors: Vectors, count: int) -> Neighbours:
    """Return the nearest neighbours of each vector among the others, by the centred cosine (`CentredCosine`).

    A vector that is the mean of all is as far from all others as an orthogonal one.

    Parameters
    ----------
    vectors : np.ndarray
        Shape ``(files, D)``; it may be mapped from a file.
    count : int
        How many neighbours; there are never more than other files.
    """
    files = len(vectors)
    count = min(count, max(0, files - 1))
    index = np.empty((files, count), np.int32)
    similarity = np.empty((files, count), np.float32)
    if not count:
        return Neighbours(index, similarity)
    measure = CentredCosine.of(vectors)
    for start in range(0, files, CHUNK_ROWS):
        rows = slice(start, min(start + CHUNK_ROWS, files))
        units, offsets = measure.directions(vectors[rows])
        cosines = measure.cosines(np.matmul(units, vectors.T), offsets)
        own = np.arange(rows.start, rows.stop)
        cosines[own - start, own] = -np.inf
        index[rows], similarity[rows] = largest(cosines, count)
    return Neighbours(index, np.clip(similarity, -1, 1))


def vector_lengths(vectors: Vectors) -> Vectors:
    """Return the Euclidean lengths, 1 for a vector of zeros, which no length makes any longer."""
    lengths = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        lengths[rows] = np.linalg.norm(vectors[rows], axis=1)
    lengths[lengths == 0] = 1
    return lengths

"""Which files sound or look most alike: cosine similarity between mean embeddings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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
        Their cosine similarities, shape ``(files, neighbours)``.
    """

    index: npt.NDArray[np.int32]
    similarity: Vectors

    def first(self, count: int) -> Neighbours:
        """Return at most so many neighbours of every file."""
        return Neighbours(self.index[:, :count], self.similarity[:, :count])


def nearest(vectors: Vectors, count: int) -> Neighbours:
    """Return the nearest neighbours of each vector among the others, by cosine similarity.

    A vector of zeros is as far from all others as an orthogonal one.

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
    lengths = vector_lengths(vectors)
    for start in range(0, files if count else 0, CHUNK_ROWS):
        rows = slice(start, min(start + CHUNK_ROWS, files))
        cosines: Vectors = np.matmul(vectors[rows] / lengths[rows, np.newaxis], vectors.T)
        cosines /= lengths
        own = np.arange(rows.start, rows.stop)
        cosines[own - start, own] = -np.inf
        index[rows], similarity[rows] = _largest(cosines, count)
    return Neighbours(index, np.clip(similarity, -1, 1))


def vector_lengths(vectors: Vectors) -> Vectors:
    """Return the Euclidean lengths, 1 for a vector of zeros, which no length makes any longer."""
    lengths = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        lengths[rows] = np.linalg.norm(vectors[rows], axis=1)
    lengths[lengths == 0] = 1
    return lengths


def _largest(cosines: Vectors, count: int) -> tuple[npt.NDArray[np.intp], Vectors]:
    """Return where the largest values of each row stand, and these, in falling order."""
    kept = np.argpartition(cosines, -count, axis=1)[:, -count:]
    values = np.take_along_axis(cosines, kept, axis=1)
    # Equal values go by their place, so that the order does not depend on how they were found.
    order = np.lexsort((kept, -values), axis=1)
    return np.take_along_axis(kept, order, axis=1), np.take_along_axis(values, order, axis=1)

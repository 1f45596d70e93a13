"""How alike two embeddings are, to the report and to `l3embed.search` alike: the centred cosine.

It is the cosine of the angle between two embeddings after the mean of all that are compared has been taken
off both. All embeddings of one network share a large part, which says nothing about any of them: with it,
every cosine is near 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MEASURE = "the cosine between embeddings, from which the mean of all that are compared is taken off first"
"""The same in words, for whoever reads the figures."""

CHUNK_ROWS = 512
"""Rows that are looked at at a time: 12 MB of the largest embeddings."""

SHORTEST = 1e-6
"""Parts of the mean's length: what is left of an embedding that is no longer than that is rounding."""

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class CentredCosine:
    """What is known of all embeddings that are compared.

    Parameters
    ----------
    centre : np.ndarray
        Their mean, shape ``(D,)``. One that holds numbers that are not finite has no part in it.
    lengths : np.ndarray
        The length of each without it, shape ``(N,)``; infinite where nothing is left: all cosines are 0 then.
    """

    centre: Vectors
    lengths: Vectors

    @classmethod
    def of(cls, vectors: Vectors) -> CentredCosine:
        """Return it for embeddings, ``(N, D)``, which may be mapped from a file."""
        centre = centre_of(vectors)
        lengths = np.empty(len(vectors), np.float32)
        for rows in _chunks(len(vectors)):
            lengths[rows] = np.linalg.norm(vectors[rows] - centre, axis=1)
        return cls(centre, without_rounding(lengths, centre))

    def directions(self, vectors: Vectors) -> tuple[Vectors, Vectors]:
        """Return what to compare embeddings by.

        Parameters
        ----------
        vectors : np.ndarray
            Shape ``(k, D)``: some of those that are compared, or others.

        Returns
        -------
        units : np.ndarray
            Their directions from the centre, of length 1, or 0 where they have none, ``(k, D)``.
        offsets : np.ndarray
            The products of these with the centre, ``(k,)``, for `cosines`.
        """
        centred = vectors - self.centre
        lengths = without_rounding(np.linalg.norm(centred, axis=1), self.centre)
        units: Vectors = (centred / lengths[:, np.newaxis]).astype(np.float32, copy=False)
        return units, units @ self.centre

    def cosines(self, products: Vectors, offsets: Vectors) -> Vectors:
        """Turn products of directions with all embeddings, ``(k, N)``, into cosines, in place."""
        products -= offsets[:, np.newaxis]
        products /= self.lengths
        return products


def centre_of(vectors: Vectors) -> Vectors:
    """Return the mean of those vectors, of shape ``(N, D)``, that hold finite numbers alone, ``(D,)``."""
    total, count = np.zeros(vectors.shape[1:], np.float64), 0
    for rows in _chunks(len(vectors)):
        chunk = vectors[rows]
        finite = chunk[np.isfinite(chunk).all(axis=1)]
        total += finite.sum(axis=0, dtype=np.float64)
        count += len(finite)
    return (total / max(1, count)).astype(np.float32)


def without_rounding(lengths: npt.NDArray[np.floating], centre: Vectors) -> Vectors:
    """Return lengths of centred vectors, infinite where they are but the rounding of nothing."""
    shortest = SHORTEST * float(np.linalg.norm(centre))
    return np.where(lengths <= shortest, np.inf, lengths).astype(np.float32)


def largest(cosines: Vectors, count: int) -> tuple[npt.NDArray[np.intp], Vectors]:
    """Return where the largest values of each row, ``(k, N)``, stand, and these, in falling order.

    Equal values go by their place, so that the order does not depend on how they were found.
    """
    kept = np.argpartition(cosines, -count, axis=1)[:, -count:]
    values = np.take_along_axis(cosines, kept, axis=1)
    order = np.lexsort((kept, -values), axis=1)
    return np.take_along_axis(kept, order, axis=1), np.take_along_axis(values, order, axis=1)


def _chunks(count: int) -> list[slice]:
    return [slice(start, start + CHUNK_ROWS) for start in range(0, count, CHUNK_ROWS)]

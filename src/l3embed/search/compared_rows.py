"""What queries are compared with: the means of whole files, or all moments of them."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from l3embed.export.cosine import CHUNK_ROWS, CentredCosine, without_rounding
from l3embed.search.embedded_inputs import Times, Vectors
from l3embed.search.half_floats import products
from l3embed.search.moments_index import Moments

Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class ComparedRows(Protocol):
    """Rows that can be hits.

    Attributes
    ----------
    owners : np.ndarray
        The place of each row's input, ``(N,)``; -1 of rows that do not count.
    starts, counts : np.ndarray
        Of each input: its first row, and how many it has, ``(inputs,)``.
    times_s : np.ndarray or None
        The timestamp of each row, NaN of pictures; None of whole files.
    """

    owners: Places
    starts: Places
    counts: Places
    times_s: Times | None

    def cosines(self, vectors: Vectors) -> Vectors:
        """Return the centred cosines of embeddings, ``(k, D)``, with all rows, ``(k, N)``."""


class FileRows:
    """The mean of each file, in float32: the very numbers that the report compares.

    Parameters
    ----------
    means : np.ndarray
        Shape ``(inputs, D)``; it may be mapped from a file.
    is_there : np.ndarray
        Whether each counts, ``(inputs,)``.
    """

    times_s: Times | None = None

    def __init__(self, means: Vectors, is_there: Mask, threads: int = 0) -> None:
        self._means = means
        self._measure = CentredCosine.of(means)
        self.starts: Places = np.arange(len(means))
        self.counts: Places = is_there.astype(np.int64)
        self.owners: Places = np.where(is_there, self.starts, -1)

    def cosines(self, vectors: Vectors) -> Vectors:
        """Return the centred cosines of embeddings, ``(k, D)``, with all files, ``(k, inputs)``."""
        units, offsets = self._measure.directions(vectors)
        return self._measure.cosines(units @ self._means.T, offsets)


class MomentRows:
    """All moments, in half floats.

    Parameters
    ----------
    moments : Moments
        The index.
    means : np.ndarray
        The mean of each input's moments, ``(inputs, D)``: together they tell the mean of all.
    threads : int
        How many to use; 0: as many as this process may.
    """

    def __init__(self, moments: Moments, means: Vectors, threads: int = 0) -> None:
        self._moments, self._threads = moments, threads
        self.starts, self.counts = moments.starts, moments.counts
        self.times_s: Times | None = moments.mapped.times
        self.owners: Places = np.full(moments.table.rows, -1, np.int64)
        before = np.cumsum(self.counts) - self.counts
        rows = np.repeat(self.starts - before, self.counts) + np.arange(self.counts.sum())
        self.owners[rows] = np.repeat(np.arange(len(self.counts)), self.counts)
        self._measure = self._measured(means)

    def _measured(self, means: Vectors) -> CentredCosine:
        """Return the measure of the rows as they are kept: without the base, which no angle depends on."""
        weights = self.counts / self.counts.sum()
        centre = np.zeros(means.shape[1], np.float64)
        there = np.flatnonzero(self.counts)
        for start in range(0, len(there), CHUNK_ROWS):
            places = there[start : start + CHUNK_ROWS]
            centre += weights[places] @ means[places].astype(np.float64)
        drift = (centre - self._moments.table.base).astype(np.float32)
        lengths = self._moments.mapped.lengths
        along = products(self._moments.mapped.halves, drift[np.newaxis], self._threads)[0]
        squares = lengths**2 - 2 * lengths * along + np.float32(drift @ drift)
        return CentredCosine(drift, without_rounding(np.sqrt(np.maximum(squares, 0)), drift))

    def cosines(self, vectors: Vectors) -> Vectors:
        """Return the centred cosines of embeddings, ``(k, D)``, with all moments, ``(k, N)``."""
        units, offsets = self._measure.directions(vectors - self._moments.table.base)
        found = products(self._moments.mapped.halves, units, self._threads)
        found *= self._moments.mapped.lengths
        return self._measure.cosines(found, offsets)

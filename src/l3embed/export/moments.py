"""Mean and standard deviation over the frames of a file, of which only a block is held at a time."""

from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error

CHUNK_BYTES = 4 * 2**20
"""Rows that are held in float64 at a time, whatever the size of a block."""

Vector = npt.NDArray[np.float64]


class StreamingMoments:
    """Mean and standard deviation of rows that come in blocks, in float64.

    Each chunk's own mean and sum of squared deviations are merged into those of the rows before it: no
    digits are lost where the mean is large and the deviation small, as they are in a difference of squares.
    Source: Chan, Golub and LeVeque, Updating Formulae and a Pairwise Algorithm for Computing Sample
    Variances, 1979.
    """

    def __init__(self) -> None:
        self.count = 0
        self._mean: Vector = np.zeros(1)
        self._squares: Vector = np.zeros(1)

    def add(self, block: npt.NDArray[Any]) -> None:
        """Take a block of rows, shape ``(n, D)``; ``n`` may be 0."""
        rows = max(1, CHUNK_BYTES // (block.shape[1] * self._mean.itemsize))
        for start in range(0, len(block), rows):
            self._add_chunk(block[start : start + rows].astype(np.float64))

    def _add_chunk(self, chunk: Vector) -> None:
        mean = chunk.mean(axis=0)
        squares = np.square(chunk - mean).sum(axis=0)
        distance, total = mean - self._mean, self.count + len(chunk)
        self._mean = self._mean + distance * (len(chunk) / total)
        self._squares = self._squares + squares + distance**2 * (self.count * len(chunk) / total)
        self.count = total

    @property
    def mean(self) -> Vector:
        """The mean of the rows, shape ``(D,)``.

        Raises
        ------
        OpenL3Error
            If there are none.
        """
        self._check()
        return self._mean

    @property
    def std(self) -> Vector:
        """The standard deviation of the rows as a population (divided by their number), shape ``(D,)``.

        Raises
        ------
        OpenL3Error
            If there are none.
        """
        self._check()
        return np.asarray(np.sqrt(self._squares / self.count))

    def _check(self) -> None:
        if not self.count:
            raise OpenL3Error("There are no embeddings to take the mean of.")

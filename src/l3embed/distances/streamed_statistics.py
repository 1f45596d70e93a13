"""Mean and covariance of any number of embeddings, in float64, in memory that does not grow with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.distances.computed_with import UNKNOWN, ComputedWith
from l3embed.errors import OpenL3Error

BLOCK_ROWS = 2048
"""Embeddings that are taken in at once: an update costs a matrix of D x D, however few they are."""

FEWEST_FRAMES = 2
"""Of fewer there is no covariance."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Statistics:
    """What a Fréchet distance needs to know of a set of embeddings.

    Parameters
    ----------
    mean : np.ndarray [shape=(D,)]
        In float64.
    covariance : np.ndarray [shape=(D, D)]
        In float64, divided by the number of frames less one.
    frames : int
        Embeddings; 0 if that is not known.
    files : int
        Files that they are of; 0 if that is not known.
    made : ComputedWith
        What the embeddings were computed with.
    """

    mean: Floats
    covariance: Floats
    frames: int = 0
    files: int = 0
    made: ComputedWith = field(default=UNKNOWN)

    @property
    def dimension(self) -> int:
        """Numbers in each embedding."""
        return len(self.mean)


class RunningStatistics:
    """The mean and the covariance of embeddings that come block by block.

    Blocks are centred before they are multiplied, and merged by the formula of Chan, Golub and LeVeque
    ("Updating formulae and a pairwise algorithm for computing sample variances", 1979), so that a large mean
    costs no digits.

    Parameters
    ----------
    dimension : int
        Numbers in each embedding, D.

    Examples
    --------
    >>> import numpy as np
    >>> from l3embed.distances import RunningStatistics
    >>> embeddings = np.random.default_rng(0).normal(size=(1000, 8))
    >>> running = RunningStatistics(8)
    >>> for block in np.split(embeddings, 10):
    ...     running.add(block)
    >>> bool(np.allclose(running.statistics().covariance, np.cov(embeddings, rowvar=False)))
    True
    """

    def __init__(self, dimension: int) -> None:
        self.frames = 0
        self.mean: Floats = np.zeros(dimension)
        self.scatter: Floats = np.zeros((dimension, dimension))  # about the mean
        self._pending: list[npt.NDArray[Any]] = []
        self._pending_rows = 0

    def add(self, embeddings: npt.NDArray[Any]) -> None:
        """Take in embeddings, shape ``(n, D)``."""
        for start in range(0, len(embeddings), BLOCK_ROWS):
            block = embeddings[start : start + BLOCK_ROWS]
            self._pending.append(block)
            self._pending_rows += len(block)
            if self._pending_rows >= BLOCK_ROWS:
                self.finish()

    def finish(self) -> RunningStatistics:
        """Compute with what has come so far, and return this."""
        if self._pending:
            block = np.concatenate(self._pending).astype(np.float64)
            self._pending, self._pending_rows = [], 0
            mean = block.mean(axis=0)
            block -= mean
            self._merge(len(block), mean, block.T @ block)
        return self

    def merge(self, other: RunningStatistics) -> None:
        """Take in all that another has taken in."""
        self.finish()
        other.finish()
        self._merge(other.frames, other.mean, other.scatter)

    def _merge(self, frames: int, mean: Floats, scatter: Floats) -> None:
        if not frames:
            return
        total = self.frames + frames
        step = mean - self.mean
        self.scatter += scatter
        self.scatter += np.outer(step * (self.frames * frames / total), step)
        self.mean = self.mean + step * (frames / total)
        self.frames = total

    def statistics(self, files: int = 0, made: ComputedWith = UNKNOWN) -> Statistics:
        """Return the statistics of all that has come.

        Raises
        ------
        OpenL3Error
            If those are fewer than two embeddings.
        """
        self.finish()
        if self.frames < FEWEST_FRAMES:
            raise OpenL3Error(f"A covariance needs at least {FEWEST_FRAMES} embeddings; got {self.frames}.")
        covariance = self.scatter / (self.frames - 1)
        return Statistics(self.mean.copy(), covariance, self.frames, files, made)

"""How surely a distance is told by the files at hand: a candidate's are drawn anew, with replacement.

Frames of one file are alike, so whole files are drawn, and the reference stays as it is. A set drawn so has
fewer different files, which makes any distance larger: the middle 95 % of what comes is moved so that its
mean lies on the distance itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.distances.frechet import Gaussian
from l3embed.distances.kernel import KernelSums
from l3embed.distances.streamed_statistics import FEWEST_FRAMES, Floats, RunningStatistics

PERCENTS = (2.5, 97.5)
FEWEST_FILES = 5
"""Of fewer files, what is drawn again says too little."""

MOST_GROUPS = 128
"""Of more files, some are drawn together, as if they were one: which ones is left to chance."""

MOST_BYTES = 256 * 2**20
"""That the scatter of all groups may take."""

MOST_GRAM_FRAMES = 1024
"""Up to so many frames, if they are no more than dimensions, a matrix of frames takes the place of scatters:
whatever the dimension, and without a matrix of D x D."""

Interval = tuple[float, float]
Positions = npt.NDArray[np.int64]


def group_files(files: int, most: int, seed: int) -> Positions:
    """Return the group of each file, from 0: files apart, or as many at random as leave `most` groups."""
    if files <= most:
        return np.arange(files)
    return np.random.default_rng(seed).permutation(files) % most


def most_groups(dimension: int) -> int:
    """Return of how many groups the scatters, D x D each, fit into memory; fewer than two: none."""
    return min(MOST_GROUPS, MOST_BYTES // (8 * dimension**2))


def draws(groups: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield how many times each group is drawn, shape ``(groups,)``."""
    generator = np.random.default_rng(seed)
    for _ in range(resamples):
        yield np.bincount(generator.integers(groups, size=groups), minlength=groups).astype(np.float64)


def interval_about(value: float, drawn: Sequence[float]) -> Interval:
    """Return the middle 95 % of what was drawn, moved so that its mean lies on the value."""
    found = np.array(drawn)
    low, high = value + np.percentile(found, PERCENTS) - found.mean()
    return float(low), float(high)


def kernel_interval(sums: KernelSums, resamples: int, seed: int) -> Interval:
    """Return the interval of KAD."""
    drawn = [sums.distance(weights) for weights in draws(len(sums.sizes), resamples, seed)]
    return interval_about(sums.distance(), drawn)


def frechet_interval(
    value: float, distance_of: Callable[[Floats], float | None], draw: Iterator[Floats]
) -> Interval:
    """Return the interval of a Fréchet distance, from what returns it by how often each group is drawn.

    A distance cannot be negative, and so neither end is.
    """
    drawn = [distance for weights in draw if (distance := distance_of(weights)) is not None]
    low, high = interval_about(value, drawn)
    return max(0.0, low), max(0.0, high)


class GramDistances:
    """Fréchet distances of resampled files, of few frames of any dimension.

    With ``X`` the frames, ``m`` the mean of those drawn, and ``F F'`` the covariance of the reference, the
    eigenvalues wanted are those of ``W^(1/2) (X - m) F F' (X - m)' W^(1/2) / (n - 1)``, a matrix of frames.
    All of it follows from one such matrix, ``X F F' X'``, that is computed once.

    Parameters
    ----------
    reference : Gaussian
        The reference.
    frames : np.ndarray [shape=(n, D)]
        Of all files, one file after the other.
    groups : np.ndarray [shape=(n,)]
        The group of each frame.
    """

    def __init__(self, reference: Gaussian, frames: npt.NDArray[Any], groups: Positions) -> None:
        self._reference, self._groups = reference, groups
        self._frames = frames.astype(np.float64) - reference.mean
        projected = self._frames @ reference.factor
        self._gram = projected @ projected.T
        self._squares = np.square(self._frames).sum(axis=1)

    def __call__(self, weights: Floats) -> float | None:
        """Return the distance with each group drawn so many times; None if too few frames were drawn."""
        from scipy.linalg import eigvalsh

        weight = weights[self._groups]
        is_drawn = weight > 0
        weight, count = weight[is_drawn], float(weight.sum())
        if count < FEWEST_FRAMES:
            return None
        step = weight @ self._frames[is_drawn] / count
        variance = (weight @ self._squares[is_drawn] - count * (step @ step)) / (count - 1)
        gram = self._gram[np.ix_(is_drawn, is_drawn)]
        means = gram @ weight / count
        gram = gram - means - means[:, np.newaxis] + weight @ means / count
        root = np.sqrt(weight)
        gram *= root * root[:, np.newaxis] / (count - 1)
        values = eigvalsh(gram, overwrite_a=True, check_finite=False)
        common = np.sqrt(np.maximum(values, 0)).sum()
        return float(step @ step + self._reference.variance + variance - 2 * common)


class ScatterDistances:
    """Fréchet distances of resampled groups of files, of any number of frames.

    Parameters
    ----------
    reference : Gaussian
        The reference.
    groups : sequence of RunningStatistics
        Of each group; their scatters take ``8 G D^2`` bytes.
    """

    def __init__(self, reference: Gaussian, groups: Sequence[RunningStatistics]) -> None:
        self._reference = reference
        self._sizes = np.array([group.frames for group in groups], np.float64)
        self._means = np.array([group.mean for group in groups])
        self._scatters = [group.scatter for group in groups]

    def __call__(self, weights: Floats) -> float | None:
        """Return the distance with each group drawn so many times; None if too few frames were drawn."""
        from scipy.linalg import eigvalsh

        sizes = weights * self._sizes
        count = float(sizes.sum())
        if count < FEWEST_FRAMES:
            return None
        mean = sizes @ self._means / count
        apart = (self._means - mean) * np.sqrt(sizes)[:, np.newaxis]
        covariance = apart.T @ apart
        for times, scatter in zip(weights, self._scatters, strict=True):
            if times:
                covariance += times * scatter
        covariance /= count - 1
        factor, step = self._reference.factor, mean - self._reference.mean
        values = eigvalsh(factor.T @ covariance @ factor, overwrite_a=True, check_finite=False)
        common = np.sqrt(np.maximum(values, 0)).sum()
        return float(step @ step + self._reference.variance + np.trace(covariance) - 2 * common)

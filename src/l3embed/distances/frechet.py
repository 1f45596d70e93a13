"""The Fréchet distance between two Gaussians: FD, and FAD where the embeddings are of sounds.

``|m1 - m2|^2 + tr(C1) + tr(C2) - 2 tr((C1 C2)^(1/2))`` (Dowson and Landau, 1982; Heusel et al., 2017). With
``C1 = F1 F1'`` and ``C2 = F2 F2'`` the last trace is the sum of the roots of the eigenvalues of the symmetric
matrix ``F1' C2 F1``, which are the singular values of ``F1' F2``. So nothing is complex, and directions in
which a set does not vary add nothing but rounding, of the size of the rounding: roots of computed eigenvalues
would add its root.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.distances.streamed_statistics import FEWEST_FRAMES, Floats, Statistics
from l3embed.errors import OpenL3Error

SYMMETRY_TOLERANCE = 1e-5

ROUNDING = 1e-13
"""Distances below so much of the variances are what rounding leaves of zero, on either side of it."""


@dataclass(frozen=True)
class Gaussian:
    """A normal distribution, by its mean and a factor of its covariance.

    Parameters
    ----------
    mean : np.ndarray [shape=(D,)]
        Its mean.
    factor : np.ndarray [shape=(D, r)]
        A matrix F with F F' the covariance; r is its rank, or more.
    """

    mean: Floats
    factor: Floats

    @cached_property
    def variance(self) -> float:
        """The trace of the covariance."""
        return float(np.square(self.factor).sum())

    def distance_to(self, other: Gaussian) -> float:
        """Return the Fréchet distance to another."""
        from scipy.linalg import svdvals

        common = float(svdvals(self.factor.T @ other.factor, check_finite=False).sum())
        step = self.mean - other.mean
        variance = self.variance + other.variance
        distance = float(step @ step) + variance - 2 * common
        return distance if distance > ROUNDING * variance else 0.0


def gaussian_of(statistics: Statistics) -> Gaussian:
    """Return the distribution that statistics describe."""
    from scipy.linalg import eigh

    values, vectors = eigh(statistics.covariance, check_finite=False)
    # As for the rank of a matrix: smaller ones are rounding, some of it below zero.
    is_there = values > max(values[-1], 0.0) * len(values) * np.finfo(np.float64).eps
    factor = vectors[:, is_there] * np.sqrt(values[is_there])
    return Gaussian(statistics.mean, factor)


def gaussian_of_frames(frames: npt.NDArray[Any]) -> Gaussian:
    """Return the distribution of embeddings, ``(n, D)``: much quicker than `gaussian_of`, if n is below D.

    Raises
    ------
    OpenL3Error
        If they are fewer than two.
    """
    if len(frames) < FEWEST_FRAMES:
        raise OpenL3Error(f"A covariance needs at least {FEWEST_FRAMES} embeddings; got {len(frames)}.")
    centred = frames.astype(np.float64)
    mean = centred.mean(axis=0)
    centred -= mean
    centred /= np.sqrt(len(frames) - 1)
    return Gaussian(mean, centred.T)


def frechet_distance(
    mu1: npt.ArrayLike, cov1: npt.ArrayLike, mu2: npt.ArrayLike, cov2: npt.ArrayLike
) -> float:
    """Return the Fréchet distance between two Gaussians: FD, or FAD.

    Parameters
    ----------
    mu1, mu2 : np.ndarray [shape=(D,)]
        Means.
    cov1, cov2 : np.ndarray [shape=(D, D)]
        Covariances; they may be singular.

    Returns
    -------
    float
        From 0 on. As ``scipy.linalg.sqrtm`` in float64 gives it, where that can.

    Raises
    ------
    OpenL3Error
        If the shapes do not go together, or a number is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from l3embed.distances import frechet_distance
    >>> round(frechet_distance([0, 0], np.eye(2), [3, 4], 4 * np.eye(2)), 6)
    27.0
    """
    one = _parse("mu1", mu1, "cov1", cov1)
    other = _parse("mu2", mu2, "cov2", cov2)
    if one.dimension != other.dimension:
        raise OpenL3Error(
            f"Both sides must have one dimension; mu1 has {one.dimension} numbers, mu2 {other.dimension}."
        )
    return gaussian_of(one).distance_to(gaussian_of(other))


def _parse(mean_name: str, mean: npt.ArrayLike, name: str, covariance: npt.ArrayLike) -> Statistics:
    found = Statistics(np.asarray(mean, np.float64), np.asarray(covariance, np.float64))
    check_statistics(found, mean_name, name)
    return found


def check_statistics(statistics: Statistics, mean_name: str = "mu", name: str = "cov") -> None:
    """Check that a mean and a covariance are such.

    Raises
    ------
    OpenL3Error
        Naming the one that is not.
    """
    mean, covariance = statistics.mean, statistics.covariance
    if mean.ndim != 1 or not mean.size:
        raise OpenL3Error(f"{mean_name} must be a vector, (D,); got the shape {mean.shape}.")
    if covariance.shape != (mean.size, mean.size):
        raise OpenL3Error(
            f"{name} must be a matrix {(mean.size, mean.size)}, as {mean_name} has {mean.size} numbers; got "
            f"the shape {covariance.shape}."
        )
    for called, array in ((mean_name, mean), (name, covariance)):
        if not np.isfinite(array).all():
            raise OpenL3Error(f"{called} must hold finite numbers; got NaN or infinite ones.")
    largest = float(np.abs(covariance).max())
    if not np.allclose(covariance, covariance.T, rtol=0, atol=SYMMETRY_TOLERANCE * largest):
        raise OpenL3Error(f"{name} must be symmetric, as a covariance is.")

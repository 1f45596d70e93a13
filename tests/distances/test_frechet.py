"""The Fréchet distance, against SciPy's square root of a matrix and against closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.linalg import sqrtm

from distances.given import frames
from l3embed.distances import RunningStatistics, frechet_distance
from l3embed.distances.frechet import gaussian_of, gaussian_of_frames
from l3embed.errors import OpenL3Error

Matrix = npt.NDArray[np.float64]


def moments(embeddings: npt.NDArray[np.float32]) -> tuple[Any, Any]:
    exact = embeddings.astype(np.float64)
    return exact.mean(axis=0), np.cov(exact, rowvar=False)


def rotation(dimension: int) -> Matrix:
    return np.linalg.qr(np.random.default_rng(5).normal(size=(dimension, dimension)))[0]


def turned(variances: Matrix) -> Matrix:
    """A covariance with these variances in directions that are nobody's axes."""
    axes = rotation(len(variances))
    return np.asarray((axes * variances) @ axes.T)


def test_it_is_what_the_root_of_the_product_gives() -> None:
    (m1, c1), (m2, c2) = moments(frames(900, 64)), moments(frames(700, 64, seed=1, shift=0.2))
    root = sqrtm(c1 @ c2).real
    expected = (m1 - m2) @ (m1 - m2) + np.trace(c1 + c2 - 2 * root)
    assert frechet_distance(m1, c1, m2, c2) == pytest.approx(expected, rel=1e-6)


def test_of_covariances_that_commute_it_is_the_distance_of_their_roots() -> None:
    variances, others = np.array([1.0, 4.0, 9.0]), np.array([4.0, 4.0, 1.0])
    expected = 3**2 + (1 - 2) ** 2 + (2 - 2) ** 2 + (3 - 1) ** 2
    found = frechet_distance([3, 0, 0], turned(variances), [0, 0, 0], turned(others))
    assert found == pytest.approx(expected, rel=1e-12)


def test_it_is_right_where_both_covariances_are_singular() -> None:
    """The square root of a computed zero is 1e-8, and there are hundreds of them: they must not add up."""
    variances, others = np.zeros(200), np.zeros(200)
    variances[:40], others[20:60] = np.linspace(0.5, 2, 40), np.linspace(1, 3, 40)
    expected = np.square(np.sqrt(variances) - np.sqrt(others)).sum()
    zero = np.zeros(200)
    found = frechet_distance(zero, turned(variances), zero, turned(others))
    assert found == pytest.approx(expected, rel=1e-10)


def test_it_is_zero_to_itself_and_never_below() -> None:
    mean, covariance = moments(frames(20, 64))
    assert 0 <= frechet_distance(mean, covariance, mean, covariance) < 1e-9


def test_few_frames_give_the_same_without_their_covariance() -> None:
    few, many = frames(20, 32), frames(500, 32, seed=1, shift=0.3)
    running = RunningStatistics(32)
    running.add(few)
    reference = gaussian_of_frames(many)
    by_covariance = gaussian_of(running.statistics()).distance_to(reference)
    assert gaussian_of_frames(few).distance_to(reference) == pytest.approx(by_covariance, rel=1e-10)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([0, 0], np.eye(2), [0, 0, 0], np.eye(3)), "mu1 has 2 numbers, mu2 3"),
        (([0, 0], np.eye(3), [0, 0], np.eye(2)), r"cov1 must be a matrix \(2, 2\).*got the shape \(3, 3\)"),
        (([0, np.nan], np.eye(2), [0, 0], np.eye(2)), "mu1 must hold finite numbers"),
        (([0, 0], np.eye(2), [0, 0], [[1, np.inf], [0, 1]]), "cov2 must hold finite numbers"),
        (([0, 0], [[1, 2], [0, 1]], [0, 0], np.eye(2)), "cov1 must be symmetric"),
        ((np.eye(2), np.eye(2), [0, 0], np.eye(2)), r"mu1 must be a vector.*\(2, 2\)"),
    ],
    ids=["dimensions", "shape", "NaN", "infinite", "asymmetric", "matrix"],
)
def test_what_is_no_gaussian_is_refused(
    arguments: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike, npt.ArrayLike], words: str
) -> None:
    with pytest.raises(OpenL3Error, match=words):
        frechet_distance(*arguments)

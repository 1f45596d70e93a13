"""KAD, against all kernels held at once, by SciPy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.distance import cdist, pdist

from distances.given import Frames, frames
from l3embed.distances import kernel, kernel_distance, median_distance
from l3embed.errors import OpenL3Error


def by_scipy(x: Frames, y: Frames, width: float) -> float:
    def k(distances: npt.NDArray[np.float64]) -> float:
        return float(np.exp(-np.square(distances) / (2 * width**2 + 1e-8)).mean())

    x, y = x.astype(np.float64), y.astype(np.float64)
    return 100 * (k(pdist(x)) + k(pdist(y)) - 2 * k(cdist(x, y)))


def lower_median(values: Frames) -> float:
    return float(np.sort(values)[(len(values) - 1) // 2])


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "BLOCK_ROWS", 16)
    monkeypatch.setattr(kernel, "BINS", 256)


@pytest.mark.parametrize("count", [2, 16, 17, 50])
def test_the_median_is_the_lower_one_of_all_pairs(count: int) -> None:
    set_ = frames(count, 4)
    expected = lower_median(pdist(set_.astype(np.float64)))
    assert median_distance(set_) == pytest.approx(expected, rel=1e-8)


def test_the_median_of_equal_rows_is_zero() -> None:
    assert median_distance(np.ones((40, 3), np.float32)) == 0


def test_one_row_that_is_far_from_all_does_not_blur_the_median() -> None:
    set_ = frames(40, 4)
    set_[7] = 1e4
    expected = lower_median(pdist(set_.astype(np.float64)))
    assert median_distance(set_) == pytest.approx(expected, rel=1e-7)


def test_it_is_the_unbiased_discrepancy_with_the_median_of_what_is_evaluated() -> None:
    x, y = frames(50), frames(35, seed=1, shift=0.4)
    width = lower_median(pdist(y.astype(np.float64)))
    assert kernel_distance(x, y) == pytest.approx(by_scipy(x, y, width), rel=1e-6)


def test_the_width_may_be_the_reference_s_or_a_number() -> None:
    x, y = frames(50), frames(35, seed=1, shift=0.4)
    width = lower_median(pdist(x.astype(np.float64)))
    assert kernel_distance(x, y, "reference") == pytest.approx(by_scipy(x, y, width), rel=1e-6)
    assert kernel_distance(x, y, 0.5) == pytest.approx(by_scipy(x, y, 0.5), rel=1e-6)


def test_sets_far_from_zero_lose_no_digits() -> None:
    x, y = frames(50).astype(np.float64), frames(35, seed=1, shift=0.4).astype(np.float64)
    assert kernel_distance(x + 1e4, y + 1e4) == pytest.approx(kernel_distance(x, y), rel=1e-6)


def test_sums_by_group_make_the_distance_of_groups_taken_more_than_once() -> None:
    """By hand: a group taken twice is compared with the others twice, and with its copy never."""
    x, y = frames(20), frames(12, seed=1, shift=0.4)
    groups = np.repeat([0, 1, 2], 4)
    width = 0.8
    sums = kernel.kernel_sums(x, y, groups, width, kernel.within_mean(x, width))
    k = np.exp(-cdist(y.astype(float), y.astype(float), "sqeuclidean") / (2 * width**2 + 1e-8))
    np.fill_diagonal(k, 0)
    first, last = slice(0, 4), slice(8, 12)
    among = 2 * k[first, first].sum() + k[last, last].sum() + 2 * 2 * k[first, last].sum()
    pairs = 3 * 4 * 3 + 2 * 2 * 4 * 4
    across = np.exp(-cdist(y.astype(float), x.astype(float), "sqeuclidean") / (2 * width**2 + 1e-8))
    mean_across = (2 * across[first].sum() + across[last].sum()) / (3 * 4 * 20)
    expected = 100 * (sums.within_reference + among / pairs - 2 * mean_across)
    assert sums.distance(np.array([2.0, 0.0, 1.0])) == pytest.approx(expected, rel=1e-9)


def with_nan() -> Frames:
    set_ = frames(40)
    set_[33, 2] = np.nan
    return set_


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (with_nan(), frames(5), "x must hold finite numbers; row 33 holds NaN"),
        (frames(5), frames(1), "y must hold at least 2 embeddings; got 1"),
        (frames(5), frames(5, 4), "x has 8, y 4"),
        (frames(5)[0], frames(5), r"x must be a matrix of numbers, \(n, D\)"),
    ],
    ids=["NaN", "one row", "dimensions", "vector"],
)
def test_what_are_no_embeddings_are_refused(x: Frames, y: Frames, words: str) -> None:
    with pytest.raises(OpenL3Error, match=words):
        kernel_distance(x, y)


@pytest.mark.parametrize("width", ["median", 0, -1.0, float("nan")])
def test_a_width_that_is_none_is_refused(width: str | float) -> None:
    with pytest.raises(OpenL3Error, match="bandwidth must be 'candidate', 'reference' or a positive number"):
        kernel_distance(frames(5), frames(5), width)

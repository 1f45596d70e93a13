"""FAD-infinity."""

from __future__ import annotations

import numpy as np
import pytest

from distances.given import frames
from l3embed.distances import RunningStatistics, Statistics, frechet_distance_infinity
from l3embed.errors import OpenL3Error


def reference() -> Statistics:
    running = RunningStatistics(8)
    running.add(frames(20_000, seed=3))
    return running.statistics()


def test_it_comes_nearer_to_the_truth_than_any_sample() -> None:
    """Both sets are of one distribution: the distance of endless samples is zero."""
    found = frechet_distance_infinity(reference(), frames(3000))
    nearest = min(distance for _, distance in found.points)
    assert abs(found.value) < nearest
    assert found.slope > 0


def test_the_line_is_the_best_one() -> None:
    found = frechet_distance_infinity(reference(), frames(800))
    sizes, distances = np.array(found.points).T
    assert (len(sizes), sizes[0], sizes[-1]) == (25, 500, 800)
    design = np.stack([np.ones(25), 1 / sizes], axis=1)
    (value, slope), *_ = np.linalg.lstsq(design, distances, rcond=None)
    assert (found.value, found.slope) == pytest.approx((value, slope), rel=1e-6)
    assert found.r_squared == pytest.approx(np.corrcoef(1 / sizes, distances)[0, 1] ** 2, rel=1e-6)


def test_a_seed_draws_the_same() -> None:
    one, same, other = (frechet_distance_infinity(reference(), frames(600), seed) for seed in (1, 1, 2))
    assert one == same
    assert one.value != other.value


@pytest.mark.parametrize("count", [499, 500])
def test_few_frames_make_no_line(count: int) -> None:
    with pytest.raises(OpenL3Error, match=f"more than 500 frames; got {count}"):
        frechet_distance_infinity(reference(), frames(count))


def test_other_dimensions_are_refused() -> None:
    with pytest.raises(OpenL3Error, match=r"\(n, 8\).*got \(600, 4\)"):
        frechet_distance_infinity(reference(), frames(600, 4))

"""Intervals: what is drawn, and that drawn files give the very distances of sets made of them."""

from __future__ import annotations

import numpy as np
import pytest

from distances.given import Frames, apart, frames
from l3embed.distances import bootstrap
from l3embed.distances.frechet import gaussian_of_frames
from l3embed.distances.streamed_statistics import RunningStatistics

REFERENCE = gaussian_of_frames(frames(400, 16, seed=3))
WEIGHTS = np.array([2.0, 0.0, 1.0, 3.0])


def drawn_set(files: list[Frames]) -> Frames:
    """The frames of each file as often as it was drawn."""
    return np.concatenate(
        [file for file, times in zip(files, WEIGHTS, strict=True) for _ in range(int(times))]
    )


def test_few_frames_are_resampled_exactly() -> None:
    files = apart(frames(14, 16, shift=0.5), 4)
    groups = np.repeat(np.arange(4), [len(file) for file in files])
    found = bootstrap.GramDistances(REFERENCE, np.concatenate(files), groups)(WEIGHTS)
    expected = gaussian_of_frames(drawn_set(files)).distance_to(REFERENCE)
    assert found == pytest.approx(expected, rel=1e-6)


def test_groups_of_files_are_resampled_exactly() -> None:
    files = apart(frames(200, 16, shift=0.5), 4)
    groups = [RunningStatistics(16) for _ in files]
    for group, file in zip(groups, files, strict=True):
        group.add(file)
    found = bootstrap.ScatterDistances(REFERENCE, [group.finish() for group in groups])(WEIGHTS)
    expected = gaussian_of_frames(drawn_set(files)).distance_to(REFERENCE)
    assert found == pytest.approx(expected, rel=1e-6)


def test_a_draw_has_as_many_groups_as_there_are() -> None:
    drawn = list(bootstrap.draws(5, 20, seed=0))
    assert [weights.sum() for weights in drawn] == [5] * 20
    assert len({tuple(weights) for weights in drawn}) > 10


def test_the_interval_s_middle_is_the_value() -> None:
    drawn = [float(number) for number in range(101)]
    assert bootstrap.interval_about(7.0, drawn) == pytest.approx((7 - 47.5, 7 + 47.5))


def test_a_frechet_distance_s_interval_does_not_go_below_zero() -> None:
    values = iter([0.0, 10.0, 20.0])
    draw = (np.ones(3) for _ in range(3))
    low, high = bootstrap.frechet_interval(1.0, lambda _: next(values), draw)
    assert low == 0
    assert high > 1


def test_many_files_are_drawn_in_groups_that_fit_into_memory() -> None:
    groups = bootstrap.group_files(1000, 128, seed=0)
    assert sorted(set(groups.tolist())) == list(range(128))
    assert np.bincount(groups).max() <= np.bincount(groups).min() + 1
    assert bootstrap.group_files(100, 128, seed=0).tolist() == list(range(100))
    for dimension in (512, 1024, 6144):
        assert bootstrap.most_groups(dimension) * 8 * dimension**2 <= bootstrap.MOST_BYTES
    assert bootstrap.most_groups(512) == 128
    assert bootstrap.most_groups(6144) == 0

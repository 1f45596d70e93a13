"""Streaming means and standard deviations against NumPy's over the whole."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from l3embed.errors import OpenL3Error
from l3embed.export.moments import StreamingMoments

ROWS = np.random.default_rng(0).normal(3, 2, (1000, 7)).astype(np.float32)


def moments_of(blocks: Sequence[npt.NDArray[Any]]) -> StreamingMoments:
    moments = StreamingMoments()
    for block in blocks:
        moments.add(block)
    return moments


@pytest.mark.parametrize(
    "ends",
    [[], [1], [999], [0, 500, 500], list(range(1, 1000)), [3, 400, 401, 900]],
    ids=["whole", "one first", "one last", "with empty blocks", "one by one", "uneven"],
)
def test_blocks_of_any_size_give_numpys_moments(ends: list[int]) -> None:
    moments = moments_of(np.split(ROWS, ends))
    np.testing.assert_allclose(moments.mean, ROWS.mean(axis=0, dtype=np.float64), rtol=1e-14)
    np.testing.assert_allclose(moments.std, ROWS.std(axis=0, dtype=np.float64), rtol=1e-13)
    assert moments.count == 1000


def test_a_large_mean_costs_no_digits_of_the_deviation() -> None:
    """The naive difference of squares has none left here: its terms are 1e20, which doubles hold to 1e4."""
    rows = np.random.default_rng(1).normal(0, 1, (1000, 3)) + 1e10
    moments = moments_of(np.array_split(rows, 17))
    np.testing.assert_allclose(moments.std, (rows - 1e10).std(axis=0), rtol=1e-6)
    np.testing.assert_allclose(moments.mean, rows.mean(axis=0), rtol=1e-14)


def test_the_means_of_blocks_may_lie_far_apart() -> None:
    rows = np.concatenate([np.full((10, 1), -1e6), np.full((1000, 1), 1e6)])
    moments = moments_of([rows[:10], rows[10:]])
    np.testing.assert_allclose(moments.std, rows.std(axis=0), rtol=1e-13)


def test_half_floats_are_summed_in_doubles() -> None:
    rows = np.full((10_000, 2), 60_000, np.float16)
    np.testing.assert_array_equal(moments_of([rows]).mean, [60_000.0 - 60_000 % 32] * 2)


def test_one_row_does_not_deviate() -> None:
    np.testing.assert_array_equal(moments_of([ROWS[:1]]).std, np.zeros(7))


def test_the_moments_so_far_stay_as_they_are() -> None:
    moments = moments_of([ROWS[:10]])
    mean, std = moments.mean, moments.std
    moments.add(ROWS[10:])
    np.testing.assert_allclose(mean, ROWS[:10].mean(axis=0, dtype=np.float64), rtol=1e-14)
    np.testing.assert_allclose(std, ROWS[:10].std(axis=0, dtype=np.float64), rtol=1e-13)


def test_nothing_has_no_moments() -> None:
    moments = moments_of([ROWS[:0]])
    for name in ("mean", "std"):
        with pytest.raises(OpenL3Error, match="no embeddings to take the mean of"):
            getattr(moments, name)


def test_memory_does_not_grow_with_a_block() -> None:
    block = np.zeros((200_000, 64), np.float32)  # 102 MB in float64
    tracemalloc.start()
    try:
        moments_of([block])
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 20e6

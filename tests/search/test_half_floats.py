"""Products of half floats, against NumPy's own way of turning them into floats."""

from __future__ import annotations

import numpy as np
import pytest

from l3embed.search import half_floats
from l3embed.search.half_floats import SCALE, as_halves, products


@pytest.mark.parametrize("block_numbers", [1, 1000, 1 << 20])
@pytest.mark.parametrize("threads", [1, 3])
def test_products_are_those_of_the_same_numbers_as_floats(
    block_numbers: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(half_floats, "BLOCK_NUMBERS", block_numbers)
    rng = np.random.default_rng(0)
    units = rng.normal(size=(101, 64)).astype(np.float32)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    vectors = rng.normal(size=(3, 64)).astype(np.float32)
    halves = as_halves(units)
    expected = vectors.astype(np.float64) @ (halves.astype(np.float64) / SCALE).T
    np.testing.assert_allclose(products(halves, vectors, threads), expected, atol=1e-6)


def test_every_half_float_is_taken_for_its_number() -> None:
    """Of all 63,488 that are finite: also zeros, and those with the smallest exponent."""
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    finite = every[np.isfinite(every)][:, np.newaxis]
    found = products(finite, np.ones((1, 1), np.float32))[0]
    np.testing.assert_array_equal(found, finite[:, 0].astype(np.float32) / np.float32(SCALE))


def test_no_rows_have_no_products() -> None:
    assert products(np.empty((0, 4), np.float16), np.ones((2, 4), np.float32)).shape == (2, 0)

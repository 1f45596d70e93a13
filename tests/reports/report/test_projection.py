"""Two dimensions: PCA against a plain singular value decomposition, UMAP by what it is for."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from l3embed.errors import OpenL3Error
from l3embed.reports.report import projection
from l3embed.reports.report.neighbours import nearest
from l3embed.reports.report.options import Projection
from l3embed.reports.report.projection import pca_view, umap_is_wanted, umap_view

from .conftest import Array


@pytest.fixture
def vectors() -> Array:
    rng = np.random.default_rng(1)
    return (rng.normal(size=(60, 8)) * [9, 5, 2, 1, 1, 1, 1, 1] + 3).astype(np.float32)


def test_pca_is_the_singular_value_decomposition_of_the_centred_vectors(vectors: Array) -> None:
    view = pca_view(vectors, seed=0)
    centred = vectors.astype(np.float64) - vectors.astype(np.float64).mean(axis=0)
    _, scales, directions = np.linalg.svd(centred, full_matrices=False)
    for axis in range(2):
        weights = directions[axis]
        expected = centred @ (weights * np.sign(weights[np.abs(weights).argmax()]))
        np.testing.assert_allclose(view.points[:, axis], expected, atol=1e-3)
    share = scales[0] ** 2 / (scales**2).sum()
    assert view.axes[0] == f"PC 1 ({100 * share:.1f}\N{NO-BREAK SPACE}% of the variance)"


def test_pca_of_much_data_is_the_same_to_what_can_be_seen(
    vectors: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = pca_view(vectors, seed=0)
    monkeypatch.setattr(projection, "EXACT_SIDE", 1)
    np.testing.assert_allclose(pca_view(vectors, seed=0).points, exact.points, atol=1e-2)


def test_pca_does_not_change_with_the_sign_of_the_seed_or_the_run(vectors: Array) -> None:
    np.testing.assert_array_equal(pca_view(vectors, seed=1).points, pca_view(vectors, seed=2).points)


@pytest.mark.parametrize("shape", [(1, 8), (2, 8), (5, 1), (3, 2)], ids=str)
def test_pca_of_very_little_data_has_two_finite_coordinates(shape: tuple[int, int]) -> None:
    points = pca_view(np.arange(shape[0] * shape[1], dtype=np.float32).reshape(shape), seed=0).points
    assert points.shape == (shape[0], 2)
    assert np.isfinite(points).all()


def test_pca_of_equal_vectors_says_that_nothing_varies() -> None:
    view = pca_view(np.ones((5, 4), np.float32), seed=0)
    np.testing.assert_array_equal(view.points, 0)
    assert view.axes[0].startswith("PC 1 (0.0")


def test_umap_asked_for_and_not_installed_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "find_spec", lambda name: None)
    assert not umap_is_wanted(Projection.AUTO)
    with pytest.raises(OpenL3Error, match=r"pip install 'l3embed\[umap\]'"):
        umap_is_wanted(Projection.UMAP)


def test_pca_alone_needs_no_umap() -> None:
    assert not umap_is_wanted(Projection.PCA)


@pytest.mark.slow
def test_umap_keeps_groups_together_and_repeats_itself(tmp_path: Path) -> None:
    pytest.importorskip("umap", reason="umap-learn is not installed")
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1, 2], 20)
    vectors = (rng.normal(size=(3, 10))[group] * 5 + rng.normal(size=(60, 10))).astype(np.float32)
    start = pca_view(vectors, seed=0).points
    first, second = (umap_view(nearest(vectors, 14), start, seed=0) for _ in range(2))
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first.points, second.points)
    distances = np.linalg.norm(first.points[:, np.newaxis] - first.points, axis=-1)
    np.fill_diagonal(distances, np.inf)
    np.testing.assert_array_equal(group[distances.argmin(axis=1)], group)


def test_too_few_files_have_no_umap() -> None:
    vectors = np.random.default_rng(0).normal(size=(14, 5)).astype(np.float32)
    assert umap_view(nearest(vectors, 14), vectors[:, :2], seed=0) is None


def test_umap_does_not_bring_tensorflow_in() -> None:
    hidden = projection._without_tensorflow
    before = sys.modules.pop("tensorflow", None)
    try:
        with hidden(), pytest.raises(ImportError):
            import tensorflow  # noqa: F401
        assert "tensorflow" not in sys.modules
    finally:
        if before is not None:
            sys.modules["tensorflow"] = before

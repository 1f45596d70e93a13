"""Two dimensions: PCA against a plain singular value decomposition, UMAP by what it is for."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from conftest import run_child

from l3embed.errors import OpenL3Error
from l3embed.report import projection
from l3embed.report.choices import Projection
from l3embed.report.neighbours import nearest
from l3embed.report.projection import (
    COMPILED,
    pca_view,
    umap_is_wanted,
    umap_view,
)

from .conftest import Array

needs_umap = pytest.mark.skipif(find_spec("umap") is None, reason="umap-learn is not installed")


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


@needs_umap
def test_umap_keeps_groups_together_and_repeats_itself(tmp_path: Path) -> None:
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


@needs_umap
def test_umap_comes_with_its_own_neighbours_and_without_tensorflow() -> None:
    program = (
        "import sys\nfrom l3embed.report import projection\nprojection._import_umap().UMAP\n"
        "print('tensorflow' in sys.modules, sys.modules['pynndescent'].__file__)"
    )
    done = run_child([sys.executable, "-c", program])
    has_tensorflow, neighbours = done.stdout.split()
    assert has_tensorflow == "False"
    assert Path(neighbours).is_file()


@needs_umap
@pytest.mark.slow
def test_what_numba_compiles_is_there_in_the_next_process(tmp_path: Path) -> None:
    # Set after the import, or numba would compile all of pynndescent anew for the empty folder: a minute.
    program = (
        "import numba, sys\nfrom l3embed.report import projection\nprojection._import_umap()\n"
        "numba.config.CACHE_DIR = sys.argv[1]\n"
        "import numpy as np\nfrom importlib import import_module\n"
        "from l3embed.report.neighbours import nearest\n"
        "from l3embed.report.projection import COMPILED, umap_view\n"
        "vectors = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)\n"
        "view = umap_view(nearest(vectors, 14), vectors[:, :2], seed=0)\n"
        "stats = [getattr(import_module(module), name).stats for module, name in COMPILED]\n"
        "print(*(sum(stat.cache_hits.values()) for stat in stats), view.points.sum())"
    )
    first, second = (run_child([sys.executable, "-c", program, tmp_path]) for _ in range(2))
    *hits, total = second.stdout.split()
    assert hits == ["1"] * len(COMPILED)
    assert first.stdout.split() == ["0"] * len(COMPILED) + [total]


@pytest.mark.parametrize("loaded", [None, ModuleType("tensorflow")], ids=["not loaded", "loaded"])
def test_tensorflow_is_afterwards_what_it_was(
    monkeypatch: pytest.MonkeyPatch, loaded: ModuleType | None
) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    if loaded:
        monkeypatch.setitem(sys.modules, "tensorflow", loaded)
    seen = []
    monkeypatch.setattr(projection, "import_module", lambda name: seen.append(sys.modules["tensorflow"]))
    projection._import_umap()
    assert seen == [loaded]
    assert sys.modules.get("tensorflow") is loaded


def test_another_umap_that_uses_more_is_imported_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def import_module(name: str) -> str:
        seen.append("tensorflow" in sys.modules and sys.modules["tensorflow"] is None)
        if seen[-1]:
            raise ImportError(name)
        return name

    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.setattr(projection, "import_module", import_module)
    assert projection._import_umap() == "umap"  # type: ignore[comparison-overlap]
    assert seen == [True, False]

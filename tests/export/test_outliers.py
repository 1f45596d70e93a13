"""Which files are far from all others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.neighbors import NearestNeighbors

import l3embed.export.outliers as module
from l3embed.export.manifest import ManifestRow
from l3embed.export.outliers import NEIGHBOURS, doubts_about_outliers, neighbour_distances

Vectors = npt.NDArray[np.float32]


def rows(count: int) -> list[ManifestRow]:
    return [ManifestRow(f"{number:03}.wav", "audio", label="dog") for number in range(count)]


@pytest.fixture
def cloud() -> Vectors:
    """Sixty vectors in about one direction."""
    return (1 + 0.1 * np.random.default_rng(0).normal(size=(60, 32))).astype(np.float32)


def test_distances_are_those_that_scikit_learn_finds(cloud: Vectors) -> None:
    search = NearestNeighbors(n_neighbors=NEIGHBOURS, metric="cosine").fit(cloud)
    expected = search.kneighbors()[0].mean(axis=1)  # without arguments, no vector is its own neighbour
    np.testing.assert_allclose(neighbour_distances(cloud), expected, atol=1e-6)


def test_many_vectors_are_compared_with_a_sample(cloud: Vectors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_COMPARED", 20)
    chosen = np.random.default_rng(module.SEED).permutation(60)[:20]
    search = NearestNeighbors(n_neighbors=NEIGHBOURS, metric="cosine").fit(cloud[chosen])
    rest = np.setdiff1d(np.arange(60), chosen)
    found = neighbour_distances(cloud)
    np.testing.assert_allclose(found[rest], search.kneighbors(cloud[rest])[0].mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(found[chosen], search.kneighbors()[0].mean(axis=1), atol=1e-6)


def test_a_file_unlike_all_others_is_named_alone(cloud: Vectors) -> None:
    cloud[7] = -cloud[7]
    (doubt,) = doubts_about_outliers(rows(60), cloud)
    assert (doubt.path, doubt.label, doubt.kind.value) == ("007.wav", "dog", "outlier")
    assert doubt.words.startswith("is far from all others: 1.9")


def test_two_that_are_only_like_each_other_are_both_named(cloud: Vectors) -> None:
    cloud[[3, 9]] = -cloud[3]
    assert {doubt.path for doubt in doubts_about_outliers(rows(60), cloud)} == {"003.wav", "009.wav"}


def test_nothing_stands_out_of_what_is_alike(cloud: Vectors) -> None:
    assert list(doubts_about_outliers(rows(60), cloud)) == []


def test_among_few_files_nothing_is_called_far(cloud: Vectors) -> None:
    cloud[7] = -cloud[7]
    assert list(doubts_about_outliers(rows(19), cloud[:19])) == []


def test_vectors_of_zeros_have_no_direction_and_do_no_harm(cloud: Vectors) -> None:
    cloud[5] = 0
    assert [doubt.path for doubt in doubts_about_outliers(rows(60), cloud)] == ["005.wav"]

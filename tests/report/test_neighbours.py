"""Which files are most alike, against a plain comparison of all with all."""

from __future__ import annotations

import numpy as np
import pytest

from l3embed.export import cosine
from l3embed.report import neighbours
from l3embed.report.neighbours import nearest

from .conftest import Array


def all_cosines(vectors: Array) -> Array:
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    units = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    cosines: Array = units @ units.T
    np.fill_diagonal(cosines, -2)
    return cosines


@pytest.fixture
def vectors() -> Array:
    return np.random.default_rng(3).normal(size=(50, 12)).astype(np.float32)


@pytest.mark.parametrize("chunk_rows", [7, 50, 1000])
def test_neighbours_are_those_with_the_largest_cosines(
    vectors: Array, chunk_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "CHUNK_ROWS", chunk_rows)
    monkeypatch.setattr(cosine, "CHUNK_ROWS", chunk_rows)
    found = nearest(vectors, 5)
    cosines = all_cosines(vectors)
    np.testing.assert_array_equal(found.index, np.argsort(-cosines, axis=1)[:, :5])
    np.testing.assert_allclose(found.similarity, -np.sort(-cosines, axis=1)[:, :5], atol=1e-6)


def test_what_all_share_does_not_count(vectors: Array) -> None:
    """As embeddings of one network do: with it, all cosines would be near 1."""
    apart = nearest(vectors, 5)
    found = nearest(vectors + np.float32(20), 5)
    np.testing.assert_array_equal(found.index, apart.index)
    np.testing.assert_allclose(found.similarity, apart.similarity, atol=1e-4)


def test_how_large_all_are_does_not_count(vectors: Array) -> None:
    np.testing.assert_array_equal(nearest(100 * vectors, 5).index, nearest(vectors, 5).index)


def test_there_are_never_more_neighbours_than_other_files(vectors: Array) -> None:
    assert nearest(vectors[:4], 8).index.shape == (4, 3)


@pytest.mark.parametrize("files", [0, 1])
def test_without_other_files_there_are_none(vectors: Array, files: int) -> None:
    assert nearest(vectors[:files], 8).index.shape == (files, 0)


def test_a_vector_that_is_the_mean_resembles_nothing(vectors: Array) -> None:
    vectors[3] = vectors[np.arange(len(vectors)) != 3].mean(axis=0, dtype=np.float64)
    found = nearest(vectors, 2)
    np.testing.assert_array_equal(found.similarity[3], 0)
    assert np.isfinite(found.similarity).all()


def test_a_vector_that_is_not_finite_costs_no_other(vectors: Array) -> None:
    odd = np.append(vectors, np.full((1, 12), np.nan, np.float32), axis=0)
    measure = cosine.CentredCosine.of(odd)
    np.testing.assert_array_equal(measure.centre, cosine.CentredCosine.of(vectors).centre)


def test_equal_files_are_neighbours_in_their_order() -> None:
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 5, 400)
    same = rng.normal(size=(5, 4)).astype(np.float32)[kind]
    found = nearest(same, 399).index[7]
    alike = np.flatnonzero(kind == kind[7])
    assert found[: len(alike) - 1].tolist() == alike[alike != 7].tolist()

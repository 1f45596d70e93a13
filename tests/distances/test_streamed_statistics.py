"""Statistics that are streamed, and files of them: l3embed's and others'."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distances.given import frames
from l3embed.distances import RunningStatistics, Statistics, read_statistics, write_statistics
from l3embed.distances import streamed_statistics as streaming
from l3embed.distances.computed_with import ComputedWith
from l3embed.errors import OpenL3Error

PUBLISHED_NAME = "stable-audio__musiccaps-public__channels2__44100__openl3music__openl3hopsize0.5__batch4.npz"


def test_blocks_of_any_size_give_the_mean_and_the_covariance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "BLOCK_ROWS", 10)
    embeddings = frames(100)
    running = RunningStatistics(8)
    for block in np.split(embeddings, [3, 4, 40]):
        running.add(block)
    found = running.statistics()
    exact = embeddings.astype(np.float64)
    np.testing.assert_allclose(found.mean, exact.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(found.covariance, np.cov(exact, rowvar=False), rtol=1e-12)
    assert found.frames == 100


def test_two_halves_merge_to_the_whole() -> None:
    whole, first, second = (RunningStatistics(8) for _ in range(3))
    whole.add(frames(100))
    first.add(frames(100)[:30])
    second.add(frames(100)[30:])
    first.merge(second)
    np.testing.assert_allclose(first.statistics().covariance, whole.statistics().covariance, rtol=1e-12)


def test_a_large_mean_costs_no_digits() -> None:
    """Sums of squares would have lost all of them: 1e7 squared, less 1e7 squared."""
    exact = np.random.default_rng(0).normal(size=(5000, 3))
    running = RunningStatistics(3)
    for block in np.split(exact + 1e7, 10):
        running.add(block)
    np.testing.assert_allclose(running.statistics().covariance, np.cov(exact, rowvar=False), atol=1e-7)


def test_one_embedding_has_no_covariance() -> None:
    running = RunningStatistics(3)
    running.add(np.ones((1, 3)))
    with pytest.raises(OpenL3Error, match="at least 2 embeddings; got 1"):
        running.statistics()


def given() -> Statistics:
    running = RunningStatistics(8)
    running.add(frames(50))
    made = ComputedWith("audio_mel256_music_512_kapre", "random:7", 0.5, 2, "stable-audio-metrics")
    return running.statistics(files=4, made=made)


def test_a_file_has_all_of_it_back(tmp_path: Path) -> None:
    write_statistics(tmp_path / "new" / "a.npz", given())
    found = read_statistics(tmp_path / "new" / "a.npz")
    np.testing.assert_array_equal(found.mean, given().mean)
    np.testing.assert_array_equal(found.covariance, given().covariance)
    assert (found.frames, found.files, found.made) == (50, 4, given().made)


def test_others_read_mu_and_cov(tmp_path: Path) -> None:
    write_statistics(tmp_path / "a.npz", given())
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["mu"].shape == (8,)
        assert arrays["cov"].shape == (8, 8)
        assert str(arrays["variant"]) == "audio_mel256_music_512_kapre"


@pytest.mark.parametrize(
    ("mean", "covariance"),
    [
        ("mu", "cov"),
        ("mu", "sigma"),
        ("mu_ref", "sigma_ref"),
        ("openl3-mel256-music.mu", "openl3-mel256-music.cov"),
    ],
    ids=["l3embed", "pytorch-fid", "stable-audio-metrics", "fadtk"],
)
def test_statistics_of_others_are_read(tmp_path: Path, mean: str, covariance: str) -> None:
    arrays: dict[str, Any] = {mean: np.arange(3.0), covariance: 2 * np.eye(3)}
    np.savez(tmp_path / "a.npz", **arrays)
    found = read_statistics(tmp_path / "a.npz")
    assert found.mean.tolist() == [0, 1, 2]
    assert found.covariance[1, 1] == 2
    assert found.made == ComputedWith()


def test_the_names_of_stable_audio_metrics_files_tell_what_they_are_of(tmp_path: Path) -> None:
    np.savez(tmp_path / PUBLISHED_NAME, mu_ref=np.zeros(1024), sigma_ref=np.eye(1024))
    assert read_statistics(tmp_path / PUBLISHED_NAME).made == ComputedWith(
        "audio_mel256_music_512_kapre", "published", 0.5, 2, "stable-audio-metrics"
    )


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"a": np.zeros(2)}, "It must hold one mean and one covariance.*got none among a"),
        (
            {"a.mu": np.zeros(2), "a.cov": np.eye(2), "b.mu": np.zeros(2), "b.cov": np.eye(2)},
            "a.mu and a.cov; b.mu",
        ),
        ({"mu": np.zeros(2), "cov": np.full((2, 2), np.nan)}, "cov must hold finite numbers"),
        ({"mu": np.zeros(2), "sigma": np.eye(3)}, r"sigma must be a matrix \(2, 2\)"),
    ],
    ids=["none", "several", "NaN", "shape"],
)
def test_a_file_without_them_is_named(tmp_path: Path, arrays: dict[str, object], words: str) -> None:
    np.savez(tmp_path / "a.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(OpenL3Error, match=f"a.npz: .*{words}"):
        read_statistics(tmp_path / "a.npz")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04nothing")
    with pytest.raises(OpenL3Error, match=r"a\.npz: It could not be read"):
        read_statistics(tmp_path / "a.npz")

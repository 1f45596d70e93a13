"""Self-similarity matrices against all pairs of frames, one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from l3embed.report import similarity
from l3embed.report.page import scale_start
from l3embed.report.similarity import (
    SelfSimilarity,
    choose_rows,
    self_similarities,
    self_similarity,
    time_ticks,
)

from .conftest import Array, audio_row


def cosine(one: Array, other: Array) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def measured(folder: Path, frames: Array, times_s: Array | None = None) -> SelfSimilarity:
    arrays: dict[str, Any] = {} if times_s is None else {"timestamps": times_s}
    np.savez(folder / "a.npz", embedding=frames.astype(np.float32), **arrays)
    row = audio_row("a.wav", frames=len(frames), dimension=frames.shape[1], output="a.npz")
    return self_similarity(folder, row)


@pytest.fixture
def frames() -> Array:
    return np.random.default_rng(0).normal(size=(11, 6)) * np.linspace(1, 9, 11)[:, np.newaxis]


def test_each_cell_is_the_cosine_of_two_frames(tmp_path: Path, frames: Array) -> None:
    expected = [[cosine(one, other) for other in frames] for one in frames]
    np.testing.assert_allclose(measured(tmp_path, frames).cosines, expected, atol=1e-6)


def test_a_long_file_has_cells_of_mean_cosines(
    tmp_path: Path, frames: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similarity, "MOST_CELLS", 4)
    monkeypatch.setattr(similarity, "READ_ROWS", 2)
    found = measured(tmp_path, frames, np.arange(11) * 2.0)
    parts = [frames[0:3], frames[3:6], frames[6:9], frames[9:11]]
    expected = [
        [np.mean([cosine(one, other) for one in row for other in column]) for column in parts]
        for row in parts
    ]
    np.testing.assert_allclose(found.cosines, expected, atol=1e-6)
    assert found.cell_times_s == [2.0, 8.0, 14.0, 19.0]
    assert found.frames_per_cell == 11 / 4


def test_images_have_no_times(tmp_path: Path, frames: Array) -> None:
    found = measured(tmp_path, frames)
    assert (found.cell_times_s, found.ticks) == ([], ())


@pytest.mark.parametrize(
    ("times_s", "texts"),
    [
        (np.arange(24) * 0.1, ["0.0", "0.5", "1.0", "1.5", "2.0"]),
        (np.arange(50) * 0.5, ["0", "5", "10", "15", "20"]),
        (np.arange(900) * 1.0, ["0:00", "5:00", "10:00"]),
        (np.arange(4) * 0.1 + 0.05, ["0.1", "0.2", "0.3"]),
    ],
    ids=["seconds", "tens of seconds", "minutes", "not from zero"],
)
def test_ticks_are_round_times(times_s: Array, texts: list[str]) -> None:
    assert [tick.text for tick in time_ticks(times_s)] == texts


def test_a_tick_stands_in_the_middle_of_the_frame_of_its_time() -> None:
    times_s: Array = np.arange(10) * 0.1
    places = {tick.text: tick.place for tick in time_ticks(times_s)}
    assert places["0.0"] == pytest.approx(0.05)
    assert places["0.4"] == pytest.approx(0.45)


def test_the_longest_files_of_different_labels_come_first() -> None:
    lengths = {"a1": 9, "a2": 8, "b1": 5, "c1": 7, "a3": 6, "short": 3}
    rows = [audio_row(name, name[0], frames=frames) for name, frames in lengths.items()]
    assert [row.path for row in choose_rows(rows)] == ["a1", "c1", "b1", "a2", "a3"]


def test_both_modalities_have_their_turns() -> None:
    rows = [audio_row(f"{n}.wav", str(n), frames=50 - n) for n in range(8)]
    rows += [audio_row(f"{n}.mp4", modality="image", frames=9 - n) for n in range(2)]
    chosen = [(row.modality, row.path) for row in choose_rows(rows)]
    assert chosen == [("audio", f"{n}.wav") for n in range(4)] + [("image", f"{n}.mp4") for n in range(2)]


def test_failed_files_are_not_shown() -> None:
    assert not choose_rows([audio_row("a.wav", status="failed", frames=9)])


def test_files_without_an_npz_are_not_shown() -> None:
    assert not choose_rows([audio_row("a.wav", output="", frames=9)])


@pytest.mark.parametrize(
    ("lowest", "start"), [(0.956, 0.95), (0.43, 0.4), (-0.21, -0.3), (1.0, 0.99), (-1.0, -1.0)]
)
def test_the_colour_scale_begins_below_the_smallest_cosine(lowest: float, start: float) -> None:
    figure = SelfSimilarity(audio_row("a"), np.array([[1, lowest], [lowest, 1]], np.float32), [], ())
    assert scale_start([figure]) == start


@pytest.mark.parametrize("kept", [0, 100, -1], ids=["emptied", "cut", "cut at its end"])
def test_a_damaged_file_is_left_out_and_named(
    tmp_path: Path, frames: Array, kept: int, capfd: pytest.CaptureFixture[str]
) -> None:
    row = measured(tmp_path, frames).row
    damaged = replace(row, output="damaged.npz")
    (tmp_path / "damaged.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:kept])
    assert [figure.row for figure in self_similarities(tmp_path, [damaged, row])] == [row]
    said = capfd.readouterr().err
    assert f"report: warning: {tmp_path / 'damaged.npz'}: " in said
    assert "Run 'dvc repro -f export'" in said


def test_fewer_frames_than_the_manifest_has_are_no_figure(tmp_path: Path, frames: Array) -> None:
    row = replace(measured(tmp_path, frames).row, frames=12)
    assert self_similarities(tmp_path, [row]) == []

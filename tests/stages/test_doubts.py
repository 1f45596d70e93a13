"""What is odd about a file: told, kept, written into the manifest, and a failure where that is asked for."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from l3embed.decoding.reading import OnDamage, Reading
from l3embed.export.labels import FolderLabels
from l3embed.inputs.media import SourceFile

from .conftest import write_audio, write_video
from .standin import Project

CUT = "is cut short: its header declares 96000 bytes of sound, and 47956 are there"


def manifest(project: Project) -> dict[str, dict[str, str]]:
    with (project.export_folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def write_cut(path: Path) -> None:
    """Write a second of sound, and take half of it away."""
    write_audio(path, seconds=1)
    path.write_bytes(path.read_bytes()[:48_000])


def write_turned(path: Path) -> None:
    """Write a photograph that asks to be turned by 90 degrees."""
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.random.default_rng(0).integers(0, 256, (230, 300, 3), np.uint8)
    Image.fromarray(pixels).save(path, exif=exif, quality=95)


@pytest.fixture
def cut(project: Project) -> Project:
    """A project with a whole file and one that is cut short."""
    write_audio(project.dataset / "whole.wav", seconds=1)
    write_cut(project.dataset / "cut.wav")
    return project


def test_what_is_there_of_a_cut_file_is_embedded_with_a_warning(
    cut: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    cut.run()
    assert f"preprocess: warning: cut.wav {CUT}; what is there is used." in capfd.readouterr().err
    rows = manifest(cut)
    assert rows["cut.wav"]["status"] == "ok"
    assert rows["cut.wav"]["warnings"].startswith(f"{CUT}; what is there is used. is shorter than one window")
    assert rows["whole.wav"]["warnings"] == ""


def test_skip_makes_a_failure_of_it(cut: Project) -> None:
    strict = cut.with_reading(Reading(OnDamage.SKIP))
    assert strict.run() == ((1, 0, 1),) * 3
    rows = manifest(strict)
    assert (rows["cut.wav"]["status"], rows["cut.wav"]["reason"]) == ("failed", f"The file {CUT}.")
    assert rows["whole.wav"]["status"] == "ok"


def test_what_was_decoded_once_serves_both_ways(cut: Project) -> None:
    cut.preprocess()
    assert cut.with_reading(Reading(OnDamage.SKIP)).preprocess() == (0, 1, 1)
    assert cut.preprocess() == (0, 2, 0)


def test_a_video_without_sound_says_so_in_the_manifest(mixed: Project) -> None:
    write_video(mixed.dataset / "mute.mp4", sound=False)
    mixed.run()
    assert manifest(mixed)["mute.mp4"]["warnings"] == "has no sound: it gets embeddings of its frames only."


def test_a_photograph_that_is_not_turned_says_so_in_the_manifest(mixed: Project) -> None:
    write_turned(mixed.dataset / "photo.jpg")
    mixed.run()
    assert "EXIF orientation" in manifest(mixed)["photo.jpg"]["warnings"]


def test_turned_photographs_have_embeddings_of_their_own(mixed: Project) -> None:
    write_turned(mixed.dataset / "photo.jpg")
    mixed.run()
    stored = np.load(mixed.export_folder / "photo.npz")["embedding"]
    turning = mixed.with_reading(Reading(exif_rotation=True))
    turning.run()
    assert manifest(turning)["photo.jpg"]["warnings"] == ""
    assert np.abs(np.load(turning.export_folder / "photo.npz")["embedding"] - stored).max() > 0


def doubts(project: Project) -> list[tuple[str, str, str]]:
    """Path, label and kind of each row of the list that the export has."""
    with (project.export_folder / "doubts.csv").open(newline="", encoding="utf-8") as file:
        return [(row["path"], row["label"], row["kind"]) for row in csv.DictReader(file)]


def test_all_that_is_doubtful_stands_in_one_list_the_worst_first(project: Project) -> None:
    options = replace(project.export_options, labels=FolderLabels())
    labelled = replace(project, export_options=options)
    for number in range(20):
        write_audio(project.dataset / "dogs" / f"{number:02}.wav", seconds=1 + number / 100)
    write_audio(project.dataset / "cats" / "short.wav", seconds=0.1)
    soundfile.write(project.dataset / "cats" / "silent.wav", np.zeros(60_000), 48_000)
    for copy in ("cats/fifth.wav", "dogs/fifth.wav"):
        shutil.copy(project.dataset / "dogs" / "05.wav", project.dataset / copy)
    shutil.copy(project.dataset / "dogs" / "06.wav", project.dataset / "sixth.wav")
    labelled.run()
    found = doubts(labelled)
    assert found == [
        ("cats/fifth.wav", "cats", "conflict"),
        ("dogs/05.wav", "dogs", "conflict"),
        ("dogs/fifth.wav", "dogs", "conflict"),
        ("cats/silent.wav", "cats", "silent"),
        ("sixth.wav", "", "copy"),
        ("cats/short.wav", "cats", "short"),
    ]


def test_the_export_tells_of_what_it_has_found_itself(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    write_audio(project.dataset / "a.wav", seconds=0.1)
    shutil.copy(project.dataset / "a.wav", project.dataset / "b.wav")
    project.preprocess()
    project.embed()
    capfd.readouterr()
    project.export()
    told = [line for line in capfd.readouterr().err.splitlines() if "warning" in line]
    assert told == ["export: warning: b.wav has the same bytes as a.wav."]


UNEXPECTED = [
    pytest.param(lambda: MemoryError(), "It could not be read: MemoryError.", id="no memory"),
    pytest.param(lambda: RecursionError("too deep"), "RecursionError: too deep.", id="recursion"),
    pytest.param(lambda: BaseException("panic"), "BaseException: panic.", id="panic of another language"),
    pytest.param(lambda: PermissionError(13, "Permission denied"), "Permission denied.", id="no right"),
]


@pytest.mark.parametrize(("make", "reason"), UNEXPECTED)
def test_whatever_a_file_s_reader_raises_costs_that_file_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch, make: Callable[[], BaseException], reason: str
) -> None:
    from l3embed.inputs.media import mono_samples

    for name in ("a.wav", "b.wav", "c.wav"):
        write_audio(project.dataset / name)

    def read(source: SourceFile) -> Any:
        if source.path.name == "b.wav":
            raise make()
        yield from mono_samples(source)

    monkeypatch.setattr("l3embed.inputs.preparation.mono_samples", read)
    assert project.run() == ((2, 0, 1),) * 3
    assert manifest(project)["b.wav"]["reason"].endswith(reason)


def test_ctrl_c_is_no_fault_of_a_file(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    write_audio(project.dataset / "a.wav")

    def read(source: SourceFile) -> Any:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("l3embed.inputs.preparation.mono_samples", read)
    with pytest.raises(KeyboardInterrupt):
        project.preprocess()

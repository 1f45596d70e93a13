"""Previews that are kept: by the counts of the stage, and by what lies in the store."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import reference

from l3embed.errors import OpenL3Error
from l3embed.report.previews import Preview, Subject, make_preview
from l3embed.stages import stored_previews as previews
from l3embed.stages.stored_previews import stored_previews
from l3embed.store import code
from l3embed.store.entries import Store
from l3embed.variants import Media

from .conftest import Project, mixed_project, write_picture, write_tone

FILES = 5
Counts = tuple[int, int, int]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "dataset"
    for number in range(FILES):
        write_tone(folder / f"{number}.wav", hertz=200 + 50 * number, seconds=0.2)
    return folder


def ask(dataset: Path, *subjects: Subject) -> tuple[list[Preview | OpenL3Error], Counts]:
    """Ask for previews as a run of the stage does; return them, and what was computed, reused and lost."""
    with Store(dataset.parent / "store") as store, stored_previews(dataset, store) as ask_for:
        found = ask_for(subjects)
    return found, (ask_for.counts.computed, ask_for.counts.reused, ask_for.counts.failed)


def recordings(dataset: Path) -> list[Subject]:
    names = sorted(path.name for path in dataset.iterdir())
    return [Subject(name, Media.AUDIO, has_sound=True, has_picture=False) for name in names]


def test_what_is_kept_is_what_was_made(dataset: Path) -> None:
    subjects = recordings(dataset)
    expected = [make_preview(dataset / subject.path, subject) for subject in subjects]
    assert ask(dataset, *subjects) == (expected, (FILES, 0, 0))
    assert ask(dataset, *subjects) == (expected, (0, FILES, 0))


def test_one_more_file_has_one_more_preview_made(dataset: Path) -> None:
    ask(dataset, *recordings(dataset))
    write_tone(dataset / "another.wav", hertz=700)
    assert ask(dataset, *recordings(dataset))[1] == (1, FILES, 0)


def test_renamed_files_have_none_made(dataset: Path) -> None:
    ask(dataset, *recordings(dataset))
    for path in list(dataset.iterdir()):
        path.rename(path.with_name(f"new {path.name}"))
    assert ask(dataset, *recordings(dataset))[1] == (0, FILES, 0)


def test_a_changed_file_has_its_own_made(dataset: Path) -> None:
    before, _ = ask(dataset, *recordings(dataset))
    write_tone(dataset / "1.wav", hertz=900, seconds=0.2)
    after, counts = ask(dataset, *recordings(dataset))
    assert counts == (1, FILES - 1, 0)
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, *[True] * 3]


def test_copies_have_one_made(dataset: Path) -> None:
    shutil.copy(dataset / "1.wav", dataset / "copy.wav")
    assert ask(dataset, *recordings(dataset))[1] == (FILES, 1, 0)


def test_changed_code_has_all_made_anew(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(dataset, *recordings(dataset))
    monkeypatch.setattr(code, "code_checksum", lambda step: f"other code of {step.value}")
    assert ask(dataset, *recordings(dataset))[1] == (FILES, 0, 0)


def test_another_version_of_a_package_has_all_made_anew(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(dataset, *recordings(dataset))
    monkeypatch.setattr(code, "version", lambda name: "99.0")
    code.package_versions.cache_clear()
    counts = ask(dataset, *recordings(dataset))[1]
    code.package_versions.cache_clear()
    assert counts == (FILES, 0, 0)


def test_what_is_wanted_of_a_video_is_part_of_it(dataset: Path) -> None:
    shutil.copy(reference("inputs/clip_12fps.mp4"), dataset / "c.mp4")
    both, sound = (
        Subject("c.mp4", Media.VIDEO, has_sound=True, has_picture=wanted) for wanted in (True, False)
    )
    found, counts = ask(dataset, both, sound)
    first, second = found
    assert isinstance(first, Preview)
    assert counts == (2, 0, 0)
    assert second == Preview(first.sound)
    assert ask(dataset, both, sound) == (found, (0, 2, 0))


def test_a_picture_is_kept(dataset: Path) -> None:
    write_picture(dataset / "a.png", hue=0)
    subject = Subject("a.png", Media.IMAGE, has_sound=False, has_picture=True)
    assert ask(dataset, subject) == ([make_preview(dataset / subject.path, subject)], (1, 0, 0))
    assert ask(dataset, subject)[1] == (0, 1, 0)


def test_what_cannot_be_previewed_is_noted_each_time_and_stops_nothing(dataset: Path) -> None:
    (dataset / "bad.wav").write_bytes(b"no sound")
    gone = Subject("gone.wav", Media.AUDIO, has_sound=True, has_picture=False)
    for counts in ((FILES, 0, 2), (0, FILES, 2)):
        found, counted = ask(dataset, *recordings(dataset), gone)
        assert counted == counts
        assert "could not be read as audio" in str(found[-2])
        assert str(found[-1]) == "There is no such file."


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda path: write_tone(path, hertz=1000, seconds=0.3), "changed while it was being read"),
        (lambda path: path.unlink(), "There is no such file."),
    ],
    ids=["written", "removed"],
)
def test_a_file_that_changes_while_it_is_read_is_not_kept(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None], reason: str
) -> None:
    def make_and_change(path: Path, subject: Subject) -> Preview:
        preview = make_preview(path, subject)
        if subject.path == "0.wav":
            change(path)
        return preview

    monkeypatch.setattr(previews, "make_preview", make_and_change)
    (fault, *_), counts = ask(dataset, *recordings(dataset))
    assert counts == (FILES - 1, 0, 1)
    assert reason in str(fault)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_file_that_may_not_be_read_is_noted(dataset: Path) -> None:
    (dataset / "0.wav").chmod(0)
    found, counts = ask(dataset, *recordings(dataset))
    assert counts == (FILES - 1, 0, 1)
    assert "could not be read" in str(found[0])


def test_the_stage_tells_of_its_previews_and_a_second_run_makes_none(tmp_path: Path) -> None:
    project = mixed_project(tmp_path)
    pages = [project.report() for _ in range(2)]
    assert "23 computed, 0 reused, 0 failed" in pages[0].summary
    assert "0 computed, 23 reused, 0 failed" in pages[1].summary
    assert pages[0].html == pages[1].html
    assert counts_of(project) == {"computed": 0, "reused": 23, "failed": 0}


def counts_of(project: Project) -> dict[str, int]:
    figures: dict[str, float] = json.loads((project.inputs.metrics / "report.json").read_text())
    assert figures.pop("seconds") > 0
    return {name: int(figure) for name, figure in figures.items()}


def test_a_file_in_a_shard_is_previewed_if_it_is_what_was_embedded(dataset: Path) -> None:
    listing = dataset.parent / "clips.csv"
    listing.touch()
    with tarfile.open(dataset.parent / "shard.tar", "w") as shard:
        shard.add(dataset / "0.wav", "0.wav")
    content = hashlib.sha256((dataset / "0.wav").read_bytes()).hexdigest()
    subject = Subject("shard.tar/0.wav", Media.AUDIO, True, False, "tar://0.wav::shard.tar", sha256=content)
    assert ask(listing, subject) == ([make_preview(dataset / "0.wav", subject)], (1, 0, 0))

    (fault,), counts = ask(listing, replace(subject, sha256="0" * 64))
    assert counts == (0, 0, 1)
    assert "SHA-256 checksum" in str(fault)

"""What stages tell before they write much: what is new, and how much the stages behind them add."""

from __future__ import annotations

from dataclasses import replace

import pytest

from l3embed.export.formats import RowLayout
from l3embed.inputs.windows import Framing
from l3embed.stages.export import ExportOptions
from l3embed.stages.forecast import Following, Written
from l3embed.store import estimate
from l3embed.variants import Modality

from .conftest import write_audio, write_image, write_video
from .standin import SIZE, Project

EMBEDDINGS = (Written(Modality.AUDIO, SIZE), Written(Modality.IMAGE, SIZE))
PARQUET = (Written(Modality.AUDIO, SIZE, 2, " in Parquet"),)


@pytest.fixture
def told(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with two seconds of sound and an image, in which very little is much."""
    monkeypatch.setattr(estimate, "TOLD_FROM_BYTES", 1)
    write_audio(project.dataset / "a.wav", seconds=2)
    write_image(project.dataset / "b.png")
    following = Following(Framing(hop_s=0.5), EMBEDDINGS + PARQUET)
    return replace(
        project,
        preprocess_options=replace(project.preprocess_options, following=following),
        export_options=ExportOptions(formats=("npz", "parquet"), row_layout=RowLayout()),
    )


def said(capfd: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """What was told: the stage, and the amounts."""
    lines = [line for line in capfd.readouterr().err.splitlines() if " will write about " in line]
    return [(line.split(":")[0], line.split(": ", 2)[2].split("; free")[0]) for line in lines]


def test_each_stage_tells_how_much_it_writes(told: Project, capfd: pytest.CaptureFixture[str]) -> None:
    told.run()
    kept = "2 seconds x 48,000 x 4 bytes + 1 images x 150,528 x 4 bytes"
    embeddings = f"4 windows x {SIZE} x 4 bytes + 1 images x {SIZE} x 4 bytes"
    assert said(capfd) == [
        ("preprocess", f"{kept} + {embeddings} + 4 windows in Parquet x {SIZE} x 2 bytes"),
        ("embed", f"4 windows x {SIZE} x 4 bytes"),
        ("embed", f"1 images x {SIZE} x 4 bytes"),
        ("export", f"4 rows of audio x {SIZE} x 4 bytes + 1 rows of image x {SIZE} x 4 bytes"),
    ]


def test_what_is_there_already_is_not_counted(told: Project, capfd: pytest.CaptureFixture[str]) -> None:
    project = replace(told, export_options=ExportOptions())
    project.run()
    capfd.readouterr()
    project.run()
    assert said(capfd) == []
    write_audio(project.dataset / "c.wav", seconds=1)
    project.run()
    kept, embeddings = "1 seconds x 48,000 x 4 bytes", f"2 windows x {SIZE} x 4 bytes"
    assert said(capfd) == [
        ("preprocess", f"{kept} + {embeddings} + 2 windows in Parquet x {SIZE} x 2 bytes"),
        ("embed", f"2 windows x {SIZE} x 4 bytes"),
    ]


def test_the_frames_of_videos_are_counted(told: Project, capfd: pytest.CaptureFixture[str]) -> None:
    write_video(told.dataset / "c.mp4", seconds=2, rate="10")
    told.run()
    ((_, first), *_, images, _) = said(capfd)
    assert "4 seconds x 48,000 x 4 bytes" in first
    assert "20 frames x 150,528 x 1 bytes" in first
    assert images == ("embed", f"21 images x {SIZE} x 4 bytes")

"""What the bars and the last lines of stages count."""

from __future__ import annotations

import re

import pytest

from .conftest import write_audio, write_image, write_video
from .standin import Project

LINE = re.compile(r"^(.+ \(\w+\)): (\d+) of (\d+), .* left(.*)$", re.MULTILINE)


def bars(said: str) -> dict[str, tuple[list[tuple[int, int]], str]]:
    """The states of each bar of a log, counted and in all, and what its last line ends with."""
    found: dict[str, tuple[list[tuple[int, int]], str]] = {}
    for name, done, total, words in LINE.findall(said):
        states, _ = found.get(name, ([], ""))
        found[name] = ([*states, (int(done), int(total))], words)
    return found


def test_bars_begin_with_what_is_expected_and_end_with_what_came(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three seconds of sound, and two of a video with twenty frames."""
    write_audio(project.dataset / "a.wav", seconds=3)
    write_image(project.dataset / "b.png")
    write_video(project.dataset / "c.mp4", seconds=2, rate="10")
    project.run()

    assert bars(capsys.readouterr().err) == {
        "Preprocessing (item)": ([(0, 26), (26, 26)], ", 4 of 4 inputs"),
        "Embedding audio (window)": ([(0, 10), (10, 10)], ", 2 of 2 files"),
        "Embedding image (image)": ([(0, 21), (21, 21)], ", 2 of 2 files"),
        "Exporting (embedding)": ([(0, 31), (31, 31)], ""),
    }


def test_what_is_there_already_is_counted_as_well(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write_audio(project.dataset / "a.wav", seconds=3)
    project.run()
    write_audio(project.dataset / "b.wav", seconds=4)
    capsys.readouterr()
    project.run()

    found = bars(capsys.readouterr().err)
    assert found["Preprocessing (second)"][0][-1] == (7, 7)
    assert found["Embedding audio (window)"][0][-1] == (14, 14)


def test_stages_say_why_there_are_more_inputs_than_files(project: Project) -> None:
    write_audio(project.dataset / "a.wav")
    write_video(project.dataset / "b.mp4")
    (project.dataset / "notes.txt").touch()

    said = [project.run_preprocess(), project.run_embed(), project.run_export()]

    inputs = "3 inputs of 2 files (a video counts twice: its sound and its frames): 3 computed, "
    assert said[0].startswith(
        "preprocess: 1 audio, 1 video (sound and frames), 1 other file left out: 3 computed, "
    )
    assert said[1].startswith(f"embed: {inputs}")
    assert said[2].startswith(f"export: {inputs}")


def test_one_input_is_one(project: Project) -> None:
    write_image(project.dataset / "a.png")
    project.run_preprocess()
    assert project.run_embed().startswith("embed: 1 input: 1 computed, 0 reused, 0 failed; 1 embedding, ")

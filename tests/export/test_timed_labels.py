"""Selections of Raven and labels of Audacity, and the windows that they label."""

from __future__ import annotations

from pathlib import Path

import pytest

from l3embed.errors import OpenL3Error
from l3embed.export.timed_labels import (
    Selection,
    TimedKind,
    TimedLabels,
    label_of_window,
    read_selections,
)
from l3embed.search import Hit
from l3embed.search.hit_files import write_audacity, write_raven
from l3embed.search.several import Answer

PATHS = ["birds/a.wav", "birds/b.flac", "night/a.wav"]
HEADER = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)"


def read(path: Path, kind: TimedKind = TimedKind.RAVEN) -> dict[str, list[Selection]]:
    return {name: list(each) for name, each in read_selections(PATHS, TimedLabels(kind, path)).items()}


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_table_of_raven_is_of_the_sound_whose_name_it_has(tmp_path: Path) -> None:
    """Raven writes each selection once for each view."""
    write(
        tmp_path / "birds" / "a.Table.1.selections.txt",
        f"{HEADER}\tAnnotation",
        "1\tWaveform 1\t1\t1.5\t2.25\t0.0\t8000.0\twren",
        "1\tSpectrogram 1\t1\t1.5\t2.25\t100.0\t8000.0\twren",
        "2\tSpectrogram 1\t1\t3.0\t4.0\t100.0\t8000.0\t",
    )
    assert read(tmp_path) == {"birds/a.wav": [Selection(1.5, 2.25, "wren")]}


def test_a_table_of_several_sounds_names_them_and_the_places_in_them(tmp_path: Path) -> None:
    """Begin Time counts from the first sound's beginning then, File Offset from each one's."""
    table = write(
        tmp_path / "all.txt",
        f"{HEADER}\tBegin Path\tFile Offset (s)\tSpecies",
        "1\tSpectrogram 1\t1\t1.0\t2.0\t0\t9000\tC:\\raw\\birds\\b.flac\t1.0\twren",
        "2\tSpectrogram 1\t1\t61.0\t61.5\t0\t9000\t/mnt/raw/night/a.wav\t1.0\towl",
    )
    expected = {"birds/b.flac": [Selection(1, 2, "wren")], "night/a.wav": [Selection(1, 1.5, "owl")]}
    assert read(table) == expected


def test_labels_of_audacity_are_of_the_sound_whose_name_their_file_has(tmp_path: Path) -> None:
    write(tmp_path / "birds" / "a.txt", "0.5\t1.25\twren song", "\\\t100.0\t8000.0", "2,5\t2,5\towl")
    write(tmp_path / "b.flac.txt", "0\t1\t")
    assert read(tmp_path, TimedKind.AUDACITY) == {
        "birds/a.wav": [Selection(0.5, 1.25, "wren song"), Selection(2.5, 2.5, "owl")]
    }


def test_a_name_that_two_files_have_is_none_s(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "a.txt", "0\t1\twren")
    write(tmp_path / "b.txt", "0\t1\towl")
    assert set(read(tmp_path, TimedKind.AUDACITY)) == {"birds/b.flac"}
    assert "1 selection" in capsys.readouterr().err


def test_what_search_writes_is_read(tmp_path: Path) -> None:
    answers = [Answer("call", hits=(Hit(1, 0.9, "birds/a.wav", "wren", 1.0, 2.0, 1.5),))]
    write_raven(tmp_path / "hits.txt", answers, lambda hit: tmp_path / "raw" / hit.path)
    write_audacity(tmp_path / "labels", answers)
    assert read(tmp_path / "hits.txt") == {"birds/a.wav": [Selection(1, 2, "wren")]}
    assert read(tmp_path / "labels", TimedKind.AUDACITY) == {"birds/a.wav": [Selection(1, 2, "0.900 call")]}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["1\tx\t1"], "must have Raven's columns"),
        ([HEADER, "1\tx\t1\t0\t1\t0\t1"], "and a label: one of Label, Annotation"),
        ([f"{HEADER}\tLabel", "1\tx\t1\tzero\t1\t0\t1\twren"], "Row 2 of .* has 'zero' where seconds"),
        ([f"{HEADER}\tLabel", "1\tx\t1\t3\t1\t0\t1\twren"], "Row 2 of .* is from 3 to 1 s"),
        (
            [f"{HEADER}\tBegin File\tLabel", "1\tx\t1\t0\t1\t0\t1\tx.wav\twren"],
            "the dataset has 'birds/a.wav'",
        ),
        ([], "must have Raven's columns"),
    ],
)
def test_a_wrong_table_says_what_is_wrong(tmp_path: Path, lines: list[str], words: str) -> None:
    with pytest.raises(OpenL3Error, match=words):
        read(write(tmp_path / "birds" / "a.txt", *lines))


def test_lines_of_audacity_have_three_cells(tmp_path: Path) -> None:
    with pytest.raises(OpenL3Error, match=r"Line 2 of .*a\.txt must be begin, end and label"):
        read(write(tmp_path / "a.txt", "0\t1\twren", "1 2 owl"), TimedKind.AUDACITY)


def test_there_must_be_a_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nope.txt"):
        with pytest.raises(OpenL3Error, match="There is no text file"):
            read(path)


@pytest.mark.parametrize(
    ("selections", "label"),
    [
        ([(0.0, 10.0, "long")], "long"),
        ([(1.5, 9.0, "half of the window")], "half of the window"),
        ([(1.6, 9.0, "less than half of it")], ""),
        ([(1.9, 2.1, "half of the selection")], "half of the selection"),
        ([(1.95, 2.1, "less than half of it")], ""),
        ([(1.0, 1.6, "a"), (1.0, 1.7, "b")], "b"),
        ([(1.0, 1.6, "b"), (1.3, 1.9, "a")], "b"),
        ([(1.0, 1.3, "a"), (1.0, 1.5, "b"), (1.6, 1.9, "a")], "a"),
        ([(1.5, 1.5, "a point")], "a point"),
        ([(2.5, 2.5, "a point elsewhere")], ""),
        ([], ""),
    ],
)
def test_a_window_from_1_to_2_s_has_the_label_that_covers_most_of_it(
    selections: list[tuple[float, float, str]], label: str
) -> None:
    assert label_of_window(1.0, 2.0, [Selection(*each) for each in selections]) == label

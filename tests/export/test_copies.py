"""Which files are copies of others, and which of these contradict their labels."""

from __future__ import annotations

from dataclasses import replace

import pytest

from l3embed.export.copies import doubts_about_copies
from l3embed.export.manifest import ManifestRow
from l3embed.variants import DoubtKind


def row(path: str, content: str, label: str = "") -> ManifestRow:
    return ManifestRow(path, "audio", label=label, sha256=content)


def found(*rows: ManifestRow) -> list[tuple[str, DoubtKind, str]]:
    return [(doubt.path, doubt.kind, doubt.words) for doubt in doubts_about_copies(rows)]


def test_different_files_are_no_copies() -> None:
    assert found(row("a.wav", "x"), row("b.wav", "y")) == []


def test_each_further_copy_names_the_first() -> None:
    words = "has the same bytes as a.wav."
    assert found(row("a.wav", "x"), row("b.wav", "x"), row("c.wav", "x")) == [
        ("b.wav", DoubtKind.COPY, words),
        ("c.wav", DoubtKind.COPY, words),
    ]


def test_copies_with_different_labels_are_all_in_conflict() -> None:
    assert found(row("a.wav", "x", "dog"), row("b.wav", "x", "cat")) == [
        ("a.wav", DoubtKind.CONFLICT, "is labelled dog, and has the same bytes as b.wav (cat)."),
        ("b.wav", DoubtKind.CONFLICT, "is labelled cat, and has the same bytes as a.wav (dog)."),
    ]


def test_a_copy_without_a_label_contradicts_nothing_and_is_the_copy() -> None:
    assert found(row("a.wav", "x"), row("b.wav", "x", "dog")) == [
        ("a.wav", DoubtKind.COPY, "has the same bytes as b.wav.")
    ]


def test_the_two_rows_of_a_video_are_one_file() -> None:
    video = row("a.mp4", "x")
    assert found(video, replace(video, modality="image")) == []


@pytest.mark.parametrize("content", [""])
def test_files_that_could_not_be_read_are_no_copies_of_each_other(content: str) -> None:
    assert found(row("a.wav", content), row("b.wav", content)) == []


def test_of_many_copies_some_are_named() -> None:
    rows = [row("a.wav", "x", "dog"), *(row(f"{number}.wav", "x", "cat") for number in range(9))]
    assert found(*rows)[0][2].endswith("0.wav (cat), 1.wav (cat), 2.wav (cat) and 6 more.")

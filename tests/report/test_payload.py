"""What the page's scripts read of the files: each column unpacked, next to what was written."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

from l3embed.report import ReportOptions

from .conftest import DIMENSION, DOUBTS, LABELS, NO_UMAP, PER_LABEL, Page, Project, audio_row, confidence_of

MODALITIES = ("audio", "image")


def unpacked(text: str, kind: str) -> list[Any]:
    values: list[Any] = np.frombuffer(base64.b64decode(text), kind).tolist()
    return values


def test_each_file_has_what_it_was_taken_for_and_how_surely(mixed: Page) -> None:
    audio = mixed.data["maps"][0]
    labels = mixed.data["labels"]
    taken_for = unpacked(audio["takenFor"], "<i4")
    evaluated = len(LABELS) * PER_LABEL
    assert labels[taken_for[0]] == "rain"
    assert [labels[place] for place in taken_for[1:evaluated]] == [
        label for label in LABELS for _ in range(PER_LABEL)
    ][1:]
    confidence = [value / 10_000 for value in unpacked(audio["confidence"], "<i2")[:evaluated]]
    assert confidence == pytest.approx([confidence_of(place) for place in range(evaluated)])
    assert audio["folds"] == ["fold 0", "fold 1", "fold 2"]
    assert unpacked(audio["fold"], "<i2")[:evaluated] == [place % 3 for place in range(evaluated)]
    assert [labels[place] for place in audio["classes"]] == list(LABELS)


def test_a_file_that_was_not_evaluated_has_no_prediction(mixed: Page) -> None:
    audio = mixed.data["maps"][0]
    path = mixed.data["paths"][unpacked(audio["files"], "<u4")[-1]]
    assert path == "clip.mp4"
    assert [
        unpacked(audio[key], kind)[-1]
        for key, kind in (("takenFor", "<i4"), ("confidence", "<i2"), ("fold", "<i2"))
    ] == [-1] * 3


def test_without_an_evaluation_the_columns_are_empty(mixed: Page) -> None:
    image = mixed.data["maps"][1]
    assert [image[key] for key in ("takenFor", "confidence", "fold", "folds", "classes")] == [
        "",
        "",
        "",
        [],
        [],
    ]


def test_doubts_come_with_their_files_the_worst_first(mixed: Page) -> None:
    data, doubts = mixed.data, mixed.data["doubts"]
    columns = [
        unpacked(doubts[key], kind)
        for key, kind in (("file", "<u4"), ("modality", "u1"), ("kind", "u1"), ("word", "<u4"))
    ]
    found = [
        (data["paths"][file], MODALITIES[modality], data["doubtKinds"][kind], doubts["words"][word])
        for file, modality, kind, word in zip(*columns, strict=True)
    ]
    written = [(doubt.path, doubt.modality.value, doubt.kind.value, doubt.words) for doubt in DOUBTS]
    assert found == [written[place] for place in (1, 4, 2, 3, 0)]
    assert doubts["words"].count("is silent.") == 1


def test_a_file_that_failed_is_known_behind_all_others(mixed: Page) -> None:
    data = mixed.data
    (place,) = unpacked(data["failures"]["file"], "<u4")
    assert (place, data["paths"][place]) == (len(data["paths"]) - 1, "broken.wav")
    assert data["failures"]["reasons"] == ["The file is empty (0 bytes)."]


def test_a_label_that_no_file_has_can_be_predicted(project: Project) -> None:
    row = audio_row("0.wav", "a")
    project.write_export([row], {row.output: np.ones((3, DIMENSION))})
    project.write_evaluation("audio", [("a", "b")], {})
    data = project.report().data
    assert data["labels"] == ["a", "b"]
    assert unpacked(data["maps"][0]["takenFor"], "<i4") == [1]


def test_predictions_make_the_page_little_larger(project: Project) -> None:
    rows = [audio_row(f"{n}.wav", f"class {n % 50}", frames=1) for n in range(2000)]
    rng = np.random.default_rng(0)
    project.write_export(rows, {row.output: rng.normal(size=(1, DIMENSION)) for row in rows})
    options = ReportOptions(NO_UMAP.projection, previews_mb=0)
    before = len(json.dumps(project.report(options).data))
    project.write_evaluation("audio", [(row.label, "class 0") for row in rows], {})
    assert len(json.dumps(project.report(options).data)) - before < 2000 * 12

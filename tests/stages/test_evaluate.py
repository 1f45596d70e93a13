"""What the stage ``evaluate`` writes and says."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluation.exported import file_rows, write_export

from l3embed.evaluation.evaluation import EvaluationOptions
from l3embed.export.manifest import ManifestRow
from l3embed.stages import evaluate
from l3embed.stages.output_folder import Layout

OPTIONS = EvaluationOptions(resamples=200)


def read_rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def export_of(folder: Path, wrong: int) -> Path:
    """20 files in two classes that are far apart, some being on the wrong side."""
    sides = np.array([1, -1] * 10)
    rows = file_rows(["dog" if side > 0 else "cat" for side in sides])
    sides[:wrong] *= -1
    return write_export(folder / "export", rows, 10 * sides[:, np.newaxis] + np.eye(20, 4))


def run(export: Path) -> tuple[str, dict[str, Any]]:
    layout = Layout(export.parent)
    line = evaluate.run(OPTIONS, layout)
    return line, json.loads((layout.folder("evaluation") / "metrics.json").read_text(encoding="utf-8"))


def test_the_line_and_the_metrics_say_the_same(tmp_path: Path) -> None:
    line, metrics = run(export_of(tmp_path, wrong=1))
    probe = metrics["audio"]["linear_probe"]
    interval = f"({100 * probe['accuracy_low']:.1f} to {100 * probe['accuracy_high']:.1f})"
    assert line == (
        f"evaluate: audio: 20 files in 2 classes: linear probe 95.0 % {interval}, k-NN 95.0 % {interval}, "
        "chance 50.0 %; image: no files"
    )
    assert probe["accuracy"] == 0.95
    # The wrong one is a dog that was taken for a cat: F1 of 18/19 and of 20/21.
    assert probe["macro_f1"] == pytest.approx((18 / 19 + 20 / 21) / 2, abs=1e-6)


def test_experiments_are_compared_by_three_figures(tmp_path: Path) -> None:
    _, metrics = run(export_of(tmp_path, wrong=1))
    found = metrics["audio"]
    assert json.loads((tmp_path / "metrics" / "evaluate.json").read_text(encoding="utf-8")) == {
        "audio": {
            "accuracy": found["linear_probe"]["accuracy"],
            "macro_f1": found["linear_probe"]["macro_f1"],
            "knn_accuracy": found["knn"]["accuracy"],
        }
    }


def test_the_metrics_have_figures_or_a_reason(tmp_path: Path) -> None:
    _, metrics = run(export_of(tmp_path, wrong=0))
    names = {f"{measure}{end}" for measure in ("accuracy", "macro_f1") for end in ("", "_low", "_high")}
    assert set(metrics["audio"]) == {"files", "classes", "folds", "chance", "notes", "linear_probe", "knn"}
    assert set(metrics["audio"]["linear_probe"]) == set(metrics["audio"]["knn"]) == names
    assert {key: metrics["audio"][key] for key in ("files", "classes", "folds", "chance")} == {
        "files": 20,
        "classes": 2,
        "folds": 5,
        "chance": 0.5,
    }
    assert metrics["image"] == {"files": 0, "reason": "no files", "notes": []}


def test_there_is_a_row_for_each_prediction(tmp_path: Path) -> None:
    run(export_of(tmp_path, wrong=1))
    header, *rows = read_rows(tmp_path / "evaluation" / "audio_predictions.csv")
    assert header == ["path", "actual", "predicted", "fold", "confidence"]
    assert [row[:3] for row in rows[:2]] == [["000.wav", "dog", "cat"], ["001.wav", "cat", "cat"]]
    assert sorted(row[3] for row in rows) == sorted("12345" * 4)


def test_there_is_a_row_for_each_class(tmp_path: Path) -> None:
    run(export_of(tmp_path, wrong=1))
    assert read_rows(tmp_path / "evaluation" / "audio_classes.csv") == [
        ["label", "files", "recall", "precision", "f1"],
        ["cat", "10", "1.0", "0.909091", "0.952381"],
        ["dog", "10", "0.9", "1.0", "0.947368"],
    ]


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([], "evaluate: audio: no files; image: no files"),
        (file_rows(["", ""]), "evaluate: audio: no labels; image: no files"),
    ],
    ids=["no files", "no labels"],
)
def test_without_labels_the_tables_have_their_header_only(
    tmp_path: Path, rows: list[ManifestRow], line: str
) -> None:
    export = write_export(tmp_path / "export", rows, np.zeros((len(rows), 4)))
    assert evaluate.run(OPTIONS, Layout(export.parent)) == line
    for modality in ("audio", "image"):
        assert read_rows(tmp_path / "evaluation" / f"{modality}_predictions.csv") == [
            ["path", "actual", "predicted", "fold", "confidence"]
        ]
        assert read_rows(tmp_path / "evaluation" / f"{modality}_classes.csv") == [
            ["label", "files", "recall", "precision", "f1"]
        ]


def test_the_same_export_gives_the_same_bytes(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    rows = file_rows([f"class {number}" for number in random.integers(4, size=80)])
    embeddings = random.normal(size=(80, 32))
    written = []
    for name in ("first", "second"):
        run(write_export(tmp_path / name / "export", rows, embeddings))
        written.append({path.name: path.read_bytes() for path in (tmp_path / name / "evaluation").iterdir()})
    assert written[0] == written[1]
    assert len(written[0]) == 6

"""The files of an evaluation: what they are called, what stands in them, and that it is read as written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from stages.conftest import REPOSITORY

from l3embed.disk.json_files import write_json
from l3embed.disk.tables import column_names
from l3embed.errors import OpenL3Error
from l3embed.evaluation.evaluation import Evaluation, EvaluationOptions, Prediction, evaluate
from l3embed.evaluation.file_format import (
    headlines,
    metrics_content,
    predictions_path,
    read_classes,
    read_figures,
    read_predictions,
    write_tables,
)
from l3embed.evaluation.scores import Score
from l3embed.stages.output_folder import Layout
from l3embed.variants import Modality

from .exported import file_rows, write_export

AUDIO = Modality.AUDIO
DOGS = "path,actual,predicted,fold,confidence\n000.wav,dog,dog,"
CLASSES = "label,files,recall,precision,f1\ncat,10,1.0,0.909091,0.952381\ndog,10,0.9,1.0,0.947368\n"


@pytest.fixture
def found(tmp_path: Path) -> dict[Modality, Evaluation]:
    """20 files in two classes that are far apart, the last one on the wrong side; no pictures."""
    sides = [10.0, -10.0] * 10
    rows = file_rows(["dog" if side > 0 else "cat" for side in sides])
    export = write_export(tmp_path / "export", rows, [[side, 1] for side in [*sides[:-2], -10.0, -10.0]])
    return evaluate(export, EvaluationOptions(resamples=200))


@pytest.fixture
def folder(tmp_path: Path, found: dict[Modality, Evaluation]) -> Path:
    write_tables(tmp_path, found)
    write_json(tmp_path / "metrics.json", metrics_content(found, {}))
    return tmp_path


def test_the_tables_have_these_names_and_columns(folder: Path) -> None:
    assert {path.name for path in folder.glob("*.csv")} == {
        f"{modality}_{table}.csv" for modality in ("audio", "image") for table in ("predictions", "classes")
    }
    assert (folder / "audio_predictions.csv").read_text().startswith(DOGS)
    assert (folder / "audio_classes.csv").read_text() == CLASSES
    assert (folder / "image_predictions.csv").read_text() == "path,actual,predicted,fold,confidence\n"
    assert (folder / "image_classes.csv").read_text() == "label,files,recall,precision,f1\n"


def test_the_metrics_have_these_names_in_this_order(found: dict[Modality, Evaluation]) -> None:
    content = metrics_content(found, {})
    assert list(content["audio"]) == ["files", "classes", "folds", "chance", "notes", "linear_probe", "knn"]
    for kind in ("linear_probe", "knn"):
        assert list(content["audio"][kind]) == [
            "accuracy",
            "accuracy_low",
            "accuracy_high",
            "macro_f1",
            "macro_f1_low",
            "macro_f1_high",
        ]
    assert content["audio"]["linear_probe"]["macro_f1"] == 0.949875
    assert content["image"] == {"files": 0, "reason": "no files", "notes": []}


def test_experiments_are_compared_by_these_names(found: dict[Modality, Evaluation]) -> None:
    figures = {"accuracy": 0.95, "macro_f1": 0.949875, "knn_accuracy": 0.95}
    assert headlines(found, {}) == {"audio": figures}


def test_what_was_written_is_read(folder: Path, found: dict[Modality, Evaluation]) -> None:
    assert tuple(read_predictions(folder, AUDIO)) == found[AUDIO].predictions
    assert [(each.label, each.files, each.f1) for each in read_classes(folder, AUDIO)] == [
        ("cat", 10, 0.952381),
        ("dog", 10, 0.947368),
    ]
    figures = read_figures(folder)
    assert figures[AUDIO].scores == {
        key: Score(*(round(figure, 6) for figure in vars(score).values()))
        for key, score in found[AUDIO].scores.items()
    }
    assert (figures[Modality.IMAGE].reason, figures[Modality.IMAGE].scores) == ("no files", {})


def test_chance_is_that_of_the_largest_class(folder: Path) -> None:
    # Half of the files: recall 1 and precision 1/2 of one class of two.
    assert list(read_figures(folder)[AUDIO].chances.values()) == pytest.approx([0.5, 2 / 3 / 2])


def test_a_folder_without_files_has_nothing(tmp_path: Path) -> None:
    assert read_figures(tmp_path) == {}
    assert read_predictions(tmp_path, AUDIO) == []
    assert read_classes(tmp_path, AUDIO) == []


def test_dvc_plots_these_tables_by_these_columns() -> None:
    plots = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"))["plots"]
    drawn = [next(iter(plot.values())) for plot in plots]
    folder = Layout().folder("evaluation")
    assert [plot["y"] for plot in drawn] == [
        {predictions_path(folder, modality).as_posix(): "predicted"} for modality in Modality
    ]
    assert {plot["x"] for plot in drawn} == {"actual"}
    assert {"actual", "predicted"} <= set(column_names(Prediction))


READERS: dict[str, Callable[[Path], object]] = {
    "metrics.json": read_figures,
    "audio_predictions.csv": lambda folder: read_predictions(folder, AUDIO),
    "audio_classes.csv": lambda folder: read_classes(folder, AUDIO),
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b'{"audio": 1}'], ids=["empty", "no text", "other"])
def test_a_damaged_file_is_named_with_the_remedy(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(OpenL3Error, match=rf"{name}: .* Run 'dvc repro -f evaluate'"):
        READERS[name](folder)


@pytest.mark.parametrize("name", ["audio_predictions.csv", "audio_classes.csv"])
def test_a_table_that_is_gone_or_lost_rows_is_missed(folder: Path, name: str) -> None:
    path = folder / name
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(OpenL3Error, match=rf"{name}: It is not as it was written"):
        READERS[name](folder)
    path.unlink()
    with pytest.raises(OpenL3Error, match=rf"{name}: .*No such file"):
        READERS[name](folder)

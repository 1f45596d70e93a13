"""Scores, confusions and classes, counted by hand."""

from __future__ import annotations

import pytest

from l3embed.errors import OpenL3Error
from l3embed.evaluation.file_format import read_file_predictions
from l3embed.evaluation.scores import Score
from l3embed.report.classification import Confusion, classifications
from l3embed.report.formatting import format_count, format_share
from l3embed.report.templating import template_environment

from .conftest import Project

PAIRS = [("a", "a")] * 5 + [("a", "b")] * 1 + [("b", "b")] * 2 + [("b", "c")] * 1 + [("c", "a")] * 2
FIGURES = {
    "classes": 3,
    "chance": 0.545455,
    "linear_probe": {"accuracy": 0.7, "accuracy_low": 0.5, "accuracy_high": 0.9, "macro_f1": 0.5},
}


@pytest.fixture
def evaluated(project: Project) -> Project:
    project.write_evaluation("audio", PAIRS, FIGURES)
    return project


def test_the_matrix_counts_pairs(evaluated: Project) -> None:
    (found,) = classifications(evaluated.inputs.evaluation)
    assert found.labels == ("a", "b", "c")
    assert found.matrix == ((5, 1, 0), (0, 2, 1), (2, 0, 0))
    assert found.files == 11


def test_each_class_has_its_figures(evaluated: Project) -> None:
    (found,) = classifications(evaluated.inputs.evaluation)
    first, _, last = found.classes
    assert (first.label, first.files) == ("a", 6)
    assert (first.precision, first.recall, first.f1) == pytest.approx((5 / 7, 5 / 6, 10 / 13))
    assert (last.files, last.precision, last.recall, last.f1) == (2, 0, 0, 0)


def test_scores_stand_next_to_naming_the_largest_class(evaluated: Project) -> None:
    (found,) = classifications(evaluated.inputs.evaluation)
    accuracy, macro_f1 = found.scores
    assert accuracy.score == Score(0.7, low=0.5, high=0.9)
    assert (macro_f1.score.value, macro_f1.score.has_interval) == (0.5, False)
    # Six of eleven files are of class a: recall 1 and that precision for it, and nothing for the two others.
    assert accuracy.chance == pytest.approx(6 / 11, abs=1e-6)
    assert macro_f1.chance == pytest.approx(2 * (6 / 11) * 1 / (6 / 11 + 1) / 3, abs=1e-6)


def test_the_most_frequent_confusions_come_first(project: Project) -> None:
    project.write_evaluation("audio", [*PAIRS, *[("b", "a")] * 3], FIGURES)
    (found,) = classifications(project.inputs.evaluation)
    assert found.confusions[0] == Confusion("b", "a", count=3, files=6)
    assert [confusion.count for confusion in found.confusions] == [3, 2, 1, 1]


def test_what_was_not_evaluated_has_its_reason(project: Project) -> None:
    project.write_evaluation("image", [], {"files": 3, "reason": "no labels"})
    (found,) = classifications(project.inputs.evaluation)
    assert (found.modality.value, found.reason, found.scores) == ("image", "no labels", ())


def test_without_an_evaluation_there_is_nothing(project: Project) -> None:
    assert classifications(project.inputs.evaluation) == []


@pytest.mark.parametrize("content", ["", "[1]", '{"audio": 3}'], ids=["empty", "no object", "no figures"])
def test_metrics_that_hold_no_evaluation_are_named(evaluated: Project, content: str) -> None:
    (evaluated.inputs.evaluation / "metrics.json").write_text(content)
    with pytest.raises(OpenL3Error, match=r"metrics\.json: .* Run 'dvc repro -f evaluate'"):
        classifications(evaluated.inputs.evaluation)


def test_figures_without_predictions_say_so(evaluated: Project) -> None:
    (evaluated.inputs.evaluation / "audio_predictions.csv").unlink()
    (found,) = classifications(evaluated.inputs.evaluation)
    assert found.reason == "there are no predictions"


def test_what_an_older_evaluation_does_not_tell_is_left_out(project: Project) -> None:
    project.write_evaluation("audio", PAIRS, {"linear_probe": FIGURES["linear_probe"]})
    (project.inputs.evaluation / "audio_classes.csv").unlink()
    (found,) = classifications(project.inputs.evaluation)
    assert (found.classes, [line.chance for line in found.scores]) == ((), [None, None])
    assert found.files == 11


def test_where_windows_were_evaluated_the_page_counts_windows_and_lists_no_files(project: Project) -> None:
    project.write_evaluation("audio", PAIRS, FIGURES | {"unit": "window"})
    (found,) = classifications(project.inputs.evaluation)
    assert (found.unit, found.files) == ("window", 11)
    read = read_file_predictions(project.inputs.evaluation)
    assert not any(read.values())
    environment = template_environment()
    environment.filters |= {"count": format_count, "share": format_share}
    words = {"classifications": [found], "few_classes": 12, "most_matrix_classes": 60, "most_open_rows": 20}
    page = environment.get_template("classification.html.j2").render(**words)
    assert "11 windows of 3 classes" in page
    assert "data-cell" not in page
    assert "Windows</th>" in page

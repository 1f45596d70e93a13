"""Labels of parts of sounds, from their files to what is evaluated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from l3embed.disk.seals import is_sealed
from l3embed.evaluation import labelled_windows
from l3embed.evaluation.evaluation import EvaluationOptions, evaluate
from l3embed.export.formats import RowLayout, Rows
from l3embed.export.loading import load_export
from l3embed.export.timed_labels import TimedKind, TimedLabels
from l3embed.export.window_labels import WINDOWS_CSV, read_window_labels
from l3embed.stages import evaluate as evaluate_stage
from l3embed.stages.export import ExportOptions
from l3embed.stages.output_folder import Layout
from l3embed.variants import Modality

from .conftest import write_audio
from .standin import Project

FILES = 4
SECONDS = 4.0


@pytest.fixture
def labelled(project: Project, tmp_path: Path) -> Project:
    """Four sounds whose first two seconds are ``quiet``, and whose last one is ``loud``."""
    for number in range(FILES):
        write_audio(project.dataset / f"{number}.wav", SECONDS)
        labels = tmp_path / "labels" / f"{number}.txt"
        labels.parent.mkdir(exist_ok=True)
        labels.write_text("0\t2\tquiet\n3\t4\tloud\n", encoding="utf-8")
    options = ExportOptions(TimedLabels(TimedKind.AUDACITY, tmp_path / "labels"))
    project = replace(project, export_options=options)
    project.run()
    return project


def test_windows_have_the_labels_of_the_parts_that_they_are_of(labelled: Project) -> None:
    """Centred, every half second: the rule, by hand, for windows of a second around their times."""
    windows = read_window_labels(labelled.export_folder)
    assert windows is not None
    own = {window.time_s: window.label for window in windows if window.path == "2.wav"}
    expected = dict.fromkeys((0.0, 0.5, 1.0, 1.5, 2.0), "quiet") | dict.fromkeys((3.0, 3.5), "loud")
    assert own == expected
    assert is_sealed(labelled.export_folder / WINDOWS_CSV)


def test_windows_that_are_not_centred_begin_at_their_times(labelled: Project) -> None:
    project = replace(labelled, export_options=replace(labelled.export_options, center=False))
    project.export()
    windows = read_window_labels(project.export_folder)
    assert windows is not None
    own = {window.time_s for window in windows if window.path == "2.wav" and window.label == "quiet"}
    assert own == {0.0, 0.5, 1.0, 1.5}


def test_load_export_gives_each_frame_its_own_label(labelled: Project) -> None:
    loaded = load_export(labelled.export_folder)
    own = loaded.labels[loaded.paths == "1.wav"]
    assert own[:6].tolist() == ["quiet"] * 5 + [""]
    assert own[6] == "loud"


def test_evaluate_works_on_windows_and_holds_files_out_together(
    labelled: Project,
) -> None:
    found = evaluate(labelled.export_folder, EvaluationOptions(folds=4, resamples=10))[Modality.AUDIO]
    assert found.unit == "window"
    loaded = load_export(labelled.export_folder)
    assert found.files == int((loaded.labels != "").sum())
    folds: dict[str, set[str]] = {}
    for prediction in found.predictions:
        folds.setdefault(prediction.path.partition("@")[0], set()).add(prediction.fold)
    assert {len(each) for each in folds.values()} == {1}
    assert len({fold for each in folds.values() for fold in each}) == 4
    assert {prediction.path for prediction in found.predictions} > {"2.wav@0", "2.wav@0.5", "2.wav@3"}
    assert not any("copies" in note or "copy" in note for note in found.notes)
    assert any("windows have no label" in note for note in found.notes)


def test_the_stage_counts_windows(labelled: Project) -> None:
    said = evaluate_stage.run(EvaluationOptions(folds=4, resamples=10), Layout(labelled.folder))
    count = int((load_export(labelled.export_folder).labels != "").sum())
    assert f"audio: {count} windows in 2 classes" in said


def test_windows_of_a_parquet_dataset_are_evaluated_alike(labelled: Project) -> None:
    options = EvaluationOptions(folds=4, resamples=10)
    expected = evaluate(labelled.export_folder, options)[Modality.AUDIO]
    replace(labelled, export_options=replace(labelled.export_options, formats=("parquet",))).export()
    found = evaluate(labelled.export_folder, options)[Modality.AUDIO]
    assert found.predictions == expected.predictions
    assert len(found.predictions) == 28


def test_of_very_many_windows_some_are_drawn(labelled: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelled_windows, "MOST_WINDOWS", 20)
    found = evaluate(labelled.export_folder, EvaluationOptions(folds=4, resamples=10))[Modality.AUDIO]
    assert found.files == 20
    assert "20 of 28 windows with labels were drawn at random" in found.notes


def test_without_a_row_for_each_window_the_reason_is_told(labelled: Project) -> None:
    options = replace(labelled.export_options, formats=("parquet",), row_layout=RowLayout(Rows.FILES))
    replace(labelled, export_options=options).export()
    found = evaluate(labelled.export_folder, EvaluationOptions())[Modality.AUDIO]
    assert found.reason == labelled_windows.NO_FRAMES


def test_labels_of_another_source_leave_no_windows_behind(labelled: Project) -> None:
    replace(labelled, export_options=ExportOptions()).export()
    assert read_window_labels(labelled.export_folder) is None
    assert np.all(load_export(labelled.export_folder).labels == "")

"""A sweep's tables and chart."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from l3embed.app.sweep import read_jobs, write_outcome
from l3embed.app.sweep_tables import Job, markdown, swept_keys, write_sweep
from l3embed.disk.json_files import write_json
from l3embed.evaluation.classifiers import Classifier
from l3embed.evaluation.file_format import Figures
from l3embed.evaluation.scores import Measure, Score
from l3embed.export.manifest import ManifestRow, write_manifest
from l3embed.variants import Modality


def quality(accuracy: float) -> dict[Modality, Figures]:
    """What an evaluation has of sounds; the sweep shows the others' intervals nowhere."""
    scores = {
        (Classifier.LINEAR_PROBE, Measure.ACCURACY): Score(accuracy, accuracy - 0.1, accuracy + 0.05),
        (Classifier.LINEAR_PROBE, Measure.MACRO_F1): Score(accuracy - 0.02, 0, 1),
        (Classifier.KNN, Measure.ACCURACY): Score(accuracy - 0.2, 0, 1),
    }
    return {Modality.AUDIO: Figures(scores=scores)}


JOBS = [
    Job(
        0,
        {"model.input_repr": "mel128", "weights": "random"},
        "ok",
        quality=quality(0.7),
        compute_s=12.34,
        run_s=15.0,
        size_mb=1.5,
        counts={"computed": 3, "reused": 0, "failed": 1},
    ),
    Job(
        1,
        {"model.input_repr": "mel256", "weights": "random"},
        "ok",
        quality=quality(0.85),
        compute_s=1234.5,
        run_s=9.0,
        size_mb=18.0,
        counts={"computed": 0, "reused": 3, "failed": 1},
    ),
    Job(2, {"model.input_repr": "mel64", "weights": "random"}, "failed", "mel64 is not allowed | at all."),
]


def test_only_settings_that_differ_are_shown() -> None:
    assert swept_keys(JOBS) == ["model.input_repr"]


def test_all_settings_of_a_single_job_are_shown() -> None:
    assert swept_keys(JOBS[:1]) == ["model.input_repr", "weights"]


def test_the_readers_table_has_a_line_for_each_job_with_the_best_in_bold() -> None:
    lines = markdown(JOBS, ["model.input_repr"]).splitlines()
    assert lines[:5] == [
        "| job | input repr | sounds, % | seconds | MB |",
        "| --: | :-- | --: | --: | --: |",
        "| 0 | mel128 | 70.0 (60 to 75) | 12.3 | 1.5 |",
        "| 1 | mel256 | **85.0** (75 to 90) | 1,234 | 18.0 |",
        "| 2 | mel64 |  | failed |  |",
    ]
    assert lines[-1] == "Job 2 failed: mel64 is not allowed | at all."


def test_a_bar_in_a_setting_does_not_break_the_table() -> None:
    job = Job(0, {"dataset.path": "a|b"}, "ok")
    assert r"| a\|b |" in markdown([job], ["dataset.path"])


def test_the_programs_table_has_every_figure(tmp_path: Path) -> None:
    write_sweep(tmp_path, JOBS)
    with (tmp_path / "sweep.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["ok", "ok", "failed"]
    assert rows[0] == {
        "job": "0",
        "model.input_repr": "mel128",
        "weights": "random",
        "status": "ok",
        "reason": "",
        "audio_accuracy": "0.7",
        "audio_low": "0.6",
        "audio_high": "0.75",
        "audio_macro_f1": "0.6799999999999999",
        "audio_knn_accuracy": "0.49999999999999994",
        "compute_s": "12.34",
        "run_s": "15.0",
        "size_mb": "1.5",
        "computed": "3",
        "reused": "0",
        "failed": "1",
    }
    assert rows[2]["reason"] == "mel64 is not allowed | at all."


def test_the_chart_is_a_picture(tmp_path: Path) -> None:
    from skimage.io import imread

    write_sweep(tmp_path, JOBS)
    picture = imread(tmp_path / "sweep.png")
    assert picture.shape[1] > 1000
    assert picture.std() > 1


@pytest.mark.parametrize("jobs", [JOBS[2:], []], ids=["all failed", "none"])
def test_without_results_there_is_a_table_and_no_chart(tmp_path: Path, jobs: list[Job]) -> None:
    write_sweep(tmp_path, jobs)
    assert {path.name for path in tmp_path.iterdir()} == {"sweep.csv", "sweep.md"}


def test_jobs_that_could_not_be_evaluated_are_compared_by_cost(tmp_path: Path) -> None:
    jobs = [Job(number, {"windows.hop_s": str(number)}, "ok", compute_s=1, size_mb=1) for number in (0, 1)]
    write_sweep(tmp_path, jobs)
    assert (tmp_path / "sweep.png").is_file()
    assert "Accuracy" not in (tmp_path / "sweep.md").read_text()


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """The folder of a sweep with two jobs."""
    for number in range(2):
        job = tmp_path / str(number)
        (job / ".hydra").mkdir(parents=True)
        (job / ".hydra" / "hydra.yaml").write_text(f"hydra: {{job: {{num: {number}}}}}")
        (job / ".hydra" / "overrides.yaml").write_text(f"- evaluation.seed={number}")
        write_outcome(job, "", 1.0)
        row = ManifestRow("a.wav", "audio", frames=2, dimension=512, seconds=0.5)
        (job / "export").mkdir()
        write_manifest(job / "export", [row])
        write_json(job / "metrics" / "embed.json", {"computed": 1, "reused": 0, "failed": 0})
    return tmp_path


def test_jobs_are_read_with_what_they_left(sweep: Path) -> None:
    first, second = read_jobs(sweep)
    assert (first.status, first.size_mb, first.compute_s, first.run_s) == ("ok", 0.004, 0.5, 1.0)
    assert second.choices == {"evaluation.seed": "1"}


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[1, {"], ids=["emptied", "no text", "cut"])
@pytest.mark.parametrize(
    "name",
    [
        *(".hydra/hydra.yaml", ".hydra/overrides.yaml", "outcome.json"),
        *("export/manifest.csv", "metrics/embed.json"),
    ],
)
def test_a_job_whose_files_are_damaged_has_failed_and_the_others_have_not(
    sweep: Path, name: str, content: bytes
) -> None:
    (sweep / "1" / name).write_bytes(content)
    first, second = read_jobs(sweep)
    assert (first.number, first.status) == (0, "ok")
    if second.status == "ok":  # without any choices
        assert (name, content, second.choices) == (".hydra/overrides.yaml", b"", {})
    else:
        assert (second.number, second.status) == (1, "failed")
        assert str(sweep / "1") in second.reason

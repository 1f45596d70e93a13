"""What the first section says, from manifests and metrics of all kinds."""

from __future__ import annotations

from pathlib import Path

import pytest

from l3embed.report.overview import StageMetrics, overview

from .conftest import STAGES, Project, audio_row


def stage(project: Project, content: object, name: str = "embed") -> StageMetrics:
    project.write_metrics(name, content)
    (found,) = overview([], project.inputs.metrics, STAGES).stages
    return found


def test_a_manifest_is_summed_up_by_modality(tmp_path: Path) -> None:
    rows = [
        audio_row("a.mp4", duration_s=2.5, frames=4),
        audio_row("b.wav", duration_s=1.5, frames=3),
        audio_row("c.wav", status="failed", duration_s=9.0, frames=0),
        audio_row("a.mp4", modality="image", frames=30),
    ]
    found = overview(rows, tmp_path, STAGES)
    assert (found.files, found.files_done) == (3, 2)
    audio, image = found.modalities
    assert (audio.inputs, audio.done, audio.failed, audio.embeddings) == (3, 2, 1, 7)
    assert (audio.duration_s, image.embeddings) == (4.0, 30)
    assert [row.path for row in found.failures] == ["c.wav"]


def test_counts_and_speed_of_a_stage_are_its_own(project: Project) -> None:
    content = {
        "inputs": 24,
        "computed": 20,
        "reused": 3,
        "failed": 1,
        "seconds": 3.2,
        "embeddings_per_s": 241.3,
    }
    found = stage(project, content)
    assert found.counts == {"inputs": 24, "computed": 20, "reused": 3, "failed": 1}
    assert (found.seconds, found.speed, found.others) == (3.2, "241 embeddings/s", ())


def test_a_speed_that_a_stage_does_not_give_follows_from_its_time(project: Project) -> None:
    assert stage(project, {"computed": 24, "seconds": 3.0}).speed == "8 inputs/s"


def test_time_that_went_into_reusing_gives_no_speed(project: Project) -> None:
    assert stage(project, {"computed": 1, "reused": 99, "seconds": 3.0}).speed == ""


def test_inputs_that_a_stage_does_not_count_are_the_sum(project: Project) -> None:
    assert stage(project, {"computed": 4, "reused": 2, "failed": 1}).counts["inputs"] == 7


def test_unknown_figures_are_kept_in_plain_words(project: Project) -> None:
    content = {
        "audio_s": 49.25,
        "audio": {"peak_memory": 123456, "ratio": 0.123456},
        "devices": ["cpu", "gpu"],
        "trained": True,
        "note": None,
    }
    assert stage(project, content).others == (
        ("audio", "49.2 s"),
        ("audio peak memory", "123,456"),
        ("audio ratio", "0.1235"),
        ("devices", "cpu, gpu"),
        ("trained", "yes"),
        ("note", "none"),
    )


def test_stages_stand_in_the_order_in_which_they_run(project: Project) -> None:
    for name in ("zebra", "export", "embed", "aardvark", "preprocess"):
        project.write_metrics(name, {})
    names = [found.name for found in overview([], project.inputs.metrics, STAGES).stages]
    assert names == ["preprocess", "embed", "export", "aardvark", "zebra"]


def test_a_new_stage_of_the_table_stands_where_it_runs(project: Project) -> None:
    for name in ("export", "denoise", "embed"):
        project.write_metrics(name, {})
    stages = ("embed", "denoise", "export", "report")
    names = [found.name for found in overview([], project.inputs.metrics, stages).stages]
    assert names == ["embed", "denoise", "export"]


@pytest.mark.parametrize("content", ["", "[1, 2]", "{"], ids=["empty", "no object", "cut short"])
def test_metrics_that_hold_no_figures_stop_nothing(project: Project, content: str) -> None:
    project.write_metrics("embed", {})
    (project.inputs.metrics / "embed.json").write_text(content)
    (found,) = overview([], project.inputs.metrics, STAGES).stages
    assert (found.counts, found.seconds, found.speed, found.others) == ({}, None, "", ())


def test_an_earlier_report_is_not_told_of(project: Project) -> None:
    project.write_metrics("report", {"computed": 3})
    assert overview([], project.inputs.metrics, STAGES).stages == ()


def test_no_metrics_are_no_stages(tmp_path: Path) -> None:
    assert overview([], tmp_path / "missing", STAGES).stages == ()


@pytest.mark.parametrize(
    ("weights", "metrics", "untrained"),
    [
        ("sha256:feed", {}, ()),
        ("random:7", {}, ("random:7",)),
        ("sha256:feed", {"weights": "other:7 (untrained)"}, ("other:7",)),
        ("sha256:feed", {"trained": False, "weights": "mine"}, ("mine",)),
    ],
    ids=["trained", "manifest", "words", "flag"],
)
def test_untrained_weights_are_known(
    project: Project, weights: str, metrics: dict[str, object], untrained: tuple[str, ...]
) -> None:
    project.write_metrics("embed", metrics)
    assert overview([audio_row("a", weights=weights)], project.inputs.metrics, STAGES).untrained == untrained


def test_versions_that_differ_are_counted(tmp_path: Path) -> None:
    rows = [audio_row(str(n), packages="keras 2" if n else "keras 1") for n in range(4)]
    assert overview(rows, tmp_path, STAGES).packages == (("keras 2", 3), ("keras 1", 1))

"""A new stage is one module and one row: this file is the module, and shows what the row brings about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from stages.conftest import REPOSITORY

from l3embed.app import stage
from l3embed.app.params import compose_params
from l3embed.app.pipeline import STAGES, run_stage
from l3embed.app.settings import Settings, read_settings
from l3embed.report.overview import read_metrics
from l3embed.stages.metrics import StageMetrics
from l3embed.stages.output_folder import Layout
from l3embed.store.entries import Store


def run_standin(settings: Settings, layout: Layout, store: Store) -> str:
    """Count the letters of the dataset's name."""
    metrics = StageMetrics(layout.metrics_of("standin"))
    metrics.write({"computed": len(settings.dataset.name)})
    return f"standin: {len(settings.dataset.name)} letters"


@pytest.fixture(autouse=True)
def _row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row, between the stages that are there."""
    stages = list(STAGES.items())
    monkeypatch.setitem(STAGES, "standin", run_standin)
    for name, run in stages[stages.index(("report", STAGES["report"])) :]:
        monkeypatch.delitem(STAGES, name)
        monkeypatch.setitem(STAGES, name, run)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, with the settings that are set by default."""
    (tmp_path / "params.yaml").write_text(compose_params(REPOSITORY / "conf"), encoding="utf-8")
    monkeypatch.setenv("L3EMBED_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_is_run_by_its_name_as_dvc_does(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stage.main(["standin"]) == 0
    assert capsys.readouterr().err == "standin: 6 letters\n"
    assert json.loads((project / "data" / "metrics" / "standin.json").read_text())["computed"] == 6


def test_it_is_run_with_the_others(project: Path) -> None:
    assert list(STAGES)[-2:] == ["standin", "report"]
    assert run_stage("standin", read_settings(), Layout()) == "standin: 6 letters"


def test_a_wrong_name_is_told_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        stage.main(["no such stage"])
    assert "standin" in capsys.readouterr().err


def test_the_report_tells_of_it_in_its_place(project: Path) -> None:
    run_stage("standin", read_settings(), Layout())
    folder = Layout().folder("metrics")
    for name in ("preprocess", "evaluate"):
        (folder / f"{name}.json").write_text("{}")
    assert list(read_metrics(folder, tuple(STAGES))) == ["preprocess", "evaluate", "standin"]

"""``l3embed-pipeline``: one run, and sweeps that share their work, outlive failures and go on when killed."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import child, run_child, wait_until
from stages.conftest import REPOSITORY, write_audio
from stages.standin import SITE

from l3embed.app import run as program
from l3embed.app.job import limit_threads

pytestmark = pytest.mark.slow

RECORDINGS = 4
QUICK = (
    "experiment=quick",
    "model.input_repr=mel128",
    "dataset=folder",
    "dataset.path=sounds",
    "dataset.modality=audio",
    "report.projection=pca",
)


class Project:
    """A folder with ``conf/`` and labelled recordings, and a store of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(REPOSITORY / "conf", folder / "conf")
        for number in range(RECORDINGS):
            seconds = 1 + number / 10
            write_audio(folder / "sounds" / ("low", "high")[number % 2] / f"{number}.wav", seconds)
        self.environment = {
            **os.environ,
            "L3EMBED_STORE": str(folder / "store"),
            **SITE,
            "PYTHONUTF8": "1",
        }

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "l3embed.app.run", *arguments, *QUICK]

    def run(self, *arguments: str, status: int = 0) -> str:
        done = run_child(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stderr=subprocess.STDOUT,
            status=status,
        )
        return done.stdout

    def counts(self, stage: str, sweep: str = "sweep") -> list[tuple[int, int, int]]:
        """What each job of a sweep computed, reused and lost in a stage."""
        files = sorted(self.folder.glob(f"{sweep}/*/metrics/{stage}.json"))
        metrics = [json.loads(path.read_text()) for path in files]
        return [(figures["computed"], figures["reused"], figures["failed"]) for figures in metrics]

    def table(self, sweep: str = "sweep") -> list[dict[str, str]]:
        with (self.folder / sweep / "sweep.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_single_run_writes_what_dvc_would(project: Project) -> None:
    project.run("hydra.run.dir=here")
    with np.load(project.folder / "here" / "export" / "low" / "0.npz") as arrays:
        assert arrays["embedding"].shape == (2, 512)
    assert (project.folder / "here" / "report" / "index.html").is_file()
    assert (project.folder / "here" / "evaluation" / "metrics.json").is_file()


def test_a_single_run_that_fails_says_why_and_ends_with_1(project: Project) -> None:
    said = project.run("model.content_type=noise", status=1)
    assert "model.content_type must be one of music, env; got 'noise'." in said
    assert "Traceback" not in said


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """A sweep over four jobs, two of which cannot be run."""
    project = Project(tmp_path_factory.mktemp("sweep"))
    said = project.run(
        "-m",
        "hydra.sweep.dir=sweep",
        "model.audio_embedding_size=512,6144",
        "model.content_type=music,noise",
        status=1,
    )
    return project, said


def test_sounds_are_decoded_once_for_all_jobs(swept: tuple[Project, str]) -> None:
    assert swept[0].counts("preprocess") == [(RECORDINGS, 0, 0), (0, RECORDINGS, 0)]


def test_each_variant_is_embedded(swept: tuple[Project, str]) -> None:
    assert swept[0].counts("embed") == [(RECORDINGS, 0, 0), (RECORDINGS, 0, 0)]


def test_a_failed_job_takes_no_other_along_and_is_named(swept: tuple[Project, str]) -> None:
    rows = swept[0].table()
    assert [row["status"] for row in rows] == ["ok", "failed", "ok", "failed"]
    assert rows[1]["reason"] == "model.content_type must be one of music, env; got 'noise'."


def test_each_job_has_its_settings_in_its_folder(swept: tuple[Project, str]) -> None:
    settings = yaml.safe_load((swept[0].folder / "sweep/2/.hydra/config.yaml").read_text(encoding="utf-8"))
    assert settings["model"]["audio_embedding_size"] == 6144


def test_a_sweep_ends_with_its_table_and_chart(swept: tuple[Project, str]) -> None:
    project, said = swept
    assert "| 6144 | music |" in said
    assert said.rstrip().endswith("4 jobs, 2 failed: sweep/sweep.csv, sweep/sweep.md, sweep/sweep.png")
    assert {"sweep.csv", "sweep.md", "sweep.png"} <= {path.name for path in project.folder.glob("sweep/*")}


def test_the_table_compares_quality_seconds_and_size(swept: tuple[Project, str]) -> None:
    small, _, large, _ = swept[0].table()
    assert 0 <= float(small["audio_accuracy"]) <= 1
    assert float(small["compute_s"]) > 0
    assert float(large["size_mb"]) == pytest.approx(12 * float(small["size_mb"]), rel=0.05)


def test_a_killed_sweep_goes_on(project: Project) -> None:
    arguments = ("-m", "hydra.sweep.dir=sweep", "model.audio_embedding_size=512,6144")
    outcome = project.folder / "sweep" / "0" / "outcome.json"
    with child(project.command(*arguments), cwd=project.folder, env=project.environment) as process:
        wait_until(outcome.exists, process)
    project.run(*arguments)
    assert project.counts("preprocess") == [(0, RECORDINGS, 0)] * 2
    assert project.counts("embed")[0] == (0, RECORDINGS, 0)


@pytest.mark.parametrize("launcher", ["cores", "slurm_local"])
def test_jobs_in_processes_of_their_own_share_the_work(project: Project, launcher: str) -> None:
    project.run(
        "-m",
        "hydra.sweep.dir=sweep",
        f"hydra/launcher={launcher}",
        "model.content_type=music,env",
    )
    assert [row["status"] for row in project.table()] == ["ok", "ok"]
    assert sum(computed for computed, _, _ in project.counts("preprocess")) == RECORDINGS
    assert sum(reused for _, reused, _ in project.counts("preprocess")) == RECORDINGS


@pytest.mark.parametrize(("jobs", "threads"), [(1, 8), (2, 4), (3, 2), (99, 1), (-1, 1)])
def test_jobs_that_run_at_once_share_out_the_cores(
    monkeypatch: pytest.MonkeyPatch, jobs: int, threads: int
) -> None:
    monkeypatch.setattr("l3embed.app.job.available_threads", lambda: 8)
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT", raising=False)
    limit_threads(jobs)
    assert os.environ.pop("LOKY_MAX_CPU_COUNT") == str(threads)


def test_a_number_of_threads_in_the_environment_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "5")
    limit_threads(1)
    assert os.environ["LOKY_MAX_CPU_COUNT"] == "5"


def test_a_launcher_that_is_not_installed_names_its_command(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr("l3embed.app.launch._is_installed", lambda module: False)
    assert program.main(["-m", "hydra/launcher=slurm", "model=music,music_512"]) == 1
    assert "pip install 'l3embed[slurm]'" in capsys.readouterr().err


def test_outside_the_project_the_program_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert program.main([]) == 1
    assert "Run this in the project's folder" in capsys.readouterr().err

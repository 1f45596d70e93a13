"""A run by jobs: what each of them is told, and that they find each other's results."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from conftest import run_child
from stages.conftest import write_audio
from stages.standin import SITE

from l3embed.app import submission
from l3embed.app.params import compose_params
from l3embed.app.settings import Settings, parse_settings
from l3embed.app.submission import check_can_be_submitted, submit
from l3embed.errors import OpenL3Error

CONF = Path(__file__).parents[2] / "conf"


def settings(*overrides: str) -> Settings:
    return parse_settings(yaml.safe_load(compose_params(CONF, ["layout=packed", *overrides])))


class Written:
    """An engine that writes down what it is to run."""

    def run(self, commands: Sequence[Sequence[str]], last: Sequence[str], logs: Path) -> None:
        self.commands, self.last, self.logs = commands, last, logs


def test_each_job_is_a_shard_of_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Written()
    monkeypatch.setattr(submission, "command_engine", lambda *_: engine)
    overrides = [
        "engine=slurm",
        "engine.shards=2",
        "layout=packed",
        "dataset.path='a b,c'",
        "windows.hop_s=1",
    ]
    submit(settings(*overrides[:2]), Path("runs/it's mine"), overrides)

    own = ["engine=local", "hydra.run.dir='runs/it\\'s mine'"]
    kept = ["layout=packed", "dataset.path='a b,c'", "windows.hop_s=1"]
    program = [sys.executable, "-m", "l3embed.app.run"]
    assert [[*program, *kept, own[0], f"shard={shard}", own[1]] for shard in ("0/2", "1/2", "all")] == [
        *engine.commands,
        engine.last,
    ]
    assert engine.logs == Path("runs/it's mine/jobs")


def test_jobs_need_a_folder_that_is_found_again() -> None:
    check_can_be_submitted(settings("engine=slurm"), "runs/birds", is_sweep=False)
    with pytest.raises(OpenL3Error, match=r"engine=slurm needs a folder .*hydra\.run\.dir=runs/NAME"):
        check_can_be_submitted(settings("engine=slurm"), "runs/${now:%Y-%m-%d}", is_sweep=False)


def test_a_sweep_has_its_own_way_to_slurm() -> None:
    with pytest.raises(OpenL3Error, match=r"For a sweep set hydra/launcher=slurm"):
        check_can_be_submitted(settings("engine=slurm"), "runs/birds", is_sweep=True)


@pytest.mark.parametrize("engine", ["ray", "slurm"])
def test_engines_are_for_packed_runs(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "l3embed.app.engine_settings.check_engine", lambda *_: None
    )  # it may not be installed
    with pytest.raises(OpenL3Error, match=rf"engine={engine} goes with layout=packed; got layout=files"):
        settings(f"engine={engine}", "layout=files")
    with pytest.raises(OpenL3Error, match=rf"shard=0/2 goes with engine=local; got engine={engine}"):
        settings(f"engine={engine}", "shard=0/2")


@pytest.mark.slow
def test_a_run_by_jobs_is_the_run_in_one_call(tmp_path: Path) -> None:
    shutil.copytree(CONF, tmp_path / "conf")
    for number in range(20):
        write_audio(tmp_path / "sounds" / f"class {number % 2}" / f"{number}.wav")
    (tmp_path / "sounds" / "class 1" / "none.wav").write_bytes(b"")
    words = ["dataset=folder", "dataset.path=sounds", "layout=packed", "weights=random", "model=music_512"]
    command = [
        sys.executable,
        "-m",
        "l3embed.app.run",
        *words,
        "model.input_repr=mel128",
        "evaluation.folds=2",
    ]

    def run(name: str, *own: str) -> Path:
        environment = {**os.environ, **SITE, "L3EMBED_STORE": str(tmp_path / f"store of {name}")}
        run_child([*command, *own, f"hydra.run.dir=runs/{name}"], cwd=tmp_path, env=environment)
        return tmp_path / "runs" / name / "export"

    whole = run("whole")
    jobs = run("jobs", "engine=slurm", "engine.executor=local", "engine.shards=2")
    parts = [path.relative_to(whole) for path in sorted(whole.rglob("part-*.parquet"))]
    assert len(parts) > 1
    for part in parts:
        assert (jobs / part).read_bytes() == (whole / part).read_bytes()
    tables = [pq.read_table(export / "manifest.parquet") for export in (jobs, whole)]
    ours, theirs = (table.drop_columns("seconds") for table in tables)
    assert ours.equals(theirs)
    assert (jobs.parent / "report" / "index.html").is_file()

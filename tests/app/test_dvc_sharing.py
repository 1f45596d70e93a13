"""Work that is done once: by clones of a project, by experiments, and by a run that goes on after a kill."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import child, wait_until
from stages.conftest import write_audio
from stages.standin import STOP_VARIABLE

from .test_dvc import STAGES, Project, make_project, ran

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")]

RECORDINGS = 12


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project in git, with labelled recordings and one that cannot be read; nothing has been run."""
    project = make_project(tmp_path)
    for number in range(RECORDINGS):
        write_audio(project.recordings / ("low", "high")[number % 2] / f"{number}.wav", 0.5 + number / 10)
    (project.recordings / "low" / "bad.wav").write_bytes(b"RIFF")
    return project


def commit(project: Project) -> None:
    project.call("git", "add", "--all")
    project.call("git", "commit", "--quiet", "--message=done")


def test_another_clone_pulls_what_was_pushed_and_computes_nothing(project: Project, tmp_path: Path) -> None:
    project.dvc("remote", "add", "--default", "backup", str(tmp_path / "remote"))
    project.dvc("repro")
    commit(project)
    project.dvc("push")
    project.call("git", "clone", "--quiet", str(project.folder), str(tmp_path / "clone"))
    other_store = tmp_path / "other store"
    clone = replace(
        project,
        folder=tmp_path / "clone",
        environment={**project.environment, "L3EMBED_STORE": str(other_store)},
    )
    assert ran(clone.dvc("repro", "--pull")) == []
    assert not other_store.exists()
    name = "data/export/low/0.npz"
    with np.load(clone.folder / name) as pulled, np.load(project.folder / name) as computed:
        np.testing.assert_array_equal(pulled["embedding"], computed["embedding"])
    assert (clone.folder / "data/report/index.html").is_file()


def test_queued_experiments_preprocess_once(project: Project) -> None:
    variants = "model.input_repr=mel128,mel256"
    project.dvc("exp", "run", "--queue", *(f"-S={setting}" for setting in (*project.base, variants)))
    said = project.dvc("exp", "run", "--run-all")
    counts = re.findall(r"^preprocess: \d+ audio: (.*);", said, re.MULTILINE)
    assert counts == [f"{RECORDINGS} computed, 0 reused, 1 failed"]
    shown = list(csv.DictReader(project.dvc("exp", "show", "--csv").splitlines()))
    assert {row["audio.variant"] for row in shown if row["typ"].startswith("branch")} == {
        f"audio_{input_repr}_music_512_kapre" for input_repr in ("mel128", "mel256")
    }


def test_a_killed_repro_goes_on_where_it_was(project: Project, tmp_path: Path) -> None:
    params = project.folder / "params.yaml"
    # In one batch all recordings would come to their end together.
    params.write_text(params.read_text().replace("batch_size: 32", "batch_size: 4"))
    kept = RECORDINGS // 3
    environment = {**project.environment, STOP_VARIABLE: f"embed {kept}"}
    store = tmp_path / "store" / "embed"
    command = [sys.executable, "-m", "dvc", "repro"]
    with child(command, cwd=project.folder, env=environment, stdout=subprocess.DEVNULL) as process:
        wait_until(lambda: len(list(store.glob("??/[!.]*.json"))) == kept, process)
    said = project.dvc("repro")
    assert ran(said) == STAGES
    assert project.counts()["embed"] == (RECORDINGS - kept, kept, 1)

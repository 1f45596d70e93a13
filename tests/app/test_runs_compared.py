"""Two runs of the whole pipeline compared: embeddings of other sizes, and files that were renamed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from conftest import run_child

from .test_sweep import RECORDINGS, Project

pytestmark = pytest.mark.slow


def test_two_runs_of_the_pipeline_are_compared(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.run("hydra.run.dir=one", "model.audio_embedding_size=512")
    sounds = project.folder / "sounds"
    (sounds / "low" / "0.wav").rename(sounds / "low" / "renamed.wav")
    (sounds / "high" / "1.wav").rename(sounds / "low" / "1.wav")
    project.run("hydra.run.dir=two", "model.audio_embedding_size=6144")

    done = run_child(
        [sys.executable, "-m", "l3embed", "report", "one", "two", "--json"],
        cwd=project.folder,
        env=project.environment,
    )

    found = json.loads(done.stdout)
    assert found["files"]["both"] == RECORDINGS
    assert {(each["a"], each["b"]) for each in found["files"]["renamed"]} == {
        ("low/0.wav", "low/renamed.wav"),
        ("high/1.wav", "low/1.wav"),
    }
    assert found["files"]["relabelled"] == [{"path": "low/1.wav", "a": "high", "b": "low"}]
    settings = {each["name"]: (each["a"], each["b"]) for each in found["settings"]}
    assert settings["model.audio_embedding_size"] == ("512", "6144")
    assert settings["dimension (audio)"] == ("512", "6144")
    assert found["modalities"]["audio"]["neighbours"]["compared"] == RECORDINGS
    assert (project.folder / "comparison.html").is_file()

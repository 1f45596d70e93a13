"""The pipeline as DVC runs it: what a change re-runs, and what it does not."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from conftest import run_child
from stages.conftest import REPOSITORY, write_audio
from stages.standin import SITE

from l3embed.app.params import compose_params

pytestmark = pytest.mark.slow

COPIED = ("conf", "src/l3embed", "dvc.yaml", ".dvc/config", ".dvcignore", ".gitignore", "data/.gitignore")
QUICK = ("experiment=quick", "model.input_repr=mel128", "dataset.modality=audio", "report.projection=pca")
STAGES = ["embed", "export", "evaluate", "report"]
"""Those that run in this order, after the first three."""


@dataclass(frozen=True)
class Project:
    """A copy of the project, with recordings next to it and an environment of its own."""

    folder: Path
    recordings: Path
    environment: dict[str, str]

    @property
    def base(self) -> tuple[str, ...]:
        """The settings that all tests begin with."""
        return (*QUICK, "dataset=folder", f"dataset.path='{self.recordings}'")

    def compose(self, *overrides: str) -> str:
        text = compose_params(self.folder / "conf", [*self.base, *overrides])
        (self.folder / "params.yaml").write_text(text, encoding="utf-8")
        return text

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """What each stage computed, reused and lost when it ran last."""
        figures = {
            path.stem: json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(self.folder.glob("data/metrics/*.json"))
        }
        return {
            stage: (content["computed"], content["reused"], content["failed"])
            for stage, content in figures.items()
            if "computed" in content
        }

    def call(self, *command: str, status: int = 0) -> str:
        """Run a command and return what it said."""
        done = run_child(
            command, cwd=self.folder, env=self.environment, stderr=subprocess.STDOUT, status=status
        )
        return done.stdout

    def dvc(self, *arguments: str, status: int = 0) -> str:
        return self.call(sys.executable, "-m", "dvc", *arguments, status=status)

    def changed_stages(self) -> set[str]:
        """The stages that ``dvc repro`` would begin to re-run with, behind the check, and those that wait."""
        changed = set(re.findall(r"^([\w@]+):$", self.dvc("status"), re.MULTILINE))
        assert "check" in changed
        return changed - {"check"}

    def manifest(self) -> dict[str, str]:
        with (self.folder / "data/export/manifest.csv").open(newline="", encoding="utf-8") as file:
            return {row["path"]: row["status"] for row in csv.DictReader(file)}


def ran(said: str) -> list[str]:
    """The stages that a run has run."""
    return re.findall(r"^Running stage '(.+)':$", said, re.MULTILINE)


def make_project(home: Path) -> Project:
    """Copy the project and put it into git; there are no recordings yet."""
    project = Project(home / "project", home / "my recordings", environment(home))
    for name in COPIED:
        source, target = REPOSITORY / name, project.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    project.compose()
    project.call("git", "init", "--quiet")
    project.call("git", "add", "--all")
    project.call("git", "commit", "--quiet", "--message=begin")
    return project


@pytest.fixture(scope="module")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with recordings, in which nothing has been run."""
    project = make_project(tmp_path_factory.mktemp("dvc"))
    write_audio(project.recordings / "a b" / "Ö.wav", seconds=1.2, sample_rate_hz=22_050)
    write_audio(project.recordings / "c.flac", seconds=1.0)
    (project.recordings / "broken.wav").write_bytes(b"RIFF")
    return project


def environment(home: Path) -> dict[str, str]:
    """An environment without the user's settings of git and DVC, in which ``python`` is this one."""
    named = {
        f"GIT_{role}_{what}": "test@test" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    return {
        **os.environ,
        **named,
        "L3EMBED_STORE": str(home / "store"),
        **SITE,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "DVC_NO_ANALYTICS": "1",
        "DVC_GLOBAL_CONFIG_DIR": str(home / "global"),
        "DVC_SYSTEM_CONFIG_DIR": str(home / "system"),
        "DVC_SITE_CACHE_DIR": str(home / "site"),
        "PYTHONUTF8": "1",
    }


@pytest.fixture(scope="module")
def first_run(new_project: Project) -> str:
    """What DVC says when it runs the pipeline for the first time."""
    return new_project.dvc("repro")


@pytest.fixture
def project(new_project: Project, first_run: str) -> Iterator[Project]:
    """A project that is up to date, and becomes so again."""
    yield new_project
    text = (new_project.folder / "params.yaml").read_text(encoding="utf-8")
    if new_project.compose() != text:
        new_project.dvc("repro")


def test_the_first_run_runs_the_stages_in_order(first_run: str) -> None:
    assert ran(first_run)[0] == "check"
    assert sorted(ran(first_run)[1:3]) == ["preprocess", "weights"]
    assert ran(first_run)[3:] == STAGES


def test_every_stage_draws_a_bar_or_says_what_it_did(first_run: str) -> None:
    assert re.search(r"^weights: data/weights/openl3_audio_mel128_music\.h5 ", first_run, re.MULTILINE)
    for bar in ("Preprocessing", "Embedding audio", "Exporting"):
        assert re.search(rf"^{bar} \(\w+\): (\d+) of \1, ", first_run, re.MULTILINE)
    for stage in ("preprocess", "embed", "export"):
        assert re.search(rf"^{stage}: 3 \w+: 2 computed, 0 reused, 1 failed; ", first_run, re.MULTILINE)
    assert re.search(r"^evaluate: audio: ", first_run, re.MULTILINE)
    assert re.search(r"^report: 2 files, .* open data/report/index\.html$", first_run, re.MULTILINE)


def test_the_metrics_hold_the_same_counts(new_project: Project, first_run: str) -> None:
    counts = dict.fromkeys(("embed", "export", "preprocess"), (2, 0, 1))
    assert new_project.counts() == {**counts, "report": (2, 0, 0)}


def test_untrained_weights_are_warned_of_by_the_stages_that_use_them(first_run: str) -> None:
    assert len(re.findall(r"^\w+: warning: the weights .* untrained", first_run, re.MULTILINE)) == 2


def test_a_bad_file_is_in_the_manifest(project: Project) -> None:
    assert project.manifest() == {"a b/Ö.wav": "ok", "broken.wav": "failed", "c.flac": "ok"}


def test_the_outputs_are_read_by_numpy(project: Project) -> None:
    with np.load(project.folder / "data/export/a b/Ö.npz") as arrays:
        assert arrays["embedding"].shape == (2, 512)
        np.testing.assert_array_equal(arrays["timestamps"], [0.0, 1.0])


def test_a_second_run_does_nothing(project: Project) -> None:
    said = project.dvc("repro")
    assert ran(said) == []
    assert "Data and pipelines are up to date." in said


def test_metrics_say_untrained(project: Project) -> None:
    assert re.search(r"random:\d+ \(untrained\)", project.dvc("metrics", "show"))


@pytest.mark.parametrize(
    ("overrides", "stages"),
    [
        (["device.batch_size=3", "device.name=cpu"], set()),
        (["weights.base_url=https://a.mirror"], set()),
        (["model.input_repr=mel256"], {"weights", "embed"}),
        (["dataset.modality=[audio,image]"], {"preprocess"}),
        (["dataset.exclude=['*.flac']"], {"preprocess"}),
        (["labels=none"], {"export"}),
        (["export=parquet"], {"export"}),
        (["evaluation.folds=3"], {"evaluate"}),
        (["evaluation.reference=conf/config.yaml"], {"evaluate"}),
        (["report.neighbours=3"], {"report"}),
        (["on_error=fail"], {"preprocess", "embed", "export"}),
        (["windows.hop_s=0.5"], {"embed", "export"}),
        (["card.license=mit"], {"export"}),
        (["weights.seed=5"], {"weights"}),
        (["frontend=librosa"], {"preprocess", "embed"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_setting_changes_the_stages_that_depend_on_it(
    project: Project, overrides: list[str], stages: set[str]
) -> None:
    before = project.compose()
    project.compose(*overrides)
    try:
        assert project.changed_stages() == stages
    finally:
        (project.folder / "params.yaml").write_text(before, encoding="utf-8")


@dataclass(frozen=True)
class Experiment:
    """What an experiment said and left."""

    said: str
    params: str
    composed: str
    variant: str
    shown: list[dict[str, str]]


@pytest.fixture(scope="module")
def experiment(new_project: Project, first_run: str) -> Experiment:
    overrides = ("model.content_type=env", "model.input_repr=linear")
    composed = new_project.compose(*overrides)
    new_project.compose()
    said = new_project.dvc(
        "exp", "run", *(f"--set-param={override}" for override in (*new_project.base, *overrides))
    )
    params = (new_project.folder / "params.yaml").read_text(encoding="utf-8")
    with np.load(new_project.folder / "data/export/c.npz") as arrays:
        variant = str(arrays["variant"])
    shown = list(csv.DictReader(new_project.dvc("exp", "show", "--csv").splitlines()))
    new_project.compose()
    new_project.dvc("repro")
    return Experiment(said, params, composed, variant, shown)


def test_an_experiment_reruns_what_depends_on_its_settings(experiment: Experiment) -> None:
    assert ran(experiment.said) == ["check", "weights", *STAGES]
    assert experiment.variant == "audio_linear_env_512_kapre"


def test_an_experiment_leaves_params_as_they_are_composed_here(experiment: Experiment) -> None:
    assert experiment.params == experiment.composed


def test_an_experiment_is_shown_with_its_metrics(experiment: Experiment) -> None:
    row = next(row for row in experiment.shown if row["typ"].startswith("branch"))
    assert row["audio.variant"] == "audio_linear_env_512_kapre"
    assert row["data/metrics/export.json:failed"] == "1"


def test_an_experiment_with_a_wrong_value_ends_with_one_clear_line(project: Project) -> None:
    said = project.dvc("exp", "run", "--set-param=model.input_repr=mel64", status=255)
    assert "error: model.input_repr must be one of linear, mel128, mel256; got 'mel64'." in said
    assert "Traceback" not in said


@dataclass(frozen=True)
class OtherRecordings:
    """What a run said and left after one recording came and another went."""

    said: str
    manifest: dict[str, str]
    outputs: set[str]


@pytest.fixture(scope="module")
def other_recordings(new_project: Project, first_run: str) -> OtherRecordings:
    went = new_project.recordings / "c.flac"
    came = went.with_name("new.flac")
    went.rename(came)
    write_audio(came, seconds=1.1)
    said = new_project.dvc("repro")
    outputs = {path.name for path in new_project.folder.glob("data/export/*.npz")}
    left = OtherRecordings(said, new_project.manifest(), outputs)
    came.unlink()
    write_audio(went, seconds=1.0)
    new_project.dvc("repro")
    return left


def test_a_new_recording_is_embedded(other_recordings: OtherRecordings) -> None:
    assert ran(other_recordings.said) == ["check", "preprocess", *STAGES]
    assert other_recordings.manifest["new.flac"] == "ok"


def test_a_removed_recording_leaves_nothing(other_recordings: OtherRecordings) -> None:
    assert "c.flac" not in other_recordings.manifest
    assert other_recordings.outputs == {"new.npz"}


@pytest.mark.parametrize(
    ("dataset", "has_sample"), [("sample", True), ("folder", False)], ids=["sample", "folder"]
)
def test_the_sample_is_made_for_its_dataset_alone(project: Project, dataset: str, has_sample: bool) -> None:
    before = project.compose()
    project.compose(f"dataset={dataset}", "dataset.path=data/raw/sample")
    try:
        assert ("sample@" in project.dvc("stage", "list", "--name-only")) is has_sample
    finally:
        (project.folder / "params.yaml").write_text(before, encoding="utf-8")

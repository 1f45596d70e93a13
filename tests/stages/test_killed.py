"""Runs that are killed at any moment, and runs that share their work: real processes, counted."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import child, kill, wait_until

from l3embed.app.params import compose_params
from l3embed.store.pruning import prune
from l3embed.store.recipe import Step

from . import standin
from .conftest import REPOSITORY, write_audio, write_image, write_video
from .standin import PAUSE_VARIABLE, SITE, STOP_VARIABLE, Project

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")]

INPUTS = 24
"""Of the dataset below: 16 recordings, four images, and two videos, which count twice."""

STAGES = {Step.PREPROCESS: "preprocess", Step.EMBED: "embed", Step.POOL: "export"}


def write_dataset(folder: Path) -> None:
    for number in range(16):
        write_audio(folder / "sounds" / f"{number}.wav", seconds=0.2 + 0.1 * number, sample_rate_hz=44_100)
    for number in range(4):
        write_image(folder / "images" / f"{number}.png")
    for number in range(2):
        write_video(folder / f"{number}.mp4", 0.4 + 0.2 * number)
    (folder / "bad.wav").write_bytes(b"RIFF")


@contextmanager
def process_of(
    command: list[str], store: Path, folder: Path, **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """Run a command in a folder; what it says is in ``said.txt`` there."""
    environment = {
        **os.environ,
        "L3EMBED_STORE": str(store),
        "LOKY_MAX_CPU_COUNT": "1",  # the fewer threads, the less a run has in its hands
        **environment,
    }
    with (
        (folder / "said.txt").open("w", encoding="utf-8") as said,
        child(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
        ) as process,
    ):
        yield process


@contextmanager
def running(project: Project, store: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run all stages in a process of their own, up to the moment at which it is told to `begin`."""
    command = [sys.executable, standin.__file__, str(project.folder)]
    with process_of(command, store, project.folder, **environment) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process


def slow(pause_s: float = 0.03) -> dict[str, str]:
    """The environment of a run that takes its time for each input."""
    return {PAUSE_VARIABLE: str(pause_s)}


def stopping(step: Step, results: int) -> dict[str, str]:
    """The environment of a run that stops itself behind so many results of a step."""
    return {STOP_VARIABLE: f"{step.value} {results}"}


def begin(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()


def finish(process: subprocess.Popen[str]) -> None:
    assert process.wait() == 0


def run(project: Project, store: Path) -> None:
    with running(project, store) as process:
        begin(process)
        finish(process)


def stored(store: Path, step: Step) -> int:
    """How many results of a step are complete: those that have a note."""
    return sum(1 for path in store.glob(f"{step.value}/??/*.json") if not path.name.startswith("."))


def wait_until_stopped(process: subprocess.Popen[str]) -> None:
    """Wait until a run has stopped itself: it holds an input then, and goes on when it is told to."""
    found = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    assert found
    assert found.si_code == os.CLD_STOPPED, "It ended before that."


@dataclass(frozen=True)
class Undisturbed:
    """A run that nothing has happened to: its outputs, and how long it took without the start."""

    outputs: dict[str, bytes]
    seconds: float


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed") / "dataset"
    write_dataset(folder)
    return folder


@pytest.fixture(scope="module")
def undisturbed(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    project = new_project(tmp_path_factory.mktemp("undisturbed"), dataset)
    with running(project, project.folder / "store", **slow()) as process:
        started_s = time.monotonic()
        begin(process)
        finish(process)
        seconds = time.monotonic() - started_s
    assert [project.counts(stage) for stage in STAGES.values()] == [(INPUTS, 0, 1)] * 3
    return Undisturbed(project.outputs(), seconds)


def new_project(folder: Path, dataset: Path) -> Project:
    project = Project(folder)
    folder.mkdir(exist_ok=True)
    project.dataset.symlink_to(dataset)
    return project


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def killed(tmp_path: Path, dataset: Path) -> Project:
    """A project whose run is going to be killed."""
    return new_project(tmp_path / "project", dataset)


def assert_goes_on(project: Project, store: Path, undisturbed: Undisturbed) -> None:
    """Check that another run computes what had not been computed, and that nothing tells them from one."""
    complete = {step: stored(store, step) for step in STAGES}
    run(project, store)
    counts = {stage: project.counts(stage) for stage in STAGES.values()}
    expected = {stage: (INPUTS - complete[step], complete[step], 1) for step, stage in STAGES.items()}
    assert counts == expected
    assert project.outputs() == undisturbed.outputs
    left = [path for path in project.folder.rglob("*") if path.name.endswith(".tmp") or "tmp" in path.stem]
    assert not left


@pytest.mark.parametrize("results", [INPUTS // 2])
@pytest.mark.parametrize("step", STAGES, ids=lambda step: step.value)
def test_a_run_killed_after_some_results_goes_on(
    killed: Project, store: Path, undisturbed: Undisturbed, step: Step, results: int
) -> None:
    with running(killed, store, **stopping(step, results)) as process:
        begin(process)
        wait_until_stopped(process)
        kill(process)
    assert stored(store, step) == results
    assert_goes_on(killed, store, undisturbed)


@pytest.mark.parametrize("share", [round(random.Random(seed).random(), 3) for seed in range(2)])
def test_a_run_killed_at_any_moment_goes_on(
    killed: Project, store: Path, undisturbed: Undisturbed, share: float
) -> None:
    with running(killed, store, **slow()) as process:
        begin(process)
        time.sleep(share * undisturbed.seconds)
        kill(process)
    assert_goes_on(killed, store, undisturbed)


def test_a_run_killed_again_and_again_comes_to_its_end(
    killed: Project, store: Path, undisturbed: Undisturbed
) -> None:
    for seed in range(4):
        with running(killed, store, **slow()) as process:
            begin(process)
            time.sleep(random.Random(seed).uniform(0.1, 0.4) * undisturbed.seconds)
            kill(process)
    assert_goes_on(killed, store, undisturbed)


def test_what_a_killed_run_leaves_in_the_store_can_be_removed(
    killed: Project, store: Path, undisturbed: Undisturbed
) -> None:
    shelf = store / "preprocess" / "0a"
    shelf.mkdir(parents=True)
    (shelf / ".0123.tmp").write_text("half a file")
    with running(killed, store, **stopping(Step.EMBED, 3)) as process:
        begin(process)
        wait_until_stopped(process)
        kill(process)
    complete = {step: stored(store, step) for step in Step}
    assert prune(store, older_than_days=1, max_bytes=None).results == 0
    assert {step: stored(store, step) for step in Step} == complete
    files = [path for path in store.glob("*/*/*") if path.suffix != ".json"]
    notes = {path.stem for path in store.glob("*/*/*.json")}
    assert {path.name.split(".")[0] for path in files} <= notes
    assert_goes_on(killed, store, undisturbed)


@pytest.mark.parametrize("step", [Step.PREPROCESS, Step.EMBED], ids=lambda step: step.value)
def test_two_runs_at_once_share_the_work(
    tmp_path: Path, dataset: Path, store: Path, undisturbed: Undisturbed, step: Step
) -> None:
    one, two = (new_project(tmp_path / name, dataset) for name in ("one", "two"))
    with running(one, store, **stopping(step, 1)) as first, running(two, store) as second:
        begin(first)
        wait_until_stopped(first)
        begin(second)
        wait_until(lambda: stored(store, step) > 1, second)
        first.send_signal(signal.SIGCONT)
        finish(first)
        finish(second)
    for stage in STAGES.values():
        computed = [project.counts(stage)[0] for project in (one, two)]
        assert sum(computed) == INPUTS
        assert [project.counts(stage) for project in (one, two)] == [
            (count, INPUTS - count, 1) for count in computed
        ]
        assert stage != STAGES[step] or min(computed) > 0
    assert one.outputs() == two.outputs() == undisturbed.outputs


@pytest.mark.parametrize("step", [Step.PREPROCESS, Step.EMBED], ids=lambda step: step.value)
def test_the_other_of_two_runs_does_what_a_killed_one_has_left(
    tmp_path: Path, dataset: Path, store: Path, undisturbed: Undisturbed, step: Step
) -> None:
    one, two = (new_project(tmp_path / name, dataset) for name in ("one", "two"))
    with running(one, store, **stopping(step, 1)) as first, running(two, store) as second:
        begin(first)
        wait_until_stopped(first)
        begin(second)
        # It does all else first, and says then for what it waits: what the stopped one has in its hands.
        wait_until(lambda: "Waiting for another run" in (two.folder / "said.txt").read_text(), second)
        assert 1 < stored(store, step) < INPUTS
        kill(first)
        finish(second)
    assert stored(store, step) == INPUTS
    assert two.counts(STAGES[step]) == (INPUTS - 1, 1, 1)
    assert two.outputs() == undisturbed.outputs
    assert_goes_on(one, store, undisturbed)


def test_a_stage_as_dvc_starts_it_goes_on_after_it_was_killed(tmp_path: Path, store: Path) -> None:
    files = 8
    for number in range(files):
        write_audio(tmp_path / "sounds" / f"{number}.wav", seconds=0.5, sample_rate_hz=44_100)
    overrides = ["dataset=folder", "dataset.path=sounds", "weights=random"]
    (tmp_path / "params.yaml").write_text(compose_params(REPOSITORY / "conf", overrides))
    command = [sys.executable, "-m", "l3embed.app.stage", "preprocess"]
    with process_of(command, store, tmp_path, **stopping(Step.PREPROCESS, 5), **SITE) as process:
        wait_until_stopped(process)
        kill(process)
    assert stored(store, Step.PREPROCESS) == 5
    with process_of(command, store, tmp_path) as process:
        finish(process)
    metrics = (tmp_path / "data" / "metrics" / "preprocess.json").read_text()
    assert f'"computed": {files - 5},\n  "reused": 5,\n  "failed": 0' in metrics

"""Runs that are killed at any moment, and runs that share their work: real processes, counted."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from l3embed.app.params import compose_params
from l3embed.runtimes.processor import available_threads
from l3embed.store.pruning import prune
from l3embed.store.recipe import Step

from . import standin
from .conftest import REPOSITORY, write_audio, write_image, write_video
from .standin import PAUSE_VARIABLE, Project

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")]

INPUTS = 24
"""Of the dataset below: 16 recordings, four images, and two videos, which count twice."""

STAGES = {Step.PREPROCESS: "preprocess", Step.EMBED: "embed", Step.POOL: "export"}
PAUSE_S = 0.03
PATIENCE_S = 120


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
    command: list[str], store: Path, folder: Path | None = None, pause_s: float = 0
) -> Iterator[subprocess.Popen[str]]:
    """Run a command as the leader of a process group, which is killed at the end."""
    environment = {**os.environ, "L3EMBED_STORE": str(store), PAUSE_VARIABLE: str(pause_s)}
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a process and all that it has started, wherever they are."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@contextmanager
def running(project: Project, store: Path, pause_s: float = 0) -> Iterator[subprocess.Popen[str]]:
    """Run all stages in a process of their own, up to the moment at which it is told to `begin`."""
    command = [sys.executable, standin.__file__, str(project.folder)]
    with process_of(command, store, pause_s=pause_s) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process


def begin(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()


def finish(process: subprocess.Popen[str]) -> None:
    assert process.wait(PATIENCE_S) == 0


def run(project: Project, store: Path) -> None:
    with running(project, store) as process:
        begin(process)
        finish(process)


def stored(store: Path, step: Step) -> int:
    """How many results of a step are complete: those that have a note."""
    return sum(1 for path in store.glob(f"{step.value}/??/*.json") if not path.name.startswith("."))


def wait_until(is_so: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert process.poll() is None, "It ended before that."
        assert time.monotonic() < deadline_s
        time.sleep(0.001)


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
    with running(project, project.folder / "store", PAUSE_S) as process:
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
    with running(killed, store, PAUSE_S) as process:
        begin(process)
        wait_until(lambda: stored(store, step) >= results, process)
        kill(process)
    assert results <= stored(store, step) <= INPUTS
    assert_goes_on(killed, store, undisturbed)


@pytest.mark.parametrize("share", [round(random.Random(seed).random(), 3) for seed in range(2)])
def test_a_run_killed_at_any_moment_goes_on(
    killed: Project, store: Path, undisturbed: Undisturbed, share: float
) -> None:
    with running(killed, store, PAUSE_S) as process:
        begin(process)
        time.sleep(share * undisturbed.seconds)
        kill(process)
    assert_goes_on(killed, store, undisturbed)


def test_a_run_killed_again_and_again_comes_to_its_end(
    killed: Project, store: Path, undisturbed: Undisturbed
) -> None:
    for seed in range(4):
        with running(killed, store, PAUSE_S) as process:
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
    with running(killed, store, PAUSE_S) as process:
        begin(process)
        wait_until(lambda: stored(store, Step.EMBED) >= 3, process)
        kill(process)
    complete = {step: stored(store, step) for step in Step}
    time.sleep(0.01)
    assert prune(store, older_than_days=1, max_bytes=None).results == 0
    assert {step: stored(store, step) for step in Step} == complete
    files = [path for path in store.glob("*/*/*") if path.suffix != ".json"]
    notes = {path.stem for path in store.glob("*/*/*.json")}
    assert {path.name.split(".")[0] for path in files} <= notes
    assert_goes_on(killed, store, undisturbed)


def test_two_runs_at_once_share_the_work(
    tmp_path: Path, dataset: Path, store: Path, undisturbed: Undisturbed
) -> None:
    one, two = (new_project(tmp_path / name, dataset) for name in ("one", "two"))
    with running(one, store, PAUSE_S) as first, running(two, store, PAUSE_S) as second:
        begin(first, second)
        finish(first)
        finish(second)
    for stage in STAGES.values():
        computed = [project.counts(stage)[0] for project in (one, two)]
        assert sum(computed) == INPUTS
        assert [project.counts(stage) for project in (one, two)] == [
            (count, INPUTS - count, 1) for count in computed
        ]
        assert stage == "export" or min(computed) > 0
    assert one.outputs() == two.outputs() == undisturbed.outputs


@pytest.mark.parametrize("step", [Step.PREPROCESS, Step.EMBED], ids=lambda step: step.value)
def test_the_other_of_two_runs_does_what_a_killed_one_has_left(
    tmp_path: Path, dataset: Path, store: Path, undisturbed: Undisturbed, step: Step
) -> None:
    one, two = (new_project(tmp_path / name, dataset) for name in ("one", "two"))
    with running(one, store, PAUSE_S) as first, running(two, store, PAUSE_S) as second:
        begin(first, second)
        wait_until(lambda: stored(store, step) >= INPUTS // 3, first)
        kill(first)
        finish(second)
    for stage in STAGES.values():
        computed, reused, failed = two.counts(stage)
        assert (computed + reused, failed) == (INPUTS, 1)
    assert two.outputs() == undisturbed.outputs
    assert_goes_on(one, store, undisturbed)


def test_a_run_waits_for_what_a_stopped_one_is_computing(
    tmp_path: Path, dataset: Path, store: Path, undisturbed: Undisturbed
) -> None:
    one, two = (new_project(tmp_path / name, dataset) for name in ("one", "two"))
    with running(one, store, 2.0) as first, running(two, store) as second:
        begin(first)
        # It pauses with the first inputs in its hands. Stopped, it neither goes on nor lets go of them.
        time.sleep(1.0)
        os.kill(first.pid, signal.SIGSTOP)
        held = available_threads() + 1  # one a thread, and the next
        begin(second)
        wait_until(lambda: stored(store, Step.PREPROCESS) >= INPUTS - held, second)
        time.sleep(1.0)
        assert second.poll() is None
        assert stored(store, Step.PREPROCESS) == INPUTS - held
        kill(first)
        finish(second)
    assert two.counts("preprocess") == (INPUTS, 0, 1)
    assert two.outputs() == undisturbed.outputs


def test_a_stage_as_dvc_starts_it_goes_on_after_it_was_killed(tmp_path: Path, store: Path) -> None:
    files = 20
    for number in range(files):
        write_audio(tmp_path / "sounds" / f"{number}.wav", seconds=10, sample_rate_hz=44_100)
    overrides = ["dataset=folder", "dataset.path=sounds", "weights=random"]
    (tmp_path / "params.yaml").write_text(compose_params(REPOSITORY / "conf", overrides))
    command = [sys.executable, "-m", "l3embed.app.stage", "preprocess"]
    with process_of(command, store, tmp_path) as process:
        wait_until(lambda: stored(store, Step.PREPROCESS) >= 5, process)
        kill(process)
    complete = stored(store, Step.PREPROCESS)
    assert 5 <= complete < files
    with process_of(command, store, tmp_path) as process:
        finish(process)
    metrics = (tmp_path / "data" / "metrics" / "preprocess.json").read_text()
    assert f'"computed": {files - complete},\n  "reused": {complete},\n  "failed": 0' in metrics

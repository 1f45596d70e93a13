"""Batches computed by Ray's actors on this machine, and actors that raise, die, or cannot be had."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from l3embed.engines.contract import EngineOptions
from l3embed.engines.ray_data import RayEngine
from l3embed.errors import OpenL3Error

pytest.importorskip("ray")
pytestmark = pytest.mark.slow

BATCHES = [[1, 2], [3], [4, 5, 6]]


@dataclass
class Squares:
    """A worker that squares numbers; one number may be its end."""

    folder: Path
    deadly: int = 0
    deaths: int = 0
    refused: int = 0
    unexpected: int = 0
    threads: int = 0

    def prepare(self, threads: int) -> None:
        self.threads = threads

    def compute(self, tasks: Sequence[int]) -> list[int]:
        if self.deadly in tasks and len(list(self.folder.glob("death-*"))) < self.deaths:
            (self.folder / f"death-{os.getpid()}").touch()
            os._exit(1)
        if self.refused in tasks:
            raise OpenL3Error(f"{self.refused} is not to be had.")
        if self.unexpected in tasks:
            raise ZeroDivisionError("nobody thought of this")
        return [self.threads * task**2 for task in tasks]


@pytest.fixture(scope="module")
def engine() -> Iterator[RayEngine]:
    """An engine whose actors can import this module, wherever pytest was started from."""
    folders = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, folders)))
        with RayEngine(EngineOptions(actors=2)) as opened:
            yield opened


def squares(engine: RayEngine, worker: Squares) -> list[list[int]]:
    return sorted(list(done) for done in engine.compute(BATCHES, worker))


EXPECTED = [[1, 4], [9], [16, 25, 36]]


def test_a_batch_whose_actor_dies_is_done_again(engine: RayEngine, tmp_path: Path) -> None:
    assert squares(engine, Squares(tmp_path, deadly=3, deaths=1)) == EXPECTED
    assert len(list(tmp_path.glob("death-*"))) == 1


def test_a_fault_that_a_worker_names_ends_the_run(engine: RayEngine, tmp_path: Path) -> None:
    with pytest.raises(OpenL3Error, match=r"^5 is not to be had\.$"):
        squares(engine, Squares(tmp_path, refused=5))


def test_what_nobody_expected_is_told_with_its_trace(engine: RayEngine, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)in compute.*ZeroDivisionError: nobody thought of this"):
        squares(engine, Squares(tmp_path, unexpected=5))


def test_more_than_there_is_is_refused_rather_than_waited_for(engine: RayEngine, tmp_path: Path) -> None:
    greedy = RayEngine(EngineOptions(actors=2, num_gpus=64))
    with pytest.raises(OpenL3Error, match=r"Ray has room for 0 actors of .* engine\.num_gpus=64: there are"):
        squares(greedy, Squares(tmp_path))

"""Where the time goes: what is taken down, over threads, and when."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import PATIENCE_S

from l3embed import profiling
from l3embed.profiling import Phase, phase


class Clock:
    """Stands in for `time`; it goes on when it is told to, in each thread for itself."""

    def __init__(self) -> None:
        self._local = threading.local()

    def perf_counter(self) -> float:
        now: float = getattr(self._local, "now_s", 0.0)
        return now

    def go_on(self, seconds: float) -> None:
        self._local.now_s = self.perf_counter() + seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(profiling, "time", clock)
    yield clock
    assert profiling._profiles == []


def test_a_phase_adds_up(clock: Clock) -> None:
    with profiling.profiling() as profile:
        for seconds in (0.5, 0.25):
            with phase(Phase.DECODE):
                clock.go_on(seconds)

    assert profile.seconds["decode"] == 0.75


def test_phases_add_up_over_threads(clock: Clock) -> None:
    all_inside = threading.Barrier(4)

    def work() -> None:
        with phase(Phase.FRONTEND):
            all_inside.wait(PATIENCE_S)
            clock.go_on(2.0)

    with profiling.profiling() as profile, ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work) for _ in range(4)]:
            done.result()

    assert profile.seconds["frontend"] == 8.0


def test_phases_that_there_were_have_their_figures(clock: Clock) -> None:
    with profiling.profiling() as profile:
        for seconds, each in [(1.0, Phase.WRITE), (0.5, Phase.DECODE)]:
            with phase(each):
                clock.go_on(seconds)

    assert profile.seconds == {"decode": 0.5, "write": 1.0}


def test_a_phase_s_share_is_of_the_time_that_has_passed(clock: Clock) -> None:
    with profiling.profiling() as profile, phase(Phase.NETWORK):
        clock.go_on(3.0)

    assert profile.share(Phase.NETWORK, 4.0) == 0.75


def test_a_phase_that_fails_counts_as_well(clock: Clock) -> None:
    def fail() -> None:
        with phase(Phase.NETWORK):
            clock.go_on(1.5)
            raise ZeroDivisionError

    with profiling.profiling() as profile, pytest.raises(ZeroDivisionError):
        fail()

    assert profile.seconds["network"] == 1.5


def test_nothing_is_taken_down_outside(clock: Clock) -> None:
    with phase(Phase.DECODE):
        clock.go_on(1.0)
    with profiling.profiling() as profile:
        pass
    with phase(Phase.DECODE):
        clock.go_on(1.0)

    assert profile.seconds == {}


def test_profiles_within_one_another_take_down_the_same(clock: Clock) -> None:
    with profiling.profiling() as outer:
        with profiling.profiling() as inner, phase(Phase.IDLE):
            clock.go_on(1.0)
        with phase(Phase.IDLE):
            clock.go_on(2.0)

    assert (outer.seconds["idle"], inner.seconds["idle"]) == (3.0, 1.0)

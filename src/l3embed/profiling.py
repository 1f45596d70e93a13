"""Where the time goes: seconds by phase, summed up over threads, if somebody has asked for them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from threading import Lock


class Phase(str, Enum):
    """What an input goes through. ``idle``: the network waits for its next batch."""

    DECODE = "decode"
    RESAMPLE = "resample"
    FRONTEND = "frontend"
    NETWORK = "network"
    WRITE = "write"
    IDLE = "idle"


class Profile:
    """Seconds by phase. Phases run side by side in threads, so that they may add up to more than passed."""

    def __init__(self) -> None:
        self._seconds: defaultdict[Phase, float] = defaultdict(float)
        self._lock = Lock()

    def add(self, phase: Phase, seconds: float) -> None:
        """Add what a phase took once."""
        with self._lock:
            self._seconds[phase] += seconds

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds of each phase that there was, to the millisecond."""
        return {phase.value: round(self._seconds[phase], 3) for phase in Phase if phase in self._seconds}

    def share(self, phase: Phase, elapsed_s: float) -> float:
        """Return a phase's share of the time that has passed, to a thousandth."""
        return round(self._seconds[phase] / elapsed_s, 3)


_profiles: list[Profile] = []


@contextmanager
def profiling() -> Iterator[Profile]:
    """Take down what all threads of this process do meanwhile."""
    profile = Profile()
    _profiles.append(profile)
    try:
        yield profile
    finally:
        _profiles.remove(profile)


@contextmanager
def phase(name: Phase) -> Iterator[None]:
    """Take down how long something takes; next to nothing happens if nobody has asked for it."""
    if not _profiles:
        yield
        return
    started_s = time.perf_counter()
    try:
        yield
    finally:
        take_down(name, time.perf_counter() - started_s)


def take_down(name: Phase, seconds: float) -> None:
    """Add seconds to a phase, if somebody has asked for it."""
    for profile in tuple(_profiles):
        profile.add(name, seconds)

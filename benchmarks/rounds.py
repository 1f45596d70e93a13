"""Comparisons on a machine that others use too: side by side, again and again, and the median ratio."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from l3embed.profiling import profiling

Seconds = dict[str, list[float]]
"""What each of several measurements took, round by round."""


def side_by_side(measurements: Mapping[str, Callable[[], object]], rounds: int) -> Seconds:
    """Run measurements one after the other, `rounds` times over, and return the seconds that each took.

    What slows the machine down for a while meets neighbours, whose ratio it leaves as it was.
    """
    seconds: Seconds = {name: [] for name in measurements}
    for _ in range(rounds):
        for name, measure in measurements.items():
            started_s = time.perf_counter()
            measure()
            seconds[name].append(time.perf_counter() - started_s)
    return seconds


def profiled(run: Callable[[], object]) -> dict[str, float]:
    """Run something in l3embed; return the seconds of each phase, and those that passed as ``elapsed``."""
    started_s = time.perf_counter()
    with profiling() as profile:
        run()
    return {**profile.seconds, "elapsed": round(time.perf_counter() - started_s, 3)}


def rates(seconds: Sequence[float], items: float) -> list[float]:
    """Return items a second, round by round."""
    return [items / each for each in seconds]


def ratios(dividends: Sequence[float], divisors: Sequence[float]) -> list[float]:
    """Return the ratio in each round."""
    return [dividend / divisor for dividend, divisor in zip(dividends, divisors, strict=True)]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return how many rounds there were and how far they lay apart, in words."""
    if len(values) == 1:
        return "1 round"
    low, high = min(values), max(values)
    return f"median of {len(values)} rounds, {low:.{digits}f} to {high:.{digits}f}"


def middle(values: Sequence[float]) -> float:
    """Return the median, to four digits."""
    return float(f"{median(values):.4g}")

"""Memory against the length of a recording."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks import inputs
from benchmarks.processes import Run, run_python
from benchmarks.report import Check, Report
from benchmarks.sizes import Sizes

STAND_IN_HOP_S = 1.0
NETWORK_HOP_S = 10.0
NAIVE_HOP_S = 0.1

MOST_MB = 1500
GROWTH_MB = 100


def measure(sizes: Sizes, folder: Path) -> Report:
    """Embed ever longer recordings, each in a process of its own, and take down its peak of memory."""
    ways: dict[str, Callable[[Path], Run]] = {
        "stand_in": lambda file: run_python(
            "-m", "benchmarks.standin", "audio", file, folder, STAND_IN_HOP_S
        ),
        "network": lambda file: _embed(file, folder),
    }
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in (*ways, "naive")}
    for seconds in sorted({*sizes.lengths_s, *sizes.naive_lengths_s}):
        file = inputs.write_long_recording(folder / f"{seconds:g}_s.flac", seconds)
        if seconds in sizes.lengths_s:
            for name, way in ways.items():
                figures[name].append((seconds, round(way(file).peak_mb)))
        if seconds in sizes.naive_lengths_s:
            run = run_python("-m", "benchmarks.naive", "audio", "mel128", NAIVE_HOP_S, folder, file)
            figures["naive"].append((seconds, round(run.peak_mb)))
        file.unlink()  # ten hours are 1.3 GB
    checks = [
        *_checks(f"stand-in for the network, hop {STAND_IN_HOP_S:g} s", "stand-in", figures["stand_in"]),
        *_checks(f"the network mel128/6144, hop {NETWORK_HOP_S:g} s", "network", figures["network"]),
    ]
    return Report(checks, dict(figures))


def _embed(file: Path, folder: Path) -> Run:
    options = ("-i", "mel128", "-t", NETWORK_HOP_S, "--weights", "random", "-q", "-ow", "-o", folder)
    return run_python("-m", "l3embed", "audio", file, *options)


def _checks(how: str, way: str, peaks: list[tuple[float, float]]) -> list[Check]:
    (shorter_s, shorter_mb), (longest_s, longest_mb) = peaks[-2:]
    longest, shorter = duration(longest_s), duration(shorter_s)
    return [
        Check(
            f"{longest} of 44.1 kHz FLAC, {how}: memory",
            MOST_MB,
            longest_mb,
            "MB",
            at_least=False,
            how="peak of the whole process",
            label=f"{longest}, {way}: memory",
        ),
        Check(
            f"{longest} of 44.1 kHz FLAC, {how}: more memory than for {shorter}",
            GROWTH_MB,
            longest_mb - shorter_mb,
            "MB",
            at_least=False,
            how=f"{longest_mb:.0f} MB against {shorter_mb:.0f} MB",
            label=f"{longest}, {way}: more than {shorter}",
        ),
    ]


def duration(seconds: float) -> str:
    """Return a duration in the unit that suits it."""
    if seconds < 60:
        return f"{seconds:g} seconds"
    return f"{seconds / 60:g} minutes" if seconds < 3600 else f"{seconds / 3600:g} hours"

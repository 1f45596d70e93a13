"""How long a search takes in a million moments, and what an index costs."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median

from benchmarks.processes import run_python
from benchmarks.report import Check, Report
from benchmarks.searched import DIMENSION, FRAMES
from benchmarks.sizes import Sizes

QUERY_S = 0.25
HELD_MB = 500
MOST_TIMES = 2.0


def measure(sizes: Sizes, folder: Path) -> Report:
    """Build an index, add files to it and search it, all in one process."""
    files, added = sizes.searched
    found = json.loads(run_python("-m", "benchmarks.searched", folder / "mine", files, added).output)
    moments = f"{(files + added) * FRAMES:,} x {DIMENSION}"
    queries = sorted(found["query_s"])
    how = f"median of {len(queries)} queries, {queries[0]:.3f} to {queries[-1]:.3f} s, of all cores' time "
    how += f"{found['query_cpu_s']:.3f} s; exact, half floats, mapped"
    checks = [
        _check(f"search in {moments} moments: a query, warm", QUERY_S, round(median(queries), 3), "s", how),
        _check(
            f"search: {added:,} files added to {files:,}",
            MOST_TIMES,
            round(found["add_s"] / found["few_s"], 2),
            "x as many alone",
            f"{found['add_s']:.2f} s against {found['few_s']:.2f} s; all took {found['build_s']:.1f} s",
        ),
        _check(
            f"search in {moments} moments: memory, without the mapped index",
            HELD_MB,
            None if found["held_mb"] is None else round(found["held_mb"]),
            "MB",
            "the most that was held while it was built, added to and searched"
            if found["held_mb"]
            else "Linux only",
        ),
    ]
    return Report(checks, found)


def _check(what: str, goal: float, got: float | None, unit: str, how: str) -> Check:
    return Check(what, goal, got, unit, at_least=False, how=how, label=what.replace(" moments", ""))

"""Memory and speed of the bare network against the number of threads, for each runtime of the CPU."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.processes import Run, run_python
from benchmarks.report import Report
from benchmarks.rounds import middle
from benchmarks.sizes import Sizes

THREADS = (1, 2, 4, 8)
RUNTIMES = ("ncnn", "openvino")
BATCHES = 1
"""After one that is not counted."""


def measure(sizes: Sizes, folder: Path) -> Report:
    """Run the bare network mel128/6144 in a process of its own, in turns, with ever more threads."""
    cases = [(runtime, threads) for runtime in RUNTIMES for threads in THREADS]
    runs: dict[tuple[str, int], list[Run]] = {case: [] for case in cases}
    for _ in range(sizes.rounds):
        for case in cases:
            runs[case].append(run_python("-m", "benchmarks.rows.threads", *case))
    figures = {
        f"{runtime}_{threads}": {
            "items_s": [json.loads(run.output) for run in each],
            "peak_mb": round(middle([run.peak_mb for run in each])),
        }
        for (runtime, threads), each in runs.items()
    }
    return Report(figures=figures)


def _run(runtime: str, threads: int) -> None:
    """Write the items a second; the process's memory is its parent's to see."""
    import time

    import numpy as np

    from benchmarks.networks import BATCH_SIZE, bare_network
    from l3embed.runtimes.base import Placement
    from l3embed.variants import AudioVariant, Device, InputRepr

    variant = AudioVariant(InputRepr.MEL128)
    ready = np.random.default_rng(0).uniform(-80, 0, (1, *variant.network_shape)).astype(np.float32)
    items = BATCHES * BATCH_SIZE
    embed = bare_network(variant, Placement(Device.CPU, runtime, threads), ready, items)
    started_s = time.perf_counter()
    embed()
    print(json.dumps(items / (time.perf_counter() - started_s)))


if __name__ == "__main__":
    _run(sys.argv[1], int(sys.argv[2]))

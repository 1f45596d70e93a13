"""Memory, and time a file, against the number of files."""

from __future__ import annotations

import shutil
from pathlib import Path
from statistics import median

from benchmarks import inputs
from benchmarks.processes import run_python
from benchmarks.report import Check, Report
from benchmarks.sizes import Sizes

CLIP_S = (0.1, 0.3)
WARM_UP_FILES = 10
GROWTH_MB = 100
SLOWDOWN_PERCENT = 10
MOST_RUNS = 5
"""Of the small dataset, whose time is soon over and therefore less certain."""


def measure(sizes: Sizes, folder: Path) -> Report:
    """Run the stages on a small and on a large dataset, with the stand-in for the network."""
    few, many = sizes.counts
    runs = {few: min(MOST_RUNS, 2 * sizes.rounds - 1), many: 1}
    peaks_mb: dict[int, float] = {}
    file_s: dict[int, float] = {}
    for count, repeats in runs.items():
        measured = [_measure_once(count, folder) for _ in range(repeats)]
        peaks_mb[count] = max(peak_mb for peak_mb, _ in measured)
        file_s[count] = median(seconds for _, seconds in measured) / count
    slowdown = 100 * (file_s[many] / file_s[few] - 1)
    how = "the stages preprocess, embed and export in one process, with a stand-in for the network"
    checks = [
        Check(
            f"{many:,} short files: more memory than for {few}",
            GROWTH_MB,
            round(peaks_mb[many] - peaks_mb[few]),
            "MB",
            at_least=False,
            how=f"{peaks_mb[many]:.0f} MB against {peaks_mb[few]:.0f} MB; {how}",
            label=f"{many:,} files: more memory than {few}",
        ),
        Check(
            f"{many:,} short files: more time a file than for {few}",
            SLOWDOWN_PERCENT,
            round(slowdown, 1),
            "%",
            at_least=False,
            how=f"{1000 * file_s[many]:.1f} ms against {1000 * file_s[few]:.1f} ms (median of {runs[few]})",
            label=f"{many:,} files: more time a file",
        ),
    ]
    counts = [few, many]
    peaks = [[count, round(peaks_mb[count])] for count in counts]
    return Report(checks, {"peak_mb": peaks, "file_ms": [[count, 1000 * file_s[count]] for count in counts]})


def _measure_once(count: int, folder: Path) -> tuple[float, float]:
    """Return the peak of memory and the seconds of a dataset of so many files."""
    dataset, warm_up = folder / "files", folder / "warm_up"
    # Other sounds than in the datasets, or the store would have them already.
    inputs.write_clips(warm_up / "dataset", WARM_UP_FILES, 2 * CLIP_S[0], 2 * CLIP_S[1])
    inputs.write_clips(dataset / "dataset", count, *CLIP_S)
    run = run_python("-m", "benchmarks.standin", "dataset", dataset, warm_up)
    for made in (dataset, warm_up, folder / "store"):
        shutil.rmtree(made)
    return run.peak_mb, float(run.output.split()[-1])

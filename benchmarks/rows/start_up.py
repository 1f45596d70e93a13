"""How soon l3embed is there: processes whose start is most of what they do."""

from __future__ import annotations

from pathlib import Path

from benchmarks import inputs
from benchmarks.processes import Run, run_python
from benchmarks.report import Check, Report
from benchmarks.sizes import Sizes

COMMANDS = {
    "import l3embed": (0.2, ("-c", "import l3embed")),
    "l3embed --help": (0.3, ("-m", "l3embed", "--help")),
    "l3embed audio on a 1-second file": (0.7, ("-m", "l3embed", "audio", "--weights", "random", "-q", "-ow")),
}
"""What is started, the goal in seconds, and the arguments of Python."""


def measure(sizes: Sizes, folder: Path) -> Report:
    """Start each several times; the quickest tells what it takes when nothing else is going on."""
    file = inputs.write_recording(folder / "second.wav", seconds=1)
    report = Report()
    for what, (goal_s, arguments) in COMMANDS.items():
        files = [file] if "audio" in arguments else []
        run_python(*arguments, *files)  # what is read from the disk for the first time takes longer
        runs = [run_python(*arguments, *files) for _ in range(sizes.start_up_runs)]
        report.checks.append(_check(what, goal_s, runs))
        report.figures[what] = [round(run.seconds, 3) for run in runs]
    return report


def _check(what: str, goal_s: float, runs: list[Run]) -> Check:
    seconds = sorted(run.seconds for run in runs)
    how = f"whole process, the quickest of {len(runs)}; the slowest took {seconds[-1]:.2f} s"
    return Check(what, goal_s, round(seconds[0], 3), "s", at_least=False, how=how, label=what)

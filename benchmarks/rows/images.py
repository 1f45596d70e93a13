"""Photographs in whole processes: start-up, reading, scaling, network and outputs, all in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks import inputs
from benchmarks.machine import has_amx
from benchmarks.processes import run_python
from benchmarks.report import Check, Report
from benchmarks.rounds import Seconds, middle, ratios, side_by_side, spread
from benchmarks.sizes import Sizes
from l3embed.runtimes.processor import has_bfloat16

GOALS = {"float32": 3.2, "bfloat16": 5}


def measure(sizes: Sizes, folder: Path) -> Report:
    """Embed a folder of photographs with the naive way and with l3embed in both precisions, in turns."""
    photographs = folder / "photographs"
    inputs.write_photographs(photographs, sizes.photographs)
    ways: dict[str, Callable[[], object]] = {
        "naive": lambda: run_python("-m", "benchmarks.naive", "image", folder, photographs),
        "float32": lambda: _embed(photographs, folder, "float32"),
    }
    if has_bfloat16():
        ways["bfloat16"] = lambda: _embed(photographs, folder, "bfloat16")
    seconds = side_by_side(ways, sizes.rounds)
    checks = [_check(precision, goal, seconds, sizes.photographs) for precision, goal in GOALS.items()]
    return Report(checks, {f"{way}_s": each for way, each in seconds.items()})


def _check(precision: str, goal: float, seconds: Seconds, photographs: int) -> Check:
    what = f"images, {precision}, {photographs} photographs of 640 x 480, whole process"
    label = f"images, {precision}, whole process"
    if precision not in seconds:
        how = "this processor has no instructions for bfloat16"
        return Check(what, goal, None, "x naive", at_least=True, how=how, label=label)
    naive, ours = seconds["naive"], seconds[precision]
    speedup = ratios(naive, ours)
    how = f"{middle(ours):.3g} s against {middle(naive):.3g} s; {spread(speedup)}"
    if precision == "bfloat16" and not has_amx():
        how += "; without AMX, on AVX-512"
    return Check(what, goal, middle(speedup), "x naive", at_least=True, how=how, label=label)


def _embed(photographs: Path, folder: Path, precision: str) -> None:
    options = ("--precision", precision, "--weights", "random", "-q", "-ow", "-o", folder / precision)
    run_python("-m", "l3embed", "image", photographs, *options)

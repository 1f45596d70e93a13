"""All benchmarks, by the names that ``--only`` takes."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from benchmarks.report import Report
from benchmarks.sizes import Sizes

Measure = Callable[[Sizes, Path], Report]

PLACES = {
    "whole_process": ("whole_process", "measure"),
    "steady_mel128": ("steady", "measure_mel128"),
    "steady_mel256": ("steady", "measure_mel256"),
    "steady_linear": ("steady", "measure_linear"),
    "steady_image": ("steady", "measure_image"),
    "threads": ("threads", "measure"),
    "cosines": ("cosines", "measure"),
    "int8": ("int8", "measure"),
    "pipeline": ("pipeline", "measure"),
    "images": ("images", "measure"),
    "start_up": ("start_up", "measure"),
    "length": ("length", "measure"),
    "count": ("count", "measure"),
    "packed": ("packed", "measure"),
    "remote": ("remote", "measure"),
    "searching": ("searching", "measure"),
    "gpu": ("gpu", "measure"),
}
"""Module and function of each, in the order of the table."""

SHORT_NAMES = tuple(name for name in PLACES if name not in ("steady_mel256", "steady_linear", "int8"))
"""Those that a short run takes: all but what differs from others in a figure alone, or takes minutes."""


def find(name: str) -> Measure:
    """Return what measures a benchmark.

    Only its module is imported: what starts processes has to be small, see `benchmarks.processes.run`.
    """
    module, function = PLACES[name]
    measure: Measure = getattr(import_module(f"benchmarks.rows.{module}"), function)
    return measure

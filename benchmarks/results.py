"""The figures of all benchmarks, as ``results.json`` keeps them from one run to the next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.registry import PLACES
from benchmarks.report import Check

FILE = "results.json"

Results = dict[str, Any]
"""Of each benchmark: ``machine``, ``seconds``, ``checks`` and ``figures``."""


def read(folder: Path) -> Results:
    """Return the results that a folder holds; none, if it holds none."""
    path = folder / FILE
    if not path.is_file():
        return {}
    content: Results = json.loads(path.read_text(encoding="utf-8"))
    return content


def add(results: Results, name: str, result: dict[str, Any]) -> Results:
    """Return results with those of one benchmark anew, in the order of the table."""
    added = {**results, name: result}
    return {each: added[each] for each in PLACES if each in added}


def write(results: Results, folder: Path) -> None:
    """Write results to a folder."""
    text = json.dumps(results, indent=1, ensure_ascii=False)
    (folder / FILE).write_text(f"{text}\n", encoding="utf-8")


def checks(result: dict[str, Any]) -> list[Check]:
    """Return one benchmark's rows of the table."""
    return [Check(**check) for check in result["checks"]]


def figures(results: Results, name: str) -> dict[str, Any]:
    """Return one benchmark's figures; none, if it has not been measured."""
    found: dict[str, Any] = results[name]["figures"] if name in results else {}
    return found

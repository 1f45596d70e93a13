"""``python -m benchmarks``: measure, and write the table and the chart."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import chart, machine, readme, results
from benchmarks.registry import PLACES, SHORT_NAMES

HERE = Path(__file__).parent
CHART = HERE.parent / "docs" / "benchmarks.png"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run benchmarks one after the other; the status is 0 only if all of them ran, whatever they found."""
    args = _parser().parse_args(arguments)
    if args.short and not args.output:
        with tempfile.TemporaryDirectory(prefix="l3embed-benchmarks-") as folder:
            return _run(args, Path(folder))
    return _run(args, Path(args.output) if args.output else None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PLACES, metavar="NAME", help=f"of {', '.join(PLACES)}")
    parser.add_argument(
        "--short", action="store_true", help="tiny sizes: figures that say nothing, soon there"
    )
    parser.add_argument("--draw", action="store_true", help="measure nothing: write table and chart anew")
    parser.add_argument(
        "--output",
        metavar="DIR",
        help="folder of results, table and chart (default: benchmarks/ and docs/; with --short none)",
    )
    return parser


def _run(args: argparse.Namespace, output: Path | None) -> int:
    folder = output or HERE
    folder.mkdir(parents=True, exist_ok=True)
    measured = results.read(folder)
    failed = []
    names = args.only or (SHORT_NAMES if args.short else PLACES)
    for name in [] if args.draw else names:
        found = _measure(name, "short" if args.short else "full")
        if found is None:
            failed.append(name)
            continue
        measured = results.add(measured, name, found)
        # After each, so that nothing is lost if a later one is interrupted.
        results.write(measured, folder)
        _tell(found)
    readme.write(measured, HERE / readme.FILE, folder / readme.FILE)
    chart.draw(measured, folder / CHART.name if output else CHART)
    if failed:
        sys.stderr.write(f"benchmarks: failed: {', '.join(failed)}\n")
    return 1 if failed else 0


def _measure(name: str, size: str) -> dict[str, Any] | None:
    """Run one benchmark in a process of its own; None if it failed, which it has said itself."""
    sys.stderr.write(f"== {name}\n")
    described = machine.describe()
    started_s = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="l3embed-benchmarks-") as folder:
        report = Path(folder, "report.json")
        command = [sys.executable, "-m", "benchmarks.worker", name, size, str(report)]
        process = subprocess.run(command, check=False, capture_output=True, text=True)
        if process.returncode:
            # All that it has said: what else is in there are warnings of random weights and progress.
            sys.stderr.write(process.stderr)
            return None
        content = json.loads(report.read_text(encoding="utf-8"))
    return {"machine": described, "seconds": round(time.perf_counter() - started_s, 1), **content}


def _tell(found: dict[str, Any]) -> None:
    for check in results.checks(found):
        got = "-" if check.got is None else f"{check.got:g}"
        sys.stderr.write(f"   {check.what}: {got} {check.unit} ({check.verdict.value}; {check.how})\n")
    sys.stderr.write(f"   {found['seconds']:g} s\n")


if __name__ == "__main__":
    sys.exit(main())

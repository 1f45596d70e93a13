"""``l3embed store``: what the pipeline has kept of its results, and making room."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from l3embed.cli.flags import write_line
from l3embed.disk.folders import STORE_VARIABLE, store_folder
from l3embed.progress import counted

if TYPE_CHECKING:
    from l3embed.store.pruning import Stored

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

UNITS = {"B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3, "TB": 1000**4}
"""Bytes of each unit of size."""

SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([A-Z]+)", re.IGNORECASE | re.ASCII)


def add_parser(subparsers: Subparsers) -> None:
    """Add the ``store`` command; its commands set ``run``, a function from arguments to an exit status."""
    parser = subparsers.add_parser("store", help="show or prune the results that the pipeline has kept")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    info = commands.add_parser("info", help="say how much there is, and where; changes nothing")
    info.set_defaults(run=_run_info)

    prune = commands.add_parser(
        "prune",
        help="remove results: the pipeline computes them anew if it needs them",
        description="Remove results that the pipeline has kept. What it has written to a project's data "
        "folder stays; what is needed again is computed anew.",
    )
    prune.add_argument(
        "--older-than", type=_parse_days, metavar="DAYS", help="those not used for so many days"
    )
    prune.add_argument(
        "--max-size", type=_parse_size, metavar="SIZE", help="the least recently used above a size: 20GB"
    )
    prune.add_argument("--all", action="store_true", help="all of them")
    prune.set_defaults(run=partial(_run_prune, refuse=prune.error))


def _run_info(args: argparse.Namespace) -> int:
    from l3embed.store.pruning import stored_results
    from l3embed.store.recipe import Step

    results = list(stored_results(store_folder()))
    write_line(f"{'step':10}  {'results':>9}  {'size':>8}  last used")
    for step in Step:
        _write_row(step.value, [stored for stored in results if stored.step is step])
    _write_row("total", results)
    write_line(f"The store is at {store_folder()}; {STORE_VARIABLE} names another folder.")
    return 0


def _run_prune(args: argparse.Namespace, refuse: Callable[[str], None]) -> int:
    from l3embed.store.pruning import prune

    if not args.all and args.older_than is None and args.max_size is None:
        refuse("say what to remove: --older-than DAYS, --max-size SIZE or --all")
    older_than_days, max_bytes = (0, 0) if args.all else (args.older_than, args.max_size)
    pruned = prune(store_folder(), older_than_days=older_than_days, max_bytes=max_bytes)
    write_line(
        f"Removed {counted(pruned.results, 'result')} ({format_size(pruned.bytes)}) from {store_folder()}."
    )
    if pruned.spared:
        write_line(f"Kept {pruned.spared:,} more that were used in the last hour: a run may need them.")
    return 0


def format_size(count: int) -> str:
    """Return a number of bytes as a person writes it, as in ``12.3 MB``."""
    unit = next((unit for unit, size in UNITS.items() if count < 999.95 * size), "TB")
    return f"{count} B" if unit == "B" else f"{count / UNITS[unit]:.1f} {unit}"


def _write_row(name: str, results: list[Stored]) -> None:
    size = format_size(sum(stored.bytes for stored in results))
    used = ""
    if results:
        used = f"{datetime.fromtimestamp(max(stored.used_s for stored in results)):%Y-%m-%d %H:%M}"
    write_line(f"{name:10}  {len(results):>9,}  {size:>8}  {used}".rstrip())


def _parse_days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = math.nan
    if not 0 <= days < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number of days from 0 on; got {text!r}")
    return days


def _parse_size(text: str) -> int:
    found = SIZE.fullmatch(text)
    units = {unit.upper(): size for unit, size in UNITS.items()}
    if not found or found[2].upper() not in units:
        raise argparse.ArgumentTypeError(
            f"must be a number and a unit ({', '.join(UNITS)}), as in 20GB; got {text!r}"
        )
    return round(float(found[1]) * units[found[2].upper()])

"""``l3embed doctor``: what works here, what does not, and where things are kept."""

from __future__ import annotations

import argparse
import json
import textwrap
from typing import TYPE_CHECKING

from l3embed.cli.flags import write_line

if TYPE_CHECKING:
    from l3embed.cli.checkup import Finding

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

WIDTH = 110
NAME_WIDTH, STATE_WIDTH = 24, 14
INDENT = 2


def add_parser(subparsers: Subparsers) -> None:
    """Add the ``doctor`` command; it sets ``run``, a function from arguments to an exit status."""
    parser = subparsers.add_parser(
        "doctor",
        help="try what is installed, and say where things are kept",
        description="Try each runtime, reader and extra that is installed, in a process of its own, and "
        "say where cache, store and weights are. Nothing is changed, and nothing fetched. Exits with 1 if "
        "something that is installed does not work.",
    )
    parser.add_argument("--json", action="store_true", help="as JSON, for bug reports and programs")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from l3embed.cli.checkup import State, examine

    findings = []
    section = ""
    for finding in examine():
        findings.append(finding)
        if args.json:
            continue
        if finding.section != section:
            section = finding.section
            write_line(section)
        write_line(_line(finding))
    if args.json:
        write_line(json.dumps([{**vars(each), "state": each.state.value} for each in findings], indent=2))
    faults = [finding.name for finding in findings if finding.state is State.FAULT]
    if not args.json:
        write_line(f"\nNot working: {', '.join(faults)}." if faults else "\nAll that is installed works.")
    return 1 if faults else 0


def _line(finding: Finding) -> str:
    """Return a finding as a row, its detail under itself where it is long."""
    start = f"{'':{INDENT}}{finding.name:{NAME_WIDTH}} {finding.state.value:{STATE_WIDTH}} "
    wrapped = textwrap.wrap(
        start + finding.detail,
        WIDTH,
        subsequent_indent=" " * (INDENT + NAME_WIDTH + STATE_WIDTH + 2),
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=False,
        replace_whitespace=False,
    )
    return "\n".join(line.rstrip() for line in wrapped)

"""``l3embed report A B``: what changed from one run's export to another's."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from l3embed.cli.flags import encodable, write_line
from l3embed.progress import say
from l3embed.variants import Modality

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

PAGE_FILE = "comparison.html"
PAGE_SUFFIX = ".html"


def add_parser(subparsers: Subparsers) -> None:
    """Add the ``report`` command."""
    parser = subparsers.add_parser(
        "report",
        help="show what changed from one run to another: files, neighbours, accuracy by class",
        description="Compare two runs of the pipeline: their files, settings, nearest neighbours, accuracy "
        "by class, and doubts. A summary is written to standard output, and a page that opens offline. "
        "Embeddings may have different sizes. The exit status is 0, whatever has changed.",
    )
    where = "data folder, export folder, or job's folder of l3embed-pipeline"
    parser.add_argument("a", metavar="A", type=Path, help=f"the first run: its {where}")
    parser.add_argument("b", metavar="B", type=Path, help="the second run, in the same way")
    parser.add_argument(
        "-o",
        "--output",
        type=_parse_page,
        default=Path(PAGE_FILE),
        metavar="PAGE",
        help="the page to write (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="write all of it as JSON, not a summary")
    parser.add_argument(
        "--modality",
        choices=[modality.value for modality in Modality],
        help="which embeddings to compare (default: whatever both have)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare two runs, and write what changed; the status is 0 if that could be told."""
    from l3embed.report.compared_runs import read_run
    from l3embed.report.comparison import compare_runs
    from l3embed.report.comparison_page import check_page_packages, write_page

    check_page_packages()
    wanted = Modality(args.modality) if args.modality else None
    comparison = compare_runs(read_run(args.a), read_run(args.b), wanted)
    write_page(comparison, args.output)
    if args.json:
        import json

        from l3embed.report.comparison_json import comparison_content

        write_line(json.dumps(comparison_content(comparison), indent=2, allow_nan=False))
        say(f"l3embed: the page is {args.output}")
        return 0
    from l3embed.report.comparison_text import text_lines

    for line in text_lines(comparison):
        write_line(encodable(line))
    write_line(encodable(f"\nOpen {args.output}"))
    return 0


def _parse_page(text: str) -> Path:
    """Take a page's name: anything else may be a file that must not be replaced."""
    path = Path(text)
    if path.suffix.lower() != PAGE_SUFFIX:
        raise argparse.ArgumentTypeError(
            f"must be the name of a page that ends in {PAGE_SUFFIX}; got {text!r}"
        )
    return path

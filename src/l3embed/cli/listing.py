"""`l3embed list`: a table of the files of a folder or a bucket, which the pipeline takes as a dataset."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from l3embed.progress import counted

if TYPE_CHECKING:
    import argparse

    from l3embed.listings.listing_maker import Made

NAMED = 20
"""Files that could not be read and are named."""

EXAMPLES = """\
examples:
  l3embed list data/raw/mine -o data/raw/mine.parquet
  l3embed list s3://bucket/recordings -o data/raw/recordings.parquet
  l3embed list shards/ -o data/raw/shards.csv --checksums
  l3embed-pipeline dataset=listing dataset.path=data/raw/recordings.parquet
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of l3embed."""
    import argparse

    parser = subparsers.add_parser(
        "list",
        help="write a table of the files of a folder or a bucket, as a dataset",
        description="Write a table, Parquet or CSV, of the sounds, pictures and videos below a folder or a "
        "URI (s3://, gs://, hf://, http://, https://), and in its .tar shards, as WebDataset has them. The "
        "pipeline takes it as a dataset. Made anew, what has not changed (by size and date, or etag) is "
        "not read again, and labels, folds and sections that were added to it stay.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="FOLDER|URI", help="what to list; one .tar is a folder, too")
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, required=True, help="the table: .parquet or .csv"
    )
    parser.add_argument(
        "--checksums",
        action="store_true",
        help="read the files for their SHA-256 checksums, which are verified when they are embedded",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the listing, and say what is in it.

    Returns
    -------
    int
        1 if anything could not be read.
    """
    from l3embed.listings.listing_maker import make_listing
    from l3embed.stages.dataset import SUFFIXES

    endings = frozenset().union(*SUFFIXES.values())
    made = make_listing(
        args.source,
        args.output,
        lambda name: os.path.splitext(name)[1].lower() in endings,  # noqa: PTH122
        checksums=args.checksums,
    )
    for name, reason in made.left.faults[:NAMED]:
        sys.stderr.write(f"l3embed: warning: {name}: {reason}\n")
    if len(made.left.faults) > NAMED:
        sys.stderr.write(f"l3embed: warning: and {len(made.left.faults) - NAMED:,} more\n")
    if made.unkept:
        sys.stderr.write(f"l3embed: warning: these columns were not kept: {', '.join(made.unkept)}\n")
    sys.stdout.write(_summary(args.output, made))
    return 1 if made.left.faults else 0


def _summary(path: Path, made: Made) -> str:
    others = f"; {counted(made.left.others, 'other file')} left out" if made.left.others else ""
    return (
        f"{path}: {counted(made.rows, 'row')}, {made.bytes / 1e6:,.1f} MB: {made.new:,} new, "
        f"{made.changed:,} changed, {made.unchanged:,} unchanged, {made.gone:,} gone{others}\n"
    )

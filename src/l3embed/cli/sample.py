"""`l3embed sample`: a small labelled dataset to try things on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of l3embed."""
    parser = subparsers.add_parser(
        "sample",
        help="write a small labelled dataset of synthesised sounds",
        description="Write a small labelled dataset of synthesised sounds, one folder a class: bells, "
        "birdsong, drums, engine, plucked strings and rain. It needs no network, and takes a few seconds.",
    )
    parser.add_argument("directory", metavar="DIR", type=Path, help="new, empty, or an earlier sample")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="other clips (default: 0)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the dataset, and say where it is and what."""
    from l3embed.sample import write_sample_dataset

    paths = write_sample_dataset(args.directory, seed=args.seed)
    labels = sorted({path.parent.name for path in paths})
    size_mb = sum(path.stat().st_size for path in paths) / 1e6
    sys.stdout.write(
        f"{args.directory}\n"
        f"{len(paths)} synthesised clips in {len(labels)} classes ({', '.join(labels)}), {size_mb:.1f} MB: "
        "WAV, FLAC and OGG, 16 to 48 kHz, mono and stereo\n"
    )
    return 0

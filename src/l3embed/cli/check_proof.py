"""``l3embed check``: compare what a proof says with what this machine has and computes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from l3embed.cli.flags import add_placement_options, encodable, parse_count, placement_of, write_line

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

DESCRIPTION = """\
Check a proof that 'l3embed prove' has written: whether the file is as it was written, whether the dataset's
files here have the checksums that it says, whether the weights are the same numbers, and whether the
embeddings that it holds come out again. What else differs is named: versions, code, runtime, machine.

Files that lie here are read, all of them; of those of a listing that would have to be fetched, the ones that
embeddings are recomputed of. Nothing is fetched from where the proof says, but from where the listing here
does. The exit status is 0 only if all that was looked at is the same, and all embeddings are within their
tolerance.

Tolerances are the largest difference over the largest magnitude: 1e-5 for sounds and pictures, 1e-4 for
frames of videos, and 1e-2 for the sound of videos and for lossy sounds (MP3, Ogg, Opus, and what ffmpeg
reads), which are not decoded alike to the bit everywhere. In bfloat16, tf32 and float16 it is 2e-2, in int8
5e-2, and at least 1e-3 for an export in half floats.
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the ``check`` command."""
    parser = subparsers.add_parser(
        "check",
        help="check a proof: inputs, weights, and embeddings computed again",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("proof", type=Path, metavar="PROOF", help="what 'l3embed prove' has written")
    parser.add_argument(
        "--dataset",
        type=Path,
        metavar="PATH",
        help="the dataset's folder or listing (default: where the proof says, if that is here)",
    )
    parser.add_argument(
        "--sample", type=parse_count, metavar="N", help="embeddings to compute (default: all it holds)"
    )
    parser.add_argument(
        "--weights",
        metavar="SOURCE",
        help="published, random, random:SEED or a folder (default: as the proof says)",
    )
    add_placement_options(parser)
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.add_argument("-q", "--quiet", action="store_true", help="draw no progress bars")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check a proof and say what was found out; the status is 0 only if all of it is so."""
    from l3embed.proof.check_words import check_json, check_lines
    from l3embed.proof.checking import CheckOptions, check_proof
    from l3embed.proof.proof_file import read_proof

    proof, checksum = read_proof(args.proof)
    options = CheckOptions(
        args.dataset, args.sample, args.weights, placement_of(args), verbose=not args.quiet
    )
    checked = check_proof(proof, options)
    if args.json:
        write_line(json.dumps(check_json(checksum, checked), indent=2))
        return 0 if checked.is_ok else 1
    write_line(f"{args.proof}: unchanged, {checksum}")
    for line in check_lines(proof, checked):
        write_line(encodable(line))
    return 0 if checked.is_ok else 1

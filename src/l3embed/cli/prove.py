"""``l3embed prove``: write down what an export was computed from and with, for others to compute it again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from l3embed.cli.flags import parse_count, write_line
from l3embed.errors import OpenL3Error
from l3embed.progress import counted, say

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

SAMPLE = 100

DESCRIPTION = """\
Write a proof of an export: the checksums of its inputs, the settings, the networks and their weights, the
code and packages that computed it, and some of its embeddings in full. 'l3embed check' compares all of that
on another machine, and computes those embeddings again.

Which embeddings is drawn by the inputs' checksums, so that nobody chooses them, and the same export makes the
same file. A checksum over all that it says shows whether the file was changed. Up to 10,000 inputs are listed
one by one (3 MB); of more, 4,096 digests of groups that they fall into are, and the inputs of the embeddings:
so the file does not grow, nor does what is held in memory.
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the ``prove`` command."""
    parser = subparsers.add_parser(
        "prove",
        help="write down what an export was computed from, for others to check",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("export", type=Path, metavar="EXPORT", help="an export's folder, as data/export")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("proof.json"), metavar="FILE", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--sample",
        type=parse_count,
        default=SAMPLE,
        metavar="N",
        help="embeddings that it holds in full (default: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write a proof, and say what is in it."""
    from l3embed.proof.proof_file import write_proof
    from l3embed.proof.proving import make_proof
    from l3embed.proof.stated_settings import FROM_EMBEDDINGS

    if args.output.is_dir():
        raise OpenL3Error(f"{args.output} is a folder. Name a file, as -o {args.output}/proof.json.")
    proof = make_proof(args.export, args.sample)
    checksum = write_proof(args.output, proof)
    if proof.settings.known_from == FROM_EMBEDDINGS:
        say(
            "l3embed: warning: no settings lie beside the export that agree with it: the hop is told by its "
            "times, and files are taken to be read as usual."
        )
    for network in proof.networks.values():
        if network.numbers_sha256 is None:
            say(
                f"l3embed: warning: the weights of {network.variant} do not lie beside the export: the proof "
                f"has their name alone, {network.weights}."
            )
    inputs, shown = proof.inputs, len(proof.windows)
    write_line(f"{args.output}: {counted(inputs.count, 'input')}, {counted(inputs.embeddings, 'embedding')}")
    write_line(f"  {counted(shown, 'embedding')} in full, the settings from {proof.settings.known_from}")
    write_line(f"  {checksum}")
    return 0

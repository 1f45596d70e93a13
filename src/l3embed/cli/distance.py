"""``l3embed distance REFERENCE CANDIDATE...``: how far sets of sounds or pictures are from a reference."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from l3embed.cli.flags import add_placement_options, write_line
from l3embed.distances.distance_options import CANDIDATE, REFERENCE, DistanceMeasure, DistanceOptions
from l3embed.distances.protocols import PROTOCOLS
from l3embed.progress import say
from l3embed.variants import (
    AUDIO_EMBEDDING_SIZES,
    IMAGE_EMBEDDING_SIZES,
    ContentType,
    InputRepr,
    Modality,
    Precision,
)

if TYPE_CHECKING:
    from l3embed.distances.distance_results import Comparison

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

EXAMPLES = """examples:
  l3embed distance data/export generated/
  l3embed distance references/ one/ two/ --protocol stable-audio-metrics --content-type env
  l3embed distance references/ generated/ --measure fd,kad,fad-inf --per-file --csv distances.csv
  l3embed distance statistics.npz generated/ --save-statistics saved
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "distance",
        help="measure how far sets of sounds or pictures are from a reference: FD (FAD), KAD, FAD-infinity",
        description="Measure the distances between a reference and candidates. Each is a folder of sounds or "
        "of pictures, which are embedded, an export of the pipeline, a folder of l3embed's .npz files, or an "
        ".npz of statistics (of l3embed, fadtk, pytorch-fid or stable-audio-metrics). Sides that were not "
        "computed alike are refused. Intervals are of resampled files of the candidate, the reference held "
        "fixed. The exit status is 1 if a file could not be used or a distance not be measured.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("reference", metavar="REFERENCE", help="what is compared with")
    parser.add_argument("candidates", metavar="CANDIDATE", nargs="+", help="what is compared")
    _add_measure_options(parser.add_argument_group("measures"))
    _add_output_options(parser.add_argument_group("output"))
    group = parser.add_argument_group(
        "embedding",
        "How folders of sounds and pictures are embedded. What is not said is as in a side that is embedded "
        "already; if there is none, as distances are published: mel256, music, 512 numbers, a hop of 0.5 s.",
    )
    _add_embedding_options(group)
    add_placement_options(group)
    parser.set_defaults(run=run)


def _add_measure_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--measure",
        type=_parse_measures,
        default=(DistanceMeasure.FD.value,),
        metavar="NAMES",
        help="fd, kad or fad-inf, or several with commas between them (default: fd)",
    )
    group.add_argument(
        "--per-file", action="store_true", help="also measure each file's own frames (fd), and name outliers"
    )
    group.add_argument(
        "--bandwidth",
        choices=(CANDIDATE, REFERENCE),
        default=CANDIDATE,
        help="whose median distance is the width of KAD's kernel (default: %(default)s, as in kadtk)",
    )
    group.add_argument(
        "--resamples",
        type=int,
        default=200,
        metavar="N",
        help="resamples of a candidate's files, for the 95 %% intervals; 0: none (default: %(default)s)",
    )
    group.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of what is drawn (default: %(default)s)"
    )
    group.add_argument(
        "--modality",
        choices=[modality.value for modality in Modality],
        help="which embeddings (default: what all sides have, sounds first)",
    )
    group.add_argument("--recursive", action="store_true", help="take the files of subfolders too")


def _add_output_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--json", action="store_true", help="write JSON, not a table: a list of distances")
    group.add_argument("--csv", type=Path, metavar="FILE", help="also write a CSV file")
    group.add_argument(
        "--save-statistics", type=Path, metavar="DIR", help="save each side's mean and covariance, as .npz"
    )
    group.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep embeddings there, and find them again the next time"
    )
    group.add_argument("-q", "--quiet", action="store_true", help="draw no progress bars")


def _add_embedding_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--protocol", choices=list(PROTOCOLS), help="embed sounds as published figures were")
    group.add_argument(
        "--channels",
        type=int,
        choices=(1, 2),
        help="2: left and right apart, side by side; 1: averaged (default: as the protocol has it)",
    )
    group.add_argument("-i", "--input-repr", choices=[kind.value for kind in InputRepr], help="spectrogram")
    group.add_argument(
        "-c", "--content-type", choices=[kind.value for kind in ContentType], help="training set of the model"
    )
    group.add_argument(
        "-s",
        "--embedding-size",
        type=int,
        choices=sorted({*AUDIO_EMBEDDING_SIZES, *IMAGE_EMBEDDING_SIZES}),
        help="numbers in an embedding",
    )
    group.add_argument("-t", "--hop-size", type=float, metavar="SECONDS", help="from one window to the next")
    group.add_argument("--weights", metavar="SOURCE", help="published, random, random:SEED or a folder")
    group.add_argument("--precision", choices=[kind.value for kind in Precision], help="what is computed in")
    group.add_argument("--batch-size", type=int, default=32, metavar="N", help="windows or pictures at once")


def _parse_measures(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    allowed = [measure.value for measure in DistanceMeasure]
    if unknown := [name for name in names if name not in allowed]:
        raise argparse.ArgumentTypeError(f"must be of {', '.join(allowed)}; got {unknown[0]!r}")
    return names


def run(args: argparse.Namespace) -> int:
    """Measure the distances and write them; the status is 0 only if nothing was lost."""
    from l3embed.distances.distance_table import json_content, text_lines, write_table
    from l3embed.distances.measuring import measure_distances

    with_statistics = args.save_statistics is not None
    comparison = measure_distances(
        args.reference, args.candidates, _options(args), with_statistics=with_statistics
    )
    if with_statistics:
        _save(comparison, args.save_statistics)
    if args.csv:
        write_table(args.csv, comparison)
    if args.json:
        write_line(json.dumps(json_content(comparison), indent=2, allow_nan=False))
        for note in comparison.notes:
            say(f"l3embed: {note}")
    else:
        encoding = sys.stdout.encoding or "utf-8"
        for line in text_lines(comparison):
            write_line(line.encode(encoding, "backslashreplace").decode(encoding))
    return _tell_failures(comparison)


def _options(args: argparse.Namespace) -> DistanceOptions:
    names = (
        *("per_file", "bandwidth", "resamples", "seed", "recursive", "modality", "protocol", "channels"),
        *("input_repr", "content_type", "embedding_size", "hop_size", "precision", "weights", "device"),
        *("runtime", "threads", "batch_size", "keep"),
    )
    chosen = {name: getattr(args, name) for name in names}
    return DistanceOptions(measures=args.measure, verbose=not args.quiet, **chosen)


def _save(comparison: Comparison, folder: Path) -> None:
    """Save the statistics of all sides, each under the name of its folder or file."""
    from l3embed.distances.statistics_file import write_statistics

    taken: set[str] = set()
    for name, statistics in comparison.statistics.items():
        plain = Path(name).absolute().name.removesuffix(".npz")
        called, number = plain, 1
        while called.casefold() in taken:
            number += 1
            called = f"{plain}_{number}"
        taken.add(called.casefold())
        path = folder / f"{called}.npz"
        write_statistics(path, statistics)
        say(f"{path}: statistics of {name}")


def _tell_failures(comparison: Comparison) -> int:
    failures = comparison.failures
    if not failures:
        return 0
    sys.stderr.write(f"l3embed: {len(failures):,} failed; all else was done:\n")
    width = max(map(len, failures))
    for name, reason in failures.items():
        sys.stderr.write(f"  {name:{width}}  {reason}\n")
    return 1

"""``l3embed search``: what a folder of embeddings has that is like a sound or a picture."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from l3embed.cli.flags import add_placement_options, parse_count, placement_of
from l3embed.errors import OpenL3Error
from l3embed.variants import Modality

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

DESCRIPTION = """\
Find the files, or the moments of files, that are most like a sound or a picture.

A query is a row of the folder, as hits name it, which needs no computing; or a file, which is embedded as
the folder's were: same network, weights, frontend and hop (write ./ in front of a file that has a row's
name). PATH@BEGIN-END is a part of either, in seconds. What a query is made of is no hit of it.

How alike two are is the cosine between their embeddings, after the mean of all that are searched has been
taken off both: for whole files what the report shows as nearest neighbours. All are compared. Moments, and
whole files of .npz folders, are read from an index beside FOLDER (FOLDER.search), which is kept current.
"""

EXAMPLES = """\
examples:
  l3embed search bells/bells_01.wav --in data/export
  l3embed search recording.wav@12.5-14 --in data/export --moments --one-per-file --top 20
  l3embed search bells/bells_01.wav --in data/export --not rain --not drums/drums_02.flac
  l3embed search call.wav --in data/export --moments --raven hits.txt --clips hits --dataset data/raw/mine
  l3embed search a.wav b.wav --in embeddings --json
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the ``search`` command."""
    parser = subparsers.add_parser(
        "search",
        help="find sounds or pictures like this one in what was embedded",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("queries", nargs="+", metavar="QUERY", help="file or row, or a part of one")
    parser.add_argument(
        "--in",
        dest="folder",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="an export of the pipeline, or a folder of .npz files that l3embed has written",
    )
    parser.add_argument(
        "--moments",
        action="store_true",
        help="compare windows of sound and frames of videos, not whole files",
    )
    parser.add_argument(
        "--lance",
        action="store_true",
        help="look into the export's LanceDB table (export=lance): quicker in large archives, not all of it",
    )
    parser.add_argument(
        "--modality",
        choices=[modality.value for modality in Modality],
        help="which embeddings to compare (default: pictures for a picture, else sounds, if there are any)",
    )
    _add_hit_options(parser.add_argument_group("hits"))
    _add_file_options(parser.add_argument_group("files"))
    group = parser.add_argument_group("model")
    group.add_argument(
        "--weights",
        metavar="SOURCE",
        help="published, random:SEED or a folder: those that FOLDER was embedded with (default: as it says)",
    )
    add_placement_options(group)
    parser.add_argument("-q", "--quiet", action="store_true", help="print hits, errors and warnings only")
    parser.set_defaults(run=run)


def _add_hit_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--top", type=parse_count, default=10, metavar="N", help="how many at most (default: %(default)s)"
    )
    group.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="LABEL",
        help="only those with this label; may be given several times",
    )
    group.add_argument(
        "--not",
        dest="without",
        action="append",
        default=[],
        metavar="LABEL|QUERY",
        help="none with this label, or none that is more like this query than like the one that is asked "
        "for; may be given several times",
    )
    group.add_argument(
        "--one-per-file", action="store_true", help="with --moments: only the best of each file"
    )


def _add_file_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--json", action="store_true", help="write the hits as JSON, not as a table")
    group.add_argument("--csv", type=Path, metavar="FILE", help="write them as a table to a file, too")
    group.add_argument("--raven", type=Path, metavar="FILE", help="write a selection table for Raven")
    group.add_argument(
        "--audacity", type=Path, metavar="DIR", help="write labels for Audacity, a file for each sound"
    )
    group.add_argument("--clips", type=Path, metavar="DIR", help="cut the sounds out, to WAV files")
    group.add_argument(
        "--dataset",
        type=Path,
        metavar="DIR",
        help="the dataset's own folder, where --raven and --clips find the sounds (default: for .npz files "
        "beside them, FOLDER)",
    )


def run(args: argparse.Namespace) -> int:
    """Search, and write what was found; the status is 0 only if every query was answered."""
    from l3embed.cli.search_output import write_hits
    from l3embed.export.manifest import is_export
    from l3embed.search.several import Options, search_all

    if (args.raven or args.clips) and not args.dataset and is_export(args.folder):
        raise OpenL3Error(
            "An export does not say where its dataset lies: name the folder, as in --dataset data/raw/sample."
        )
    options = Options(
        top=args.top,
        label=tuple(args.label),
        without=tuple(args.without),
        one_per_file=args.one_per_file,
        moments=args.moments,
        lance=args.lance,
        modality=Modality(args.modality) if args.modality else None,
        weights=args.weights,
        placement=placement_of(args),
        verbose=not args.quiet,
    )
    found = search_all(args.folder, args.queries, options)
    faults = write_hits(found, args)
    for words in faults:
        sys.stderr.write(f"l3embed: error: {words}\n")
    return 1 if faults else 0

"""The hits of a search as a table, as JSON and as files."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from l3embed.cli.flags import encodable, write_line
from l3embed.errors import OpenL3Error
from l3embed.export.cosine import MEASURE
from l3embed.progress import counted, say
from l3embed.search.clips import clip_name, cut_clip, sound_of
from l3embed.search.hit import Hit
from l3embed.search.hit_files import timed_hits, write_audacity, write_hits_csv, write_raven
from l3embed.search.several import Answer, Found


def write_hits(found: Found, args: argparse.Namespace) -> list[str]:
    """Write hits to standard output and to the files that are asked for; return what went wrong."""
    faults = [f"{answer.query}: {answer.error}" for answer in found.answers if answer.error]
    faults += [f"{args.folder}: {path} is left out: {reason}" for path, reason in found.left_out.items()]
    answered = [answer for answer in found.answers if not answer.error]
    if args.json:
        write_line(json.dumps(_content(found, args), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        for number, answer in enumerate(answered):
            for line in ([""] if number else []) + list(_table(answer)):
                write_line(encodable(line))
    for path in filter(None, (args.csv, args.raven)):
        path.parent.mkdir(parents=True, exist_ok=True)
    if args.csv:
        write_hits_csv(args.csv, answered)
    dataset = args.dataset or args.folder
    if args.raven:
        write_raven(args.raven, answered, lambda hit: sound_of(dataset, hit))
    if args.audacity:
        write_audacity(args.audacity, answered)
    if args.raven or args.audacity:
        faults += _without_place(answered)
    if args.clips:
        faults += _cut(answered, dataset, args.clips)
    return faults


def _content(found: Found, args: argparse.Namespace) -> dict[str, object]:
    answers = [
        {"query": answer.query, "error": answer.error}
        if answer.error
        else {
            "query": answer.query,
            "modality": answer.modality and answer.modality.value,
            "hits": [asdict(hit) for hit in answer.hits],
        }
        for answer in found.answers
    ]
    return {
        "folder": str(args.folder),
        "rows": "frames" if args.moments else "files",
        "measure": MEASURE,
        "queries": answers,
        "left_out": found.left_out,
    }


def _table(answer: Answer) -> Iterator[str]:
    """Yield the lines of a table: numbers to the right, words to the left."""
    if not answer.hits:
        yield f"{answer.query}: no hits"
        return
    rows = [_cells(hit) for hit in answer.hits]
    header = ["rank", "similarity", "begin, s", "end, s", "label", "file"]
    used = [column for column in range(len(header)) if column < 2 or any(row[column] for row in rows)]
    widths = {column: max(len(row[column]) for row in [header, *rows]) for column in used}
    yield f"like {answer.query}:"
    for row in [header, *rows]:
        cells = [_aligned(row[column], widths[column], column) for column in used]
        yield "  ".join(cells).rstrip()


def _cells(hit: Hit) -> list[str]:
    is_whole = hit.time_s is None
    times = ["" if is_whole or value is None else f"{value:.2f}" for value in (hit.begin_s, hit.end_s)]
    return [str(hit.rank), f"{hit.similarity:.3f}", *times, hit.label, hit.path]


def _aligned(cell: str, width: int, column: int) -> str:
    is_number = column < 4
    return cell.rjust(width) if is_number else cell.ljust(width)


def _without_place(answers: Sequence[Answer]) -> list[str]:
    """Say how many hits selections and labels lack."""
    hits = sum(len(answer.hits) for answer in answers)
    missing = hits - len(timed_hits(answers))
    if not missing:
        return []
    words = (
        f"{counted(missing, 'hit')} of {hits:,} {'has' if missing == 1 else 'have'} no known place in a sound"
    )
    return [f"{words}, and no selection or label. With --moments all sounds have one."]


def _cut(answers: Sequence[Answer], dataset: Path, folder: Path) -> list[str]:
    """Cut out all hits; return why some could not be."""
    folder.mkdir(parents=True, exist_ok=True)
    faults, done = [], 0
    for number, answer in enumerate(answers, start=1):
        for hit in answer.hits:
            source = sound_of(dataset, hit)
            try:
                cut_clip(source, hit, folder / clip_name(number, hit))
                done += 1
            except OpenL3Error as error:
                faults.append(f"{source}: no clip of it is made: {error}")
            except OSError as error:
                faults.append(f"{source}: no clip of it is made: {error.strerror or error}.")
    say(f"l3embed: {counted(done, 'clip')} cut out to {folder}")
    return faults

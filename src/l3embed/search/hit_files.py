"""Hits as files of other programs: a CSV table, selections for Raven, labels for Audacity.

Selection tables are tab-separated, with Raven's own columns first, as Raven Pro's manual lists them ("Begin
Path" and "File Offset (s)" tell the file and the place in it, where several are open as one). Audacity takes
one text file for each recording: begin, end and words, separated by tabs.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from l3embed.disk.atomic import replacing
from l3embed.disk.tables import write_csv
from l3embed.search.hit import Hit
from l3embed.search.several import Answer
from l3embed.variants import SAMPLE_RATE_HZ

CSV_COLUMNS = ("query", "rank", "similarity", "path", "label", "begin_s", "end_s")

RAVEN_COLUMNS = (
    *("Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)"),
    *("Begin Path", "File Offset (s)", "Query", "Rank", "Similarity", "Label"),
)
RAVEN_VIEW = "Spectrogram 1"


def write_hits_csv(path: Path, answers: Iterable[Answer]) -> None:
    """Write all hits as a table; what is not known is an empty cell."""
    rows = (
        (answer.query, hit.rank, f"{hit.similarity:.6f}", hit.path, hit.label, hit.begin_s, hit.end_s)
        for answer in answers
        for hit in answer.hits
    )
    write_csv(path, CSV_COLUMNS, rows)


def timed_hits(answers: Iterable[Answer]) -> list[tuple[str, Hit, float, float]]:
    """Return the hits that are parts of sounds, with their queries and places in seconds; no frames."""
    return [
        (answer.query, hit, hit.begin_s, hit.end_s)
        for answer in answers
        for hit in answer.hits
        if hit.begin_s is not None and hit.end_s is not None and hit.begin_s < hit.end_s
    ]


def write_raven(path: Path, answers: Iterable[Answer], locate: Callable[[Hit], Path]) -> None:
    """Write a selection table of all sounds among the hits.

    Parameters
    ----------
    path : Path
        The table's.
    answers : iterable of Answer
        The hits.
    locate : callable
        Returns a hit's sound. Times are those in each file, in both columns of begins.
    """
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, "excel-tab", lineterminator="\n")
        writer.writerow(RAVEN_COLUMNS)
        for number, (query, hit, begin_s, end_s) in enumerate(timed_hits(answers), start=1):
            highest_hz = (hit.sample_rate_hz or SAMPLE_RATE_HZ) / 2
            row = [number, RAVEN_VIEW, 1, f"{begin_s:.6f}", f"{end_s:.6f}", "0.0", f"{highest_hz:.1f}"]
            row += [locate(hit).absolute(), f"{begin_s:.6f}", query, hit.rank]
            writer.writerow([*row, f"{hit.similarity:.6f}", hit.label])


def write_audacity(folder: Path, answers: Iterable[Answer]) -> list[Path]:
    """Write the labels of each sound among the hits to ``<its path>.txt`` below a folder; return these."""
    lines: defaultdict[str, list[tuple[float, float, str]]] = defaultdict(list)
    for query, hit, begin_s, end_s in timed_hits(answers):
        words = f"{hit.similarity:.3f} {query}"
        lines[hit.path].append((begin_s, end_s, " ".join(words.split())))
    written = []
    for name, rows in lines.items():
        path = folder / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            text = "".join(f"{begin_s:.6f}\t{end_s:.6f}\t{words}\n" for begin_s, end_s, words in sorted(rows))
            temporary.write_text(text, encoding="utf-8")
        written.append(path)
    return written

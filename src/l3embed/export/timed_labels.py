"""Labels of parts of sounds, as people mark them in Raven and in Audacity, and the windows that they are of.

A window gets the label whose selections cover most of it, if these are at least half of the shorter of the
two, window and selection: a short call within a window labels it, and so does a long one that fills half of
it. Of labels that cover as much, the first selection's counts. All other windows have no label.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath

from l3embed.errors import OpenL3Error
from l3embed.progress import counted, say

LEAST_SHARE = 0.5
"""Of the shorter of window and selection."""

RAVEN_TIMES = ("Begin Time (s)", "End Time (s)")
RAVEN_OFFSET = "File Offset (s)"
RAVEN_FILES = ("Begin Path", "Begin File")
RAVEN_LABELS = ("Label", "Annotation", "Species", "Common Name", "Species Code", "Tags")
"""The columns that are taken for the label, the first that is there: Raven has none of its own."""

RAVEN_ENDING = re.compile(r"(\.Table\.\d+)?(\.selections)?$", re.IGNORECASE)
"""What Raven puts behind a sound's name to name its table."""

SPECTRAL = "\\"
"""How lines of Audacity begin that tell the frequencies of the label above them."""


class TimedKind(str, Enum):
    """Which program's files they are."""

    RAVEN = "raven"
    AUDACITY = "audacity"


@dataclass(frozen=True)
class TimedLabels:
    """Selections of Raven or labels of Audacity: one text file, or a folder of them, also below it."""

    kind: TimedKind
    path: Path


@dataclass(frozen=True)
class Selection:
    """A part of a sound, in seconds, and its label."""

    begin_s: float
    end_s: float
    label: str


Selections = Mapping[str, Sequence[Selection]]
"""Those of each sound, by its path."""


def read_selections(paths: Sequence[str], source: TimedLabels, *, quiet: bool = False) -> Selections:
    """Read the selections of those files of a dataset that have some.

    Raven's tables name their sounds in the columns Begin Path or Begin File. A table without these, and every
    file of Audacity's, is of the sound whose name it has: ``song.txt``, ``song.wav.txt`` or
    ``song.Table.1.selections.txt``.

    Parameters
    ----------
    paths : sequence of str
        Below the dataset's folder, with slashes.
    source : TimedLabels
        Where the selections are.
    quiet : bool
        Whether to tell nothing of selections of other files.

    Raises
    ------
    OpenL3Error
        If there are no such files, one cannot be read or is not as its program writes it, or none is of a
        file of the dataset.
    """
    tables = _tables(source.path)
    names = _Names(paths)
    read = _read_raven if source.kind is TimedKind.RAVEN else _read_audacity
    found: defaultdict[str, list[Selection]] = defaultdict(list)
    unknown: list[str] = []
    for table in tables:
        below = table.relative_to(source.path) if source.path.is_dir() else Path(table.name)
        for name, selection in read(table, below.with_suffix("").as_posix()):
            if path := names.find(name):
                found[path].append(selection)
            else:
                unknown.append(name)
    if not found:
        example = f" It is of {unknown[0]!r}; the dataset has {paths[0]!r}." if unknown and paths else ""
        raise OpenL3Error(f"No selection in {source.path} is of a file of the dataset.{example}")
    if unknown and not quiet:
        say(
            f"labels: {counted(len(unknown), 'selection')} of {source.path} "
            f"{'is' if len(unknown) == 1 else 'are'} of files that the dataset lacks, as {unknown[0]}"
        )
    return found


def label_of_window(begin_s: float, end_s: float, selections: Iterable[Selection]) -> str:
    """Return the label of a window of sound by the rule above; empty if it has none."""
    covered: defaultdict[str, float] = defaultdict(float)
    for selection in selections:
        overlap_s = min(end_s, selection.end_s) - max(begin_s, selection.begin_s)
        shorter_s = min(end_s - begin_s, selection.end_s - selection.begin_s)
        is_inside = overlap_s > 0 or (overlap_s == 0 and not shorter_s)  # a point within it, as in Audacity
        if is_inside and overlap_s >= LEAST_SHARE * shorter_s:
            covered[selection.label] += overlap_s
    return max(covered, key=lambda label: covered[label], default="")


def _tables(path: Path) -> list[Path]:
    if path.is_dir():
        tables = sorted(table for table in path.rglob("*.txt") if not table.name.startswith("."))
    else:
        tables = [path] if path.is_file() else []
    if not tables:
        raise OpenL3Error(
            f"There is no text file {path}, nor any in it. Set labels.table to one, or to a folder."
        )
    return tables


class _Names:
    """The files of a dataset by whatever a table may call them."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._whole = set(paths)
        self._by_end: defaultdict[str, set[str]] = defaultdict(set)
        for path in paths:
            for name in (path, str(PurePosixPath(path).with_suffix(""))):
                parts = name.split("/")
                for start in range(len(parts)):
                    self._by_end["/".join(parts[start:])].add(path)

    def find(self, name: str) -> str | None:
        """Return the file that a name is of: by as much of its path, from the end, as one file alone has."""
        parts = name.replace("\\", "/").split("/")
        for start in range(len(parts)):
            end = "/".join(parts[start:])
            if end in self._whole:
                return end
            if len(found := self._by_end.get(end, ())) == 1:
                return next(iter(found))
        return None


def _lines(table: Path) -> list[str]:
    try:
        return table.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise OpenL3Error(f"{table} is not UTF-8 (at byte {error.start}). Save it as UTF-8.") from error
    except OSError as error:
        raise OpenL3Error(f"{table} cannot be read: {error.strerror or error}.") from error


def _read_raven(table: Path, name: str) -> list[tuple[str, Selection]]:
    """Return a table's selections and the names of their sounds; each once, though views repeat them."""
    rows = list(csv.DictReader(_lines(table), delimiter="\t"))
    columns = list(rows[0]) if rows else _lines(table)[:1] and _lines(table)[0].split("\t")
    label = next((column for column in RAVEN_LABELS if column in columns), None)
    if label is None or any(column not in columns for column in RAVEN_TIMES):
        raise OpenL3Error(
            f"{table} must have Raven's columns {' and '.join(RAVEN_TIMES)}, and a label: one of "
            f"{', '.join(RAVEN_LABELS)}. It has: {', '.join(columns) or 'none'}."
        )
    file = next((column for column in RAVEN_FILES if column in columns), None)
    found = {}
    for number, row in enumerate(rows, start=2):
        begin_s, end_s = (_seconds(table, number, row[column]) for column in RAVEN_TIMES)
        if file and row.get(RAVEN_OFFSET):
            offset_s = _seconds(table, number, row[RAVEN_OFFSET])
            begin_s, end_s = offset_s, offset_s + end_s - begin_s
        sound = row[file] if file else RAVEN_ENDING.sub("", name)
        selection = _selection(table, number, begin_s, end_s, row[label])
        if selection:
            found[row.get("Selection") or str(number), sound] = (sound, selection)
    return list(found.values())


def _read_audacity(table: Path, name: str) -> list[tuple[str, Selection]]:
    found = []
    for number, line in enumerate(_lines(table), start=1):
        if not line.strip() or line.startswith(SPECTRAL):
            continue
        cells = line.split("\t")
        if len(cells) < 3:
            raise OpenL3Error(f"Line {number} of {table} must be begin, end and label, separated by tabs.")
        begin_s, end_s = (_seconds(table, number, cell) for cell in cells[:2])
        if selection := _selection(table, number, begin_s, end_s, cells[2]):
            found.append((name, selection))
    return found


def _seconds(table: Path, number: int, cell: str | None) -> float:
    try:
        return float((cell or "").replace(",", "."))  # some languages have commas
    except ValueError as error:
        raise OpenL3Error(f"Row {number} of {table} has {cell!r} where seconds must stand.") from error


def _selection(table: Path, number: int, begin_s: float, end_s: float, label: str | None) -> Selection | None:
    """Return a selection; nothing of one without a label."""
    if not 0 <= begin_s <= end_s < float("inf"):
        raise OpenL3Error(
            f"Row {number} of {table} is from {begin_s:g} to {end_s:g} s, which is no part of a sound."
        )
    words = (label or "").strip()
    return Selection(begin_s, end_s, words) if words else None

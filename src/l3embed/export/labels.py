"""Which class each file of a dataset is of: by its folder, by a table, or by the dataset's listing."""

from __future__ import annotations

import csv
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from l3embed.errors import OpenL3Error
from l3embed.export.timed_labels import TimedLabels, read_selections
from l3embed.progress import counted, say

REQUIRED_COLUMNS = ("path", "label")
FOLD_COLUMN = "fold"
OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs"}
"""What spreadsheets put between columns in place of commas."""


@dataclass(frozen=True)
class Label:
    """What is known of one file.

    Parameters
    ----------
    label : str
        Its class; empty if it has none.
    fold : str
        The fold that the dataset's authors put it into; empty if they did not.
    """

    label: str = ""
    fold: str = ""


@dataclass(frozen=True)
class FolderLabels:
    """A file's class is the name of the folder that directly holds it."""


@dataclass(frozen=True)
class LabelTable:
    """A CSV file with the columns ``path``, ``label`` and, optionally, ``fold``, says it.

    Paths are relative to the dataset's folder. Other columns are ignored.
    """

    path: Path


@dataclass(frozen=True)
class ListingLabels:
    """The dataset's listing says it: inputs bring their labels along."""


LabelSource = FolderLabels | LabelTable | ListingLabels | TimedLabels | None
"""Where labels come from; None if there are none. Timed ones are of parts of sounds: files have none then."""


@dataclass(frozen=True)
class _Row:
    """One row of a table; the header is row 1, as spreadsheets count."""

    number: int
    path: str
    label: Label


def assign_labels(paths: Sequence[str], source: LabelSource) -> dict[str, Label]:
    """Return the labels of those files of a dataset that have one.

    Parameters
    ----------
    paths : sequence of str
        Below the dataset's folder, with slashes.
    source : FolderLabels, LabelTable, ListingLabels, TimedLabels or None
        Where the labels come from; those of a listing are not known here.

    Raises
    ------
    OpenL3Error
        If a table is not there, can't be read, contradicts itself, or knows none of the files.
    """
    if source is None or isinstance(source, (ListingLabels, TimedLabels)):
        return {}
    if isinstance(source, FolderLabels):
        folders = {path: PurePosixPath(path).parent.name for path in paths}
        return {path: Label(folder) for path, folder in folders.items() if folder}
    rows = _read_table(source.path)
    found, unknown = _match(paths, rows, source.path)
    if unknown:
        verb = "is" if len(unknown) == 1 else "are"
        say(
            f"labels: {len(unknown):,} of {counted(len(rows), 'row')} of {source.path} {verb} for files "
            f"that the dataset lacks, as in row {unknown[0].number}: {unknown[0].path}"
        )
    return {path: row.label for path, row in found.items() if row.label.label}


def check_labels(paths: Sequence[str], source: LabelSource) -> None:
    """Check what `assign_labels` would refuse, with its errors, and tell of nothing else."""
    if isinstance(source, LabelTable):
        _match(paths, _read_table(source.path), source.path)
    elif isinstance(source, TimedLabels):
        read_selections(paths, source, quiet=True)


def _match(paths: Sequence[str], rows: Sequence[_Row], table: Path) -> tuple[dict[str, _Row], list[_Row]]:
    """Give files their rows, whichever way either writes letters with accents; return the other rows, too."""
    files = defaultdict(set)
    for path in paths:
        files[_composed(path)].add(path)
    found: dict[str, _Row] = {}
    unknown = []
    for row in rows:
        key = _composed(row.path)
        if key not in files:
            key = _tidied(key)
        if key not in files:
            unknown.append(row)
            continue
        for path in files[key]:
            _check_agreement(found.setdefault(path, row), row, table)
    if paths and not found:
        raise OpenL3Error(
            f"None of the {len(rows)} paths in {table} is a file of the dataset. The table has "
            f"{rows[0].path!r}, the dataset has {paths[0]!r}. Paths must be relative to the dataset's folder."
        )
    return found, unknown


def _composed(path: str) -> str:
    """Return the form that has a letter and its accent in one character: macOS takes them apart."""
    return unicodedata.normalize("NFC", path)


def _tidied(path: str) -> str:
    """Return a path with slashes, and without spaces around it or a ``./`` in front."""
    return PurePosixPath(path.strip().replace("\\", "/")).as_posix()


def _check_agreement(first: _Row, second: _Row, table: Path) -> None:
    if first.label != second.label:
        raise OpenL3Error(
            f"Rows {first.number} and {second.number} of {table} disagree on {second.path!r}: "
            f"{_described(first.label)}, and {_described(second.label)}. Keep one of them."
        )


def _described(label: Label) -> str:
    fold = f" in fold {label.fold!r}" if label.fold else ""
    return f"label {label.label!r}{fold}"


def _read_table(table: Path) -> list[_Row]:
    """Read the rows of a table."""
    if not table.is_file():
        raise OpenL3Error(f"There is no table of labels {table}. Give the path of a CSV file.")
    try:
        # Some spreadsheets put a byte order mark in front, which is no part of the first column's name.
        with table.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.reader(file))
    except UnicodeDecodeError as error:
        raise OpenL3Error(f"{table} is not UTF-8 (at byte {error.start}). Save it as UTF-8.") from error
    except (csv.Error, OSError) as error:
        raise OpenL3Error(f"{table} cannot be read as CSV: {error}.") from error
    columns = [name.strip() for name in lines[0]] if lines else []
    _check_columns(columns, table)
    rows = [
        _parse(number, columns, cells, table)
        for number, cells in enumerate(lines[1:], start=2)
        if any(cell.strip() for cell in cells)
    ]
    if not rows:
        raise OpenL3Error(f"{table} has no rows below its header. Add one for each file that has a label.")
    return rows


def _check_columns(columns: Sequence[str], table: Path) -> None:
    missing = [name for name in REQUIRED_COLUMNS if name not in columns]
    if not missing:
        return
    found = ", ".join(repr(name) for name in columns) or "none"
    hint = ""
    for separator, name in OTHER_SEPARATORS.items():
        if len(columns) == 1 and separator in columns[0]:
            hint = f" Separate columns with commas, not {name}."
    raise OpenL3Error(
        f"{table} must have the columns {' and '.join(REQUIRED_COLUMNS)}, and may have {FOLD_COLUMN}; "
        f"it has: {found}.{hint}"
    )


def _parse(number: int, columns: Sequence[str], cells: Sequence[str], table: Path) -> _Row:
    if any(cell.strip() for cell in cells[len(columns) :]):
        raise OpenL3Error(
            f"Row {number} of {table} has {len(cells)} cells for {len(columns)} columns. "
            "Put quotes around a cell that has a comma in it."
        )
    # A short row lacks its last cells.
    named = dict(zip(columns, cells, strict=False))
    path = named.get("path", "")
    if not path.strip():
        raise OpenL3Error(f"Row {number} of {table} has no path. Fill it in, or remove the row.")
    return _Row(number, path, Label(named.get("label", "").strip(), named.get(FOLD_COLUMN, "").strip()))

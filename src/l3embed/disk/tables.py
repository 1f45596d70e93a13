"""Tables of what became of inputs, as CSV files."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TextIO, TypeVar, get_args, get_type_hints

from l3embed.disk.atomic import replacing
from l3embed.errors import OpenL3Error

Row = TypeVar("Row")

OK = "ok"
FAILED = "failed"
"""The two things that can become of an input."""


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a table, which is there as a whole or not at all."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(_UnixLines(file))
        writer.writerow(columns)
        writer.writerows(rows)


def write_rows(path: Path, kind: type[Row], rows: Iterable[Row]) -> None:
    """Write a table with a column for each field of a dataclass."""
    columns = column_names(kind)
    write_csv(path, columns, ([getattr(row, name) for name in columns] for row in rows))


def read_rows(path: Path, kind: type[Row]) -> list[Row]:
    """Read such a table: each cell by the type of its field, and an empty one as None where that may be.

    Raises
    ------
    OpenL3Error
        If it has other columns, or a row more or fewer cells.
    ValueError
        If a cell is of another type.
    """
    return list(iterate_rows(path, kind))


def iterate_rows(path: Path, kind: type[Row]) -> Iterator[Row]:
    """Read such a table row by row, with the errors of `read_rows`."""
    parsers = {name: _parser(hint) for name, hint in get_type_hints(kind).items()}
    with path.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        header = next(lines, [])
        if header != list(parsers):
            raise OpenL3Error(f"Its columns must be {', '.join(parsers)}; got {', '.join(header) or 'none'}.")
        for place, row in enumerate(lines, start=2):
            if len(row) != len(header):
                raise OpenL3Error(f"Its row {place} has {len(row)} cells for {len(header)} columns.")
            yield kind(
                **{name: parse(cell) for (name, parse), cell in zip(parsers.items(), row, strict=True)}
            )


def column_names(kind: type[Any]) -> tuple[str, ...]:
    """Return the names of a dataclass's fields."""
    return tuple(field.name for field in fields(kind))


def _parser(hint: Any) -> Callable[[str], Any]:
    (parse,) = (kind for kind in get_args(hint) or (hint,) if kind is not type(None))
    return (lambda cell: parse(cell) if cell else None) if get_args(hint) else parse


class _UnixLines:
    """Ends rows with a line feed; the csv module would not quote a carriage return in a field then."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, row: str) -> None:
        self._file.write(row.removesuffix("\r\n") + "\n")

"""Tables of what became of inputs, as CSV files."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from l3embed.disk.atomic import replacing

OK = "ok"
FAILED = "failed"
"""The two things that can become of an input."""


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a table, which is there as a whole or not at all."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(_UnixLines(file))
        writer.writerow(columns)
        writer.writerows(rows)


class _UnixLines:
    """Ends rows with a line feed; the csv module would not quote a carriage return in a field then."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, row: str) -> None:
        self._file.write(row.removesuffix("\r\n") + "\n")

"""In which packed result the rows of an input lie: what is in any part is not computed for another."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

WAIT_S = 30.0
"""How long to wait for another process that writes."""

ASKED_AT_ONCE = 500
"""Rows that are asked for together; SQLite takes 999 at least."""

CREATE = "CREATE TABLE IF NOT EXISTS rows (row TEXT PRIMARY KEY, part TEXT, seen_s REAL) WITHOUT ROWID"
KEEP = "INSERT OR REPLACE INTO rows VALUES (?, ?, ?)"
FORGET = "DELETE FROM rows WHERE seen_s < ?"


class RowIndex:
    """Keys of inputs' rows, and of the packed results that hold them; several threads may use it.

    It is a convenience: where its database cannot be used, rows are computed again. And it promises nothing:
    whoever takes rows looks whether the part is there and has them.

    Parameters
    ----------
    database : Path
        An SQLite file.
    """

    def __init__(self, database: Path) -> None:
        self._database = database

    def find(self, rows: Sequence[str]) -> dict[str, str]:
        """Return the key of the part that holds each row, for those that any is known to hold."""
        found: dict[str, str] = {}
        with suppress(sqlite3.Error), self._opened() as connection:
            for start in range(0, len(rows), ASKED_AT_ONCE):
                some = rows[start : start + ASKED_AT_ONCE]
                marks = ",".join("?" * len(some))
                query = f"SELECT row, part FROM rows WHERE row IN ({marks})"  # noqa: S608 (question marks alone)
                found |= dict(connection.execute(query, some))
        return found

    def keep(self, part: str, rows: Iterable[str]) -> None:
        """Take in which rows a part holds."""
        now_s = time.time()
        with suppress(sqlite3.Error), self._opened() as connection, connection:
            connection.executemany(KEEP, ((row, part, now_s) for row in rows))

    def forget(self, before_s: float) -> None:
        """Forget what was computed before a time, in seconds since 1970."""
        if self._database.is_file():
            with suppress(sqlite3.Error), self._opened() as connection, connection:
                connection.execute(FORGET, (before_s,))

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._database, timeout=WAIT_S)) as connection:
            connection.execute(CREATE)
            yield connection

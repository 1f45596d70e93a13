"""Checksums of files, kept for as long as the files stay as they are: a dataset is read once."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
import zlib
from contextlib import closing, suppress
from pathlib import Path

from l3embed.disk.checksums import sha256

SETTLED_AFTER_S = 2.0
"""Age from which a file's date tells its contents apart: it could be written twice within one tick."""

KEPT_AT_ONCE = 500
"""New checksums that are written together: what a killed run has to do again."""

WAIT_S = 30.0
"""How long to wait for another process that writes."""

CREATE = """CREATE TABLE IF NOT EXISTS digests (
    device INTEGER, inode INTEGER, bytes INTEGER, modified_ns INTEGER, sha256 TEXT, seen_s REAL,
    PRIMARY KEY (device, inode, bytes, modified_ns))"""
FIND = "SELECT sha256 FROM digests WHERE device = ? AND inode = ? AND bytes = ? AND modified_ns = ?"
KEEP = "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?, ?)"
FORGET = "DELETE FROM digests WHERE seen_s < ?"

CREATE_REMOTE = "CREATE TABLE IF NOT EXISTS remote (state TEXT PRIMARY KEY, sha256 TEXT, seen_s REAL)"
FIND_REMOTE = "SELECT sha256 FROM remote WHERE state = ?"
KEEP_REMOTE = "INSERT OR REPLACE INTO remote VALUES (?, ?, ?)"
FORGET_REMOTE = "DELETE FROM remote WHERE seen_s < ?"

LARGEST_INTEGER = 2**63 - 1
"""SQLite's; some file systems number their files beyond it."""

State = tuple[int, int, int, int]


class Digests:
    """SHA-256 checksums of files by inode, size and date, or elsewhere by place and version.

    It is a convenience: where its database cannot be used, files are read again.

    Parameters
    ----------
    database : Path
        An SQLite file; its folder is made.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._new: dict[State, str] = {}
        self._new_remote: dict[str, str] = {}
        self._connection: sqlite3.Connection | None = None
        try:
            database.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(database, timeout=WAIT_S)
            self._connection.execute(CREATE)
            self._connection.execute(CREATE_REMOTE)
        except (sqlite3.Error, OSError):
            self._disconnect()

    def sha256(self, path: Path) -> str:
        """Return a file's checksum in hexadecimal digits.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        status = path.stat()
        known = self._new.get(_state(status)) or self._find(_state(status))
        if known:
            return known
        digest = sha256(path)
        if time.time() - status.st_mtime > SETTLED_AFTER_S:
            self._add(status, digest)
        return digest

    def keep(self, path: Path, digest: str) -> None:
        """Take in the checksum of a file that is not going to change."""
        self._add(path.stat(), digest)

    def remote_sha256(self, location: str, version: str) -> str | None:
        """Return the checksum of a file elsewhere, in the state that its server tells; None if unknown."""
        state = _remote_state(location, version)
        if known := self._new_remote.get(state):
            return known
        return self._look_up(FIND_REMOTE, (state,), state)

    def keep_remote(self, location: str, version: str, digest: str) -> None:
        """Take in the checksum of a file elsewhere, in such a state."""
        self._new_remote[_remote_state(location, version)] = digest
        if len(self._new_remote) >= KEPT_AT_ONCE:
            self._write()

    def close(self) -> None:
        """Write what is new; only checksums of single files can be asked for afterwards."""
        self._write()
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _add(self, status: os.stat_result, digest: str) -> None:
        self._new[_state(status)] = digest
        if len(self._new) >= KEPT_AT_ONCE:
            self._write()

    def _find(self, state: State) -> str | None:
        return self._look_up(FIND, state, state)

    def _look_up(self, query: str, values: tuple[object, ...], state: State | str) -> str | None:
        if self._connection is None:
            return None
        try:
            row = self._connection.execute(query, values).fetchone()
        except sqlite3.Error:
            return None
        digest = str(row[0]).partition(" ")[0] if row else ""
        return digest if row and row[0] == _checked(state, digest) else None

    def _write(self) -> None:
        if self._connection is None:
            return
        now_s = time.time()
        rows = [(*state, _checked(state, digest), now_s) for state, digest in self._new.items()]
        remote = [(state, _checked(state, digest), now_s) for state, digest in self._new_remote.items()]
        with suppress(sqlite3.Error), self._connection:
            self._connection.executemany(KEEP, rows)
            self._connection.executemany(KEEP_REMOTE, remote)
            self._new.clear()
            self._new_remote.clear()


def forget_digests(database: Path, before_s: float) -> None:
    """Forget the checksums that were computed before a time, in seconds since 1970."""
    if database.is_file():
        # What is no database is no use to anybody, and stays.
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(database, timeout=WAIT_S)) as connection,
            connection,
        ):
            connection.execute(FORGET, (before_s,))
            connection.execute(CREATE_REMOTE)
            connection.execute(FORGET_REMOTE, (before_s,))


def _remote_state(location: str, version: str) -> str:
    """Return a file's place and state as the database has them: as short for long addresses as for others."""
    return hashlib.sha256(f"{version}\n{location}".encode()).hexdigest()


def _checked(state: State | str, digest: str) -> str:
    """Return a checksum as the database has it: with one of its own, by which a damaged row is no row."""
    return f"{digest} {zlib.crc32(f'{state} {digest}'.encode()):08x}"


def _state(status: os.stat_result) -> State:
    device, inode = status.st_dev & LARGEST_INTEGER, status.st_ino & LARGEST_INTEGER
    return (device, inode, status.st_size, status.st_mtime_ns)

"""Checksums of whole files, read piece by piece, and tables of those that are expected."""

import zlib
from collections.abc import Iterator
from pathlib import Path

PIECE_BYTES = 1 << 20


def git_blob_id(path: Path) -> str:
    """Return what ``git hash-object`` prints: SHA-1 over ``blob <size>``, a zero byte and the bytes."""
    import hashlib

    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    for piece in _pieces(path):
        digest.update(piece)
    return digest.hexdigest()


def sha256(path: Path) -> str:
    """Return the file's SHA-256 in hexadecimal digits."""
    import hashlib

    digest = hashlib.sha256()
    for piece in _pieces(path):
        digest.update(piece)
    return digest.hexdigest()


def crc32(path: Path) -> int:
    """Return the file's CRC-32, as gzip computes it."""
    value = 0
    for piece in _pieces(path):
        value = zlib.crc32(piece, value)
    return value


def read_pins(table: Path) -> dict[str, str]:
    """Return the git blob ids of a table (file name, tab, id), by file name."""
    lines = table.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return dict(rows[1:])


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece

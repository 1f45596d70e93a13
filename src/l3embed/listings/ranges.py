"""Parts of remote files."""

from __future__ import annotations

import io
from typing import Any

from l3embed.errors import OpenL3Error
from l3embed.listings.location import scheme_of
from l3embed.listings.remote import ANSWER_S, SLOWEST_BYTES_PER_S, attempting, call, file_system

UNKNOWN_BYTES = 1 << 62
"""Stands for the size of a file of which a known part is asked for."""


def read_range(address: str, start: int, end: int) -> bytes:
    """Return the bytes of a remote file from one place to before another.

    Raises
    ------
    OpenL3Error
        If they cannot be had, or the server gives whole files only.
    """
    if scheme_of(address) in ("http", "https"):
        content = attempting(address, lambda: _web_range(address, start, end))
    else:
        content = call(address, "cat_file", start=start, end=end, expected_bytes=end - start)
    if len(content) != end - start:
        raise OpenL3Error(f"{address} is cut short: {len(content)} of {end - start} bytes came.")
    return bytes(content)


def _web_range(address: str, start: int, end: int) -> Any:
    """Ask a web server, which may answer with all of the file: no more than a part of that is read."""
    from fsspec.asyn import sync

    files = file_system(scheme_of(address))
    file = files.open(address, size=UNKNOWN_BYTES, cache_type="none")
    limit_s = ANSWER_S + (end - start) / SLOWEST_BYTES_PER_S
    try:
        return sync(files.loop, file.async_fetch_range, start, end, timeout=limit_s)
    except ValueError as error:
        raise OpenL3Error(
            f"The server of {address} does not give parts of files, which members of a shard are read by."
        ) from error


class RemoteFile(io.RawIOBase):
    """A remote file that can be read from any place."""

    def __init__(self, address: str, size: int) -> None:
        self._address, self._size, self._place = address, size, 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that its place can be changed."""
        return True

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, and return it."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Read what fits into a buffer, and return how much that was."""
        end = min(self._place + len(buffer), self._size)
        if end <= self._place:
            return 0
        content = read_range(self._address, self._place, end)
        buffer[: len(content)] = content
        self._place = end
        return len(content)

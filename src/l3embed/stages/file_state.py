"""By what a file is known to be as it was, and why it cannot be read."""

from __future__ import annotations

import stat
from pathlib import Path

from l3embed.errors import OpenL3Error, source_faults

FileState = tuple[int, ...]
"""The same for as long as nobody writes to the file."""


def file_state(path: Path) -> FileState:
    """Return by what a file is known to be as it was.

    Raises
    ------
    OpenL3Error
        If it is no file that can be read, with the reason.
    """
    with source_faults():
        try:
            status = path.stat()
        except OSError as error:
            raise OpenL3Error(unreadable(path, error)) from error
        if not stat.S_ISREG(status.st_mode):  # reading from a pipe would never end
            raise OpenL3Error("It is no file that can be read: a pipe, a socket or a device.")
    return (status.st_ino, status.st_size, status.st_mtime_ns)


def unreadable(path: Path, error: OSError) -> str:
    """Return why a file cannot be read, in words."""
    if path.is_symlink() and not path.exists():
        return "It is a link that leads nowhere."
    return f"It could not be read: {error.strerror}."

"""What becomes of a command whose output nobody reads any more, as in ``l3embed report A B | head``."""

from __future__ import annotations

import io
import os
import stat
import sys
from typing import Any, TextIO

from l3embed.disk.leftovers import remove_leftovers

EXIT_UNREAD = 141
"""What shells say of programs that SIGPIPE has ended, as it ends ``cat``: 128, and the signal's number."""


def end_when_unread() -> None:
    """Have this process, which is a command's own, end without a word where it writes what nobody reads.

    Python ignores the signal, and raises exceptions in its place: in whichever thread writes, where they may
    be taken for the fault of a file, and once more at the end, which is told as an error.
    """
    sys.stdout, sys.stderr = _guarded(sys.stdout), _guarded(sys.stderr)


class _Guarded(io.FileIO):
    """A pipe that ends the process when nobody reads it any more."""

    def write(self, data: bytes, /) -> int | None:  # type: ignore[override]
        try:
            return super().write(data)
        except BrokenPipeError:
            remove_leftovers()
            os._exit(EXIT_UNREAD)


def _guarded(stream: TextIO) -> TextIO:
    """Return a stream that ends the process when nobody reads it; the same one, if it is no pipe."""
    try:
        descriptor = stream.fileno()
        mode = os.fstat(descriptor).st_mode
    except (AttributeError, OSError, ValueError):  # there is none, or it is closed
        return stream
    if not isinstance(stream, io.TextIOWrapper) or not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return stream
    stream.flush()
    guarded: Any = _Guarded(descriptor, "w", closefd=False)
    return io.TextIOWrapper(
        # Python has no buffer where it was told so (-u, PYTHONUNBUFFERED).
        io.BufferedWriter(guarded) if isinstance(stream.buffer, io.BufferedWriter) else guarded,
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )

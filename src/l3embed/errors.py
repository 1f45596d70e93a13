"""The two kinds of trouble that l3embed reports to its users, and how others become the first of them."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class OpenL3Error(Exception):
    """A mistake or a fault that stops a computation: what came, what is allowed, what to do."""


class FilesError(OpenL3Error):
    """Some files of several could not be processed; the others were.

    Parameters
    ----------
    failures : dict[str, str]
        The reason for each file that failed, by its path as it was given.
    done : int
        How many were processed.
    """

    def __init__(self, failures: dict[str, str], done: int) -> None:
        self.failures = failures
        self.done = done
        lines = [f"{path}: {reason}" for path, reason in failures.items()]
        if len(lines) == 1 and not done:
            super().__init__(lines[0])
        else:
            total = done + len(lines)
            super().__init__("\n  ".join([f"{len(lines)} of {total} files could not be processed:", *lines]))

    def __reduce__(self) -> tuple[type[FilesError], tuple[dict[str, str], int]]:
        # From its message alone, as other exceptions, it could not be made again: a pool of processes would
        # wait for ever for what its worker has raised.
        return type(self), (self.failures, self.done)


class OpenL3Warning(UserWarning):
    """Something that the user should know, and that does not stop the computation."""


_kept = threading.local()
"""What a thread of l3embed's own has warned of, if it is kept for the caller's."""


def warn(words: str) -> None:
    """Warn at the line that called l3embed: no line of the package tells its user anything.

    In a thread of l3embed's own no such line is known: see `keeping_warnings`.
    """
    kept: list[str] | None = getattr(_kept, "words", None)
    if kept is not None:
        kept.append(words)
        return
    frame = _calling_frame()
    warnings.warn_explicit(
        words,
        OpenL3Warning,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=frame.f_globals.get("__name__"),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


@contextmanager
def keeping_warnings() -> Iterator[list[str]]:
    """Keep what this thread warns of in a list, so that the thread that takes its results can warn of it."""
    _kept.words = []
    try:
        yield _kept.words
    finally:
        del _kept.words


def _calling_frame() -> FrameType:
    """Return the frame that called into the package: contextlib's may lie between the package's own."""
    # The parameter skip_file_prefixes of warnings.warn does not exist before Python 3.12, and knows no such.
    calling = sys._getframe()
    frame: FrameType | None = calling
    while frame is not None:
        if frame.f_back and str(frame.f_globals.get("__name__")).partition(".")[0] == __package__:
            calling = frame.f_back
        frame = frame.f_back
    return calling


@contextmanager
def source_faults(
    what: str = "It could not be read", expected: tuple[type[BaseException], ...] = ()
) -> Iterator[None]:
    """Make an `OpenL3Error` of whatever is raised while one source is read: it is that source's own.

    Readers of people's files raise what they like. What ends the computation for other reasons, as Ctrl-C
    does, goes on as it is.

    Parameters
    ----------
    what : str
        What went wrong, before the reason.
    expected : tuple of exception types
        Those whose words say enough; all others are told with their names.
    """
    try:
        yield
    except (OpenL3Error, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # a panic of a reader written in Rust is no Exception
        raise OpenL3Error(f"{what}: {_reason(error, expected)}.") from error


def _reason(error: BaseException, expected: tuple[type[BaseException], ...]) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    words = " ".join(str(error).split()).rstrip(".")
    name = type(error).__name__
    if not words:
        return name
    return words if isinstance(error, expected) else f"{name}: {words}"

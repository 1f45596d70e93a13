"""The two kinds of trouble that l3embed reports to its users, and how others become the first of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


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

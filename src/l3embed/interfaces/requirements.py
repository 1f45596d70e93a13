"""What an interface needs that l3embed does not bring along."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needed_by(interface: str, package: str, extra: str) -> Iterator[None]:
    """Name the pip command where the import of a package fails because it is not installed.

    Parameters
    ----------
    interface : str
        What needs it, as in ``l3embed.hear``.
    package : str
        What is imported.
    extra : str
        l3embed's extra that brings it.

    Raises
    ------
    ModuleNotFoundError
        If the package is missing; if it lacks something itself, its own error is raised.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise ModuleNotFoundError(
            f"{interface} needs {package}, which is not installed: pip install 'l3embed[{extra}]'.",
            name=package,
        ) from error

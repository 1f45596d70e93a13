"""Exceptions of the package: what they keep on their way from one process to another."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import pytest

import l3embed
from l3embed.decoding.audio import UnknownFormatError
from l3embed.disk.folders import FolderError
from l3embed.errors import FilesError, OpenL3Error, OpenL3Warning
from l3embed.runtimes.base import FrameworkError

RAISED: list[BaseException] = [
    OpenL3Error("What came, what is allowed, what to do."),
    FilesError({"a.wav": "It is empty.", "b.wav": "It is cut short."}, 3),
    FilesError({"a.wav": "It is empty."}, 0),
    OpenL3Warning("Something that the user should know."),
    UnknownFormatError("It is no sound that can be read."),
    FolderError("No space is left in a folder. Free some."),
    FrameworkError("ncnn has failed (status -100), probably for want of memory. Use fewer threads."),
]
"""Each as the code makes it."""


def modules() -> Iterator[ModuleType]:
    """All that can be imported here: extras may be missing."""
    for module in pkgutil.walk_packages(l3embed.__path__, "l3embed."):
        if module.name.endswith("__main__"):
            continue
        try:
            yield importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            if (error.name or "l3embed").partition(".")[0] == "l3embed":
                raise


def defined_exceptions() -> set[type]:
    found = set()
    for module in modules():
        found |= {
            kind
            for kind in vars(module).values()
            if isinstance(kind, type)
            and issubclass(kind, BaseException)
            and kind.__module__ == module.__name__
        }
    return found


def test_all_exceptions_are_tried_here() -> None:
    assert {type(error) for error in RAISED} == defined_exceptions()


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_an_exception_survives_the_way_to_another_process(error: BaseException) -> None:
    """A pool of processes would wait for ever for one that cannot be made again."""
    error.__cause__ = KeyError("which does not go along")

    received = pickle.loads(pickle.dumps(error))

    assert type(received) is type(error)
    assert str(received) == str(error)
    assert vars(received) == vars(error)

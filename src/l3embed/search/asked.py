"""What a query's words mean: a file or a row of the folder, the whole of it or a part."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from l3embed.errors import OpenL3Error

PART = re.compile(r"(?P<path>.+)@(?P<begin>\d+(?:\.\d*)?|\.\d+)-(?P<end>\d+(?:\.\d*)?|\.\d+)", re.DOTALL)

SYNTAX = "Write the part of a file as song.wav@12.5-14, in seconds."


@dataclass(frozen=True)
class Part:
    """From when to when, in seconds."""

    begin_s: float
    end_s: float

    def __str__(self) -> str:
        return f"{self.begin_s:g}-{self.end_s:g}"


@dataclass(frozen=True)
class Query:
    """A file, or a row of the folder, and which part of it; None: the whole."""

    path: str
    part: Part | None = None


def parse_query(text: str, is_there: Callable[[str], bool]) -> Query:
    """Return what a query means.

    Parameters
    ----------
    text : str
        A path, or a path and a part. A path that is there counts as it stands, whatever signs it has.
    is_there : callable
        Tells whether there is such a file or row.

    Raises
    ------
    OpenL3Error
        If the part ends before it begins.
    """
    found = PART.fullmatch(text)
    if is_there(text) or not found:
        return Query(text)
    part = Part(float(found["begin"]), float(found["end"]))
    if part.end_s <= part.begin_s:
        raise OpenL3Error(f"A part must end after it begins; got {part} in {text!r}. {SYNTAX}")
    return Query(found["path"], part)

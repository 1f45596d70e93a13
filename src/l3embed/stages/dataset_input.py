"""One input of a dataset, as all stages know it."""

from __future__ import annotations

from dataclasses import dataclass

from l3embed.variants import Media


@dataclass(frozen=True, slots=True)
class Input:
    """One file of a dataset, or a section of one.

    Parameters
    ----------
    path : str
        Its name in the manifest and in outputs, which no other input has: in a folder, the path below that,
        with slashes; of a section, seconds stand before the ending, as in ``a/b@12.5-14.wav``.
    media : Media
        Its kind.
    location : str or None
        Path or URI, as a listing has it; None in a folder, where `path` is the path.
    label, fold : str or None
        As a listing has them.
    start_s, end_s : float or None
        Which section of the file it is; None for its beginning and its end.
    sha256 : str or None
        The checksum that the whole file must have, in hexadecimal digits.
    bytes, version : int or None, and str or None
        The size of the file, and what changes with its bytes (an entity tag, a date), as a listing has them.
    offset : int or None
        Where it begins in its ``.tar``, if a listing says so.
    """

    path: str
    media: Media
    location: str | None = None
    label: str | None = None
    start_s: float | None = None
    end_s: float | None = None
    sha256: str | None = None
    fold: str | None = None
    bytes: int | None = None
    version: str | None = None
    offset: int | None = None

"""Which files are drawn where not all can be looked at: always the same ones, whatever else is there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from l3embed.export.manifest import ManifestRow
from l3embed.export.manifest_table import ManifestTable

MOST_FILES = 50_000
"""Files that a page shows, and that packed embeddings are evaluated on."""

Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Sample:
    """Some files of a dataset, in all of their modalities: those with the lowest checksums of their paths.

    Parameters
    ----------
    files : int
        How many there are in all.
    highest : int or None
        The highest checksum that counts; None, if all do.
    drawn : int
        How many files are drawn then.
    """

    files: int
    highest: int | None = None
    drawn: int = 0

    def places(self, rows: Sequence[ManifestRow]) -> Places:
        """Return the places of the rows that are of files of the sample."""
        if self.highest is None:
            return np.arange(len(rows))
        return np.flatnonzero(_numbers(rows) <= self.highest)

    def rows(self, rows: Sequence[ManifestRow]) -> list[ManifestRow]:
        """Return the rows of files of the sample."""
        if isinstance(rows, ManifestTable):
            return list(rows.chosen(self.places(rows)))
        return [rows[place] for place in self.places(rows)]

    @property
    def words(self) -> str:
        """What is to be said of it; nothing, if all files count."""
        if self.highest is None:
            return ""
        return f"{self.drawn:,} of {self.files:,} files, drawn at random"


def draw(rows: Sequence[ManifestRow], most: int | None = None) -> Sample:
    """Draw so many files of those in a manifest, or `MOST_FILES`; all, if there are no more."""
    most = MOST_FILES if most is None else most
    different = np.unique(_numbers(rows))
    if len(different) <= most:
        return Sample(len(different))
    return Sample(len(different), int(different[most - 1]), most)


def _numbers(rows: Sequence[ManifestRow]) -> npt.NDArray[np.uint64]:
    """Return the beginning of each path's checksum."""
    digests = (hashlib.sha256(path.encode()).digest()[:8] for path in _paths(rows))
    return np.fromiter((int.from_bytes(digest, "big") for digest in digests), np.uint64, len(rows))


def _paths(rows: Sequence[ManifestRow]) -> Iterator[str]:
    if isinstance(rows, ManifestTable):
        yield from rows.paths()
    else:
        yield from (row.path for row in rows)

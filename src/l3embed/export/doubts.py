"""The files of an export that one should look at before one trusts what is computed from them."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path

from l3embed.disk.seals import is_sealed, reading, seal
from l3embed.disk.tables import iterate_rows, write_rows
from l3embed.export.manifest import STAGE
from l3embed.progress import counted
from l3embed.variants import DoubtKind, Modality

DOUBTS_CSV = "doubts.csv"

DOUBTFUL = {
    DoubtKind.CONFLICT: ("has copies under another label", "have copies under another label"),
    DoubtKind.DAMAGED: (
        "is damaged, and used as far as it can be read",
        "are damaged, and used as far as they can be read",
    ),
    DoubtKind.SILENT: ("is silent", "are silent"),
    DoubtKind.BLACK: ("is all black", "are all black"),
    DoubtKind.INCOMPLETE: (
        "is a video without sound or without frames",
        "are videos without sound or without frames",
    ),
    DoubtKind.OUTLIER: ("is far from all others", "are far from all others"),
    DoubtKind.COPY: ("is a copy of another", "are copies of others"),
    DoubtKind.SHORT: (
        "is shorter than one window, and padded with zeros",
        "are shorter than one window, and padded with zeros",
    ),
    DoubtKind.TURNED: (
        "has an EXIF orientation, and is not turned",
        "have an EXIF orientation, and are not turned",
    ),
}
"""What is said of one file of each kind, and of several."""


def doubtful_files(kind: DoubtKind, count: int) -> str:
    """Return how many files there are of a kind, in words: ``1 file is silent``."""
    one, several = DOUBTFUL[kind]
    return f"{counted(count, 'file')} {one if count == 1 else several}"


@dataclass(frozen=True)
class Doubt:
    """One thing that may be wrong with one file.

    Parameters
    ----------
    path : str
        Below the dataset's folder, with slashes.
    modality : Modality
        Which of its embeddings it concerns; copies and conflicts concern both, and stand at the first.
    label : str
        Class of the file; empty if it has none.
    kind : DoubtKind
        What it is.
    words : str
        The same in a sentence that begins behind the file's name.
    """

    path: str
    modality: Modality
    label: str
    kind: DoubtKind
    words: str


def write_doubts(export: Path, doubts: Iterable[Doubt]) -> None:
    """Write the list of doubts of an export: the worst kind first."""
    ranks = list(DoubtKind)
    write_ordered_doubts(export, sorted(doubts, key=lambda doubt: ranks.index(doubt.kind)))


def write_ordered_doubts(export: Path, doubts: Iterable[Doubt]) -> None:
    """Write doubts that come with the worst kind first: they are not all held."""
    write_rows(export / DOUBTS_CSV, Doubt, doubts)
    seal(export / DOUBTS_CSV)


def read_doubts(export: Path, paths: Container[str] | None = None) -> list[Doubt]:
    """Read the list of doubts of an export, as it was written; nothing if it is older than such lists.

    Parameters
    ----------
    export : Path
        Its folder.
    paths : container of str, optional
        The files that count, if not all do.

    Raises
    ------
    OpenL3Error
        If it is not as the stage has written it.
    """
    path = export / DOUBTS_CSV
    if not path.exists() and not is_sealed(path):
        return []
    with reading(path, STAGE):
        rows = iterate_rows(path, Doubt)
        return [doubt for doubt in rows if paths is None or doubt.path in paths]

"""The files of an export that a card lists: what each is, how large, and its checksum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from l3embed.export.card.card_facts import CardFacts, part_files
from l3embed.export.doubts import DOUBTS_CSV
from l3embed.export.lance import FOLDER as LANCE_FOLDER
from l3embed.export.manifest import MANIFEST_CSV, MANIFEST_PARQUET, mean_index_path, mean_path
from l3embed.export.parquet import FOLDER
from l3embed.export.window_labels import WINDOWS_CSV
from l3embed.progress import progress_bar
from l3embed.variants import Modality

PARQUET, CSV, NPY = (
    "application/x-parquet",
    "text/csv",
    "https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html",
)
"""What Croissant calls the formats; one without a registered name is named by the page that describes it."""

WHAT = {
    MANIFEST_PARQUET: "Each input: label, fold, checksum, status, warnings, what computed its embeddings",
    MANIFEST_CSV: "The same as a text file",
    DOUBTS_CSV: "The files that one should look at before one trusts what is computed from them",
    WINDOWS_CSV: "The label of each window of sound that has one of its own",
}
"""What the tables of an export say."""


@dataclass(frozen=True)
class CardFile:
    """A file of an export.

    Parameters
    ----------
    path : str
        Below the export, with slashes.
    encoding : str
        Its format, as Croissant has it.
    what : str
        What it is, in words.
    bytes : int
        Its size.
    sha256 : str
        Of its bytes.
    modality : Modality or None
        Whose embeddings it holds, if it is a part of a Parquet dataset.
    """

    path: str
    encoding: str
    what: str
    bytes: int
    sha256: str
    modality: Modality | None = None


Digest = Callable[[Path], str]
"""Returns the SHA-256 of a file: a store remembers those of files that it knows."""


def list_files(export: Path, facts: CardFacts, digest: Digest) -> list[CardFile]:
    """Return the files that a card lists: all but the ``.npz`` of inputs and LanceDB's."""
    found = list(_named(export, facts))
    with progress_bar("Listing the files of the card", total=len(found), unit="file") as bar:
        files = []
        for path, encoding, what, modality in found:
            name = path.relative_to(export).as_posix()
            files.append(CardFile(name, encoding, what, path.stat().st_size, digest(path), modality))
            bar.update()
    return files


def parts_pattern(modality: Modality) -> str:
    """Return the files of a modality's Parquet dataset as a pattern, below the export."""
    return f"{FOLDER}/{modality.value}/*.parquet"


def has_lance(export: Path) -> bool:
    """Tell whether there are LanceDB tables besides."""
    return (export / LANCE_FOLDER).is_dir()


def _named(export: Path, facts: CardFacts) -> Iterator[tuple[Path, str, str, Modality | None]]:
    for modality in facts.embedded:
        for path in part_files(export, modality):
            yield path, PARQUET, f"Embeddings of {modality.value}", modality
    others = [
        (export / name, PARQUET if name == MANIFEST_PARQUET else CSV, what) for name, what in WHAT.items()
    ]
    for modality in facts.embedded:
        means = mean_path(export, modality)
        others.append((means, NPY, f"The mean {modality.value} embedding of each {facts.noun}, in float32"))
        others.append((mean_index_path(export, modality), CSV, f"Whose each row of {means.name} is"))
    yield from ((path, encoding, what, None) for path, encoding, what in others if path.is_file())

"""What a side of a comparison is: found out from its path, and embedded if it is not yet."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from l3embed.distances.computed_with import UNKNOWN, ComputedWith
from l3embed.distances.embedded_sets import (
    ARRAY,
    NPZ_SUFFIX,
    EmbeddedSet,
    check_set,
    export_modalities,
    files_below,
    read_export_set,
    read_npz_set,
)
from l3embed.distances.statistics_file import holds_statistics, read_statistics
from l3embed.distances.streamed_statistics import Statistics
from l3embed.errors import OpenL3Error, source_faults
from l3embed.export.manifest import STAGE, is_export
from l3embed.variants import Modality

ALLOWED = (
    "a folder of sounds or of pictures, an export of the pipeline, a folder of l3embed's .npz files, or an "
    ".npz of statistics"
)


class SideKind(Enum):
    """What a path turns out to be."""

    STATISTICS = "statistics"
    EXPORT = "export"
    NPZ = "npz"
    MEDIA = "media"


@dataclass(frozen=True)
class Looked:
    """What was found at a path, before anything of it is read.

    Parameters
    ----------
    path : Path
        As the user has named it.
    kind : SideKind
        What it is.
    modalities : tuple of Modality
        What it has embeddings, or files, of; none: it does not say.
    files : mapping of Modality or None to list of Path
        Files of each kind; those of None hold embeddings.
    statistics : Statistics or None
        Of a file of statistics.
    """

    path: Path
    kind: SideKind
    modalities: tuple[Modality, ...] = ()
    files: dict[Modality | None, list[Path]] = field(default_factory=dict)
    statistics: Statistics | None = None


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a set of embeddings, or nothing but its statistics."""

    name: str
    embedded: EmbeddedSet | None = None
    statistics: Statistics | None = None

    @property
    def made(self) -> ComputedWith:
        """What it was computed with."""
        if self.embedded is not None:
            return self.embedded.made
        return self.statistics.made if self.statistics is not None else UNKNOWN

    @property
    def dimension(self) -> int:
        """Numbers in each embedding."""
        if self.embedded is not None:
            return self.embedded.dimension
        return self.statistics.dimension if self.statistics is not None else 0


def look_at_embedded(path: Path, *, recursive: bool) -> Looked | None:
    """Find out what embeddings, or statistics of them, lie at a path; None if there are none.

    Raises
    ------
    OpenL3Error
        If it is none of these, or there is nothing of that name.
    """
    if path.is_file():
        return _look_at_file(path)
    if not path.is_dir():
        raise OpenL3Error(f"There is no {path}. A side must be {ALLOWED}.")
    if is_export(path):
        return Looked(path, SideKind.EXPORT, tuple(export_modalities(path)))
    if is_export(path / STAGE):
        raise OpenL3Error(f"{path} is no export, but the folder of one. Name {path / STAGE}.")
    arrays = files_below(path, frozenset({NPZ_SUFFIX}), recursive=recursive)
    return Looked(path, SideKind.NPZ, (), {None: arrays}) if arrays else None


def _look_at_file(path: Path) -> Looked:
    if path.suffix.lower() == NPZ_SUFFIX:
        with source_faults(f"{path} could not be read"), zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
        if ARRAY in names and not holds_statistics(names):
            raise OpenL3Error(
                f"{path} holds the embeddings of one file, and a set needs two. Name its folder."
            )
        statistics = read_statistics(path)
        modality = statistics.made.modality
        return Looked(path, SideKind.STATISTICS, (modality,) if modality else (), statistics=statistics)
    raise OpenL3Error(f"{path} is a single file, and a set needs two. A side must be {ALLOWED}.")


def open_side(found: Looked, modality: Modality, scratch: Path) -> Side:
    """Return a side that is embedded already.

    Raises
    ------
    OpenL3Error
        If it has fewer than two files, or its files were not computed alike.
    """
    name = str(found.path)
    if found.statistics is not None:
        return Side(name, statistics=found.statistics)
    if found.kind is SideKind.EXPORT:
        return Side(name, check_set(read_export_set(found.path, modality, scratch)))
    return Side(name, check_set(read_npz_set(found.path, found.files[None])))

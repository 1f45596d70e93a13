"""What a side of a comparison is: found out from its path, and embedded if it is not yet."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from l3embed.decoding import image, recording
from l3embed.distances.computed_with import UNKNOWN, ComputedWith, check_alike, joined
from l3embed.distances.distance_options import DistanceOptions
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
from l3embed.distances.embedding_folders import FolderPlan, embed_folder, plan_folders
from l3embed.distances.protocols import check_channels, parse_protocol
from l3embed.distances.statistics_file import holds_statistics, read_statistics
from l3embed.distances.streamed_statistics import Statistics
from l3embed.errors import OpenL3Error, source_faults
from l3embed.export.manifest import MANIFEST_CSV, STAGE
from l3embed.progress import say
from l3embed.variants import Modality, parse_choice

SUFFIXES = {Modality.AUDIO: recording.SUFFIXES, Modality.IMAGE: image.SUFFIXES}
NOUNS = {Modality.AUDIO: "sounds", Modality.IMAGE: "pictures"}

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


def look(path: Path, *, recursive: bool) -> Looked:
    """Find out what a side is.

    Raises
    ------
    OpenL3Error
        If it is nothing that distances can be measured of.
    """
    if path.is_file():
        return _look_at_file(path)
    if not path.is_dir():
        raise OpenL3Error(f"There is no {path}. A side must be {ALLOWED}.")
    if (path / MANIFEST_CSV).exists():
        return Looked(path, SideKind.EXPORT, tuple(export_modalities(path)))
    if (path / STAGE / MANIFEST_CSV).exists():
        raise OpenL3Error(f"{path} is no export, but the folder of one. Name {path / STAGE}.")
    media: dict[Modality | None, list[Path]] = {
        kind: files_below(path, suffixes, recursive=recursive) for kind, suffixes in SUFFIXES.items()
    }
    held = tuple(kind for kind in Modality if media[kind])
    arrays = files_below(path, frozenset({NPZ_SUFFIX}), recursive=recursive)
    if held:
        if arrays:
            kinds = " and ".join(NOUNS[kind] for kind in held)
            say(f"{path} has {kinds} beside .npz files: its {kinds} are embedded, and these are not read.")
        return Looked(path, SideKind.MEDIA, held, media)
    if arrays:
        return Looked(path, SideKind.NPZ, (), {None: arrays})
    hint = "" if recursive else " Subfolders are searched with --recursive (recursive=True)."
    raise OpenL3Error(f"There is nothing in {path} to measure. A side must be {ALLOWED}.{hint}")


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


def open_sides(paths: Sequence[Path], options: DistanceOptions, scratch: Path) -> list[Side]:
    """Return the sides of a comparison, the reference first; sounds and pictures are embedded.

    What is embedded already goes first, so that the rest is embedded in the same way.

    Raises
    ------
    OpenL3Error
        If a side is none, or two were not computed alike, or have different dimensions.
    """
    looked = [look(path, recursive=options.recursive) for path in paths]
    modality = _common_modality(looked, options.modality)
    sides: dict[int, Side] = {}
    known, known_name = _asked(options), f"what is asked for (protocol {options.protocol})"
    for place, found in enumerate(looked):
        if found.kind is not SideKind.MEDIA:
            sides[place] = side = open_side(found, modality, scratch)
            check_alike(known_name, known, side.name, side.made)
            if known.variant is None:
                known_name = side.name
            known = joined(known, side.made)
    media = [place for place, found in enumerate(looked) if found.kind is SideKind.MEDIA]
    if media:
        plan = plan_folders(options, known, known_name, modality)
        for place in media:
            sides[place] = _embed(looked[place], plan, modality, scratch)
    ordered = [sides[place] for place in range(len(looked))]
    _check_sides(ordered)
    return ordered


def _asked(options: DistanceOptions) -> ComputedWith:
    """Return what a protocol asks of sides that are embedded already."""
    protocol = parse_protocol(options.protocol)
    if protocol is None:
        return UNKNOWN
    channels = None if options.channels is None else check_channels(protocol, options.channels)
    return ComputedWith(None, None, protocol.hop_s, channels, protocol.name)


def _common_modality(looked: Sequence[Looked], asked: str | None) -> Modality:
    """Return the modality that all sides have something of, sounds first."""
    allowed = [parse_choice(Modality, "modality", asked)] if asked else list(Modality)
    for modality in allowed:
        if all(modality in found.modalities or not found.modalities for found in looked):
            return modality
    told = "; ".join(
        f"{found.path} has {' and '.join(NOUNS[modality] for modality in found.modalities) or 'either'}"
        for found in looked
    )
    what = f"no {NOUNS[allowed[0]]} on every side" if asked else "nothing that all sides have"
    raise OpenL3Error(f"There is {what}: {told}.")


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


def _embed(found: Looked, plan: FolderPlan, modality: Modality, scratch: Path) -> Side:
    return Side(str(found.path), check_set(embed_folder(found.path, found.files[modality], plan, scratch)))


def _check_sides(sides: Sequence[Side]) -> None:
    reference, *candidates = sides
    for side in candidates:
        check_alike(reference.name, reference.made, side.name, side.made)
        if side.dimension != reference.dimension:
            raise OpenL3Error(
                f"{reference.name} has embeddings of {reference.dimension} numbers, and {side.name} of "
                f"{side.dimension}: there is no distance between them. Compute both with the same network."
            )

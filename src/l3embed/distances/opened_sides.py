"""All sides of a comparison: those that are embedded already, and folders that are embedded like them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

from l3embed.decoding import image, recording
from l3embed.distances.computed_with import UNKNOWN, ComputedWith, check_alike, joined
from l3embed.distances.distance_options import DistanceOptions
from l3embed.distances.embedded_sets import check_set, files_below
from l3embed.distances.embedding_folders import FolderPlan, embed_folder, plan_folders
from l3embed.distances.protocols import check_channels, parse_protocol
from l3embed.distances.sides import ALLOWED, Looked, Side, SideKind, look_at_embedded, open_side
from l3embed.errors import OpenL3Error
from l3embed.progress import say
from l3embed.variants import Modality, parse_choice

SUFFIXES = {Modality.AUDIO: recording.SUFFIXES, Modality.IMAGE: image.SUFFIXES}
NOUNS = {Modality.AUDIO: "sounds", Modality.IMAGE: "pictures"}


def look(path: Path, *, recursive: bool) -> Looked:
    """Find out what a side is.

    Raises
    ------
    OpenL3Error
        If it is nothing that distances can be measured of.
    """
    embedded = look_at_embedded(path, recursive=recursive)
    if embedded and embedded.kind is not SideKind.NPZ:
        return embedded
    media: dict[Modality | None, list[Path]] = {
        kind: files_below(path, suffixes, recursive=recursive) for kind, suffixes in SUFFIXES.items()
    }
    held = tuple(kind for kind in Modality if media[kind])
    if held:
        if embedded:
            kinds = " and ".join(NOUNS[kind] for kind in held)
            say(f"{path} has {kinds} beside .npz files: its {kinds} are embedded, and these are not read.")
        return Looked(path, SideKind.MEDIA, held, media)
    if embedded:
        return embedded
    hint = "" if recursive else " Subfolders are searched with --recursive (recursive=True)."
    raise OpenL3Error(f"There is nothing in {path} to measure. A side must be {ALLOWED}.{hint}")


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
    made = {f"what is asked for (protocol {options.protocol})": _asked(options)}
    for place, found in enumerate(looked):
        if found.kind is not SideKind.MEDIA:
            sides[place] = side = open_side(found, modality, scratch)
            _check_alike(made, side.name, side.made)
    media = [place for place, found in enumerate(looked) if found.kind is SideKind.MEDIA]
    if media:
        plan = plan_folders(options, reduce(joined, made.values()), modality)
        _check_alike(made, "what is to be embedded", plan.made)
        for place in media:
            sides[place] = _embed(looked[place], plan, modality, scratch)
    ordered = [sides[place] for place in range(len(looked))]
    _check_dimensions(ordered)
    return ordered


def _check_alike(made: dict[str, ComputedWith], name: str, own: ComputedWith) -> None:
    """Check what a side was computed with against all before it, and put it among them."""
    for other_name, other in made.items():
        check_alike(other_name, other, name, own)
    made[name] = own


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


def _embed(found: Looked, plan: FolderPlan, modality: Modality, scratch: Path) -> Side:
    return Side(str(found.path), check_set(embed_folder(found.path, found.files[modality], plan, scratch)))


def _check_dimensions(sides: Sequence[Side]) -> None:
    reference, *candidates = sides
    for side in candidates:
        if side.dimension != reference.dimension:
            raise OpenL3Error(
                f"{reference.name} has embeddings of {reference.dimension} numbers, and {side.name} of "
                f"{side.dimension}: there is no distance between them. Compute both with the same network."
            )

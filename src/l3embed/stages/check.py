"""Stage ``check``: whether all that is asked for can be had, before another stage empties its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from l3embed.disk.json_files import read_whole_object, write_json
from l3embed.disk.seals import reading, seal
from l3embed.distances.computed_with import PUBLISHED
from l3embed.errors import OpenL3Error
from l3embed.export.formats import check_installed
from l3embed.export.labels import FolderLabels, LabelSource, ListingLabels, check_labels
from l3embed.inputs.media import MODALITIES
from l3embed.inputs.windows import Framing
from l3embed.listings.listing_table import COLUMNS, is_listing
from l3embed.listings.remote import check_packages
from l3embed.progress import counted, say
from l3embed.report.choices import Projection
from l3embed.report.projection import umap_is_wanted
from l3embed.runtimes.base import Placement
from l3embed.stages.dataset import Found, Selection, find_inputs
from l3embed.stages.network import check_placement
from l3embed.stages.output_folder import Layout
from l3embed.stages.reference_distances import KEY as KEY_OF_REFERENCE
from l3embed.stages.reference_distances import check_reference
from l3embed.variants import Modality, Variant, parse_choice
from l3embed.weights.file import read_layers
from l3embed.weights.locating import locate_in_silence
from l3embed.weights.source import PublishedWeights, RandomWeights, WeightsDirectory, WeightsSource

MODALITIES_FILE = "modalities.json"
KEY = "modalities"


@dataclass(frozen=True)
class CheckOptions:
    """What is asked for, as far as it may not be there, or not go together."""

    selection: Selection
    labels: LabelSource
    variants: Mapping[Modality, Variant]
    weights: WeightsSource
    placement: Placement
    projection: Projection = Projection.AUTO
    formats: tuple[str, ...] = ()
    reference: Path | None = None
    hop_s: float = Framing.hop_s


def run(dataset: Path, options: CheckOptions, layout: Layout) -> str:
    """Check all that can be checked in advance, and return the stage's summary.

    What it writes is the modalities that the dataset has files for: the networks that are needed. It is the
    same, to the byte, until that changes, so that no other stage runs again for its sake.

    Raises
    ------
    OpenL3Error
        If the dataset holds nothing that is asked for, the table of labels is wrong, a folder of weights
        lacks some, a network or a projection cannot be computed here, a format not be written, or the
        reference of distances is none or was computed otherwise.
    """
    found = find_inputs(dataset, options.selection)
    _check_labels(dataset, found, options.labels)
    _tell_of_listing(found)
    if is_listing(dataset):
        check_packages(input_.location or "" for input_ in found.inputs)
    modalities = _modalities(found)
    needed = [options.variants[modality] for modality in modalities]
    check_placement(needed, options.placement)
    umap_is_wanted(options.projection)
    for name in options.formats:
        check_installed(name)
    if options.reference is not None:
        _check_reference(options.reference, options, layout)
    if isinstance(options.weights, WeightsDirectory):
        for variant in needed:
            read_layers(locate_in_silence(variant.weight_set, options.weights).path, variant.weight_set)
    path = layout.folder("check") / MODALITIES_FILE
    write_json(path, {KEY: [modality.value for modality in modalities]})
    seal(path)
    others = f", {counted(found.left_out, 'other file')} left out" if found.left_out else ""
    networks = " and ".join(modality.value for modality in modalities)
    return f"check: {found.counts}{others}; weights are needed for {networks}"


def _check_reference(reference: Path, options: CheckOptions, layout: Layout) -> None:
    if reference.resolve() == layout.folder("export").resolve():
        raise OpenL3Error(
            f"{KEY_OF_REFERENCE} must be another run's export; got {reference}, which this run writes anew. "
            "Copy it, or set evaluation.reference=null."
        )
    check_reference(reference, options.variants, options.hop_s, _identity(options.weights))


def _identity(source: WeightsSource) -> str | None:
    """Return what the identity of weights is, or begins with; None if that takes the files."""
    if isinstance(source, RandomWeights):
        return f"random:{source.seed}"
    return PUBLISHED if isinstance(source, PublishedWeights) else None


def _check_labels(dataset: Path, found: Found, source: LabelSource) -> None:
    if isinstance(source, ListingLabels) and not found.has_labels:
        raise OpenL3Error(
            f"labels=listing takes labels from the dataset's listing, and {dataset} has none. Give it the "
            "column label, or set labels=folders."
        )
    if not isinstance(source, (FolderLabels, ListingLabels)) and source is not None:
        # As results are called: what is no text fails by this name.
        paths = [input_.path.encode(errors="backslashreplace").decode() for input_ in found.inputs]
        check_labels(paths, source)


def _tell_of_listing(found: Found) -> None:
    if found.repeated:
        say(f"check: warning: rows of the listing that repeat others, and count once: {found.repeated:,}")
    if found.unused_columns:
        names = ", ".join(found.unused_columns)
        say(f"check: these columns of the listing are not used: {names}. It may have {', '.join(COLUMNS)}.")


def read_modalities(layout: Layout) -> list[Modality]:
    """Return the modalities that the dataset had files for when it was checked.

    Raises
    ------
    OpenL3Error
        If it was not, or what was written then is damaged.
    """
    path = layout.folder("check") / MODALITIES_FILE
    with reading(path, "check"):
        names = read_whole_object(path).get(KEY)
        if not isinstance(names, list) or not names:
            raise OpenL3Error(f"It must hold a list of {KEY}.")
        return [parse_choice(Modality, KEY, name) for name in names]


def _modalities(found: Found) -> list[Modality]:
    needed = {modality for input_ in found.inputs for modality in MODALITIES[input_.media]}
    return [modality for modality in Modality if modality in needed]

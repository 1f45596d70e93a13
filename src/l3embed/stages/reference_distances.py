"""How far an export is from a reference: what the stage ``evaluate`` adds, and ``check`` looks at before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from l3embed.distances.bootstrap import FEWEST_FILES as FEWEST_RESAMPLED
from l3embed.distances.computed_with import AS_OPENL3, ComputedWith, check_alike
from l3embed.distances.distance_options import REFERENCE, DistanceMeasure, DistanceOptions
from l3embed.distances.embedded_sets import (
    FEWEST_FILES,
    EmbeddedSet,
    export_made,
    open_npz,
    read_export_set,
)
from l3embed.distances.measured_set import MeasuredSet
from l3embed.distances.one_reference import ToReference
from l3embed.distances.sides import Looked, Side, SideKind, look_at_embedded, open_side
from l3embed.errors import OpenL3Error
from l3embed.evaluation.reference_figures import ReferenceDistance, ReferenceDistances
from l3embed.export.manifest import embedded_in, read_manifest
from l3embed.progress import progress_bar
from l3embed.variants import Modality, Variant

RESAMPLES = 100

MOST_KERNEL_FRAMES = 20_000
"""KAD takes time with the square of frames: of more, on either side, there is none."""

KEY = "evaluation.reference"


def check_reference(
    reference: Path, variants: Mapping[Modality, Variant], hop_s: float, weights: str | None
) -> None:
    """Check that a reference can be compared with what the settings ask for.

    Parameters
    ----------
    reference : Path
        An export, a folder of l3embed's ``.npz`` files, or a file of statistics.
    variants : mapping of Modality to Variant
        The networks that are going to be used.
    hop_s : float
        Seconds from one window to the next.
    weights : str or None
        What the weights' identity is, or begins with, if that is known yet.

    Raises
    ------
    OpenL3Error
        If it is none of these, or was not computed so.
    """
    for modality, made in _made_of(_looked_at(reference)).items():
        if modality in variants:
            is_sound = modality is Modality.AUDIO
            asked = ComputedWith(
                variants[modality].name,
                weights,
                hop_s if is_sound else None,
                1 if is_sound else None,
                AS_OPENL3 if is_sound else None,
            )
            check_alike(f"{KEY} ({reference})", made, "this run", asked)


def _looked_at(reference: Path) -> Looked:
    try:
        found = look_at_embedded(reference, recursive=True)
    except OpenL3Error as error:
        raise OpenL3Error(f"{KEY}: {error}") from error
    if found is None:
        raise OpenL3Error(
            f"{KEY} must be embedded already: an export, a folder of l3embed's .npz files, or a file of "
            f"statistics; {reference} holds none of these. Embed it with the same settings first, as a "
            "dataset of its own or by 'l3embed audio', or have 'l3embed distance' save its statistics."
        )
    return found


def _made_of(found: Looked) -> dict[Modality, ComputedWith]:
    """Return what a reference was computed with, in each modality that it tells."""
    if found.kind is SideKind.EXPORT:
        return {modality: export_made(found.path, modality) for modality in found.modalities}
    made = found.statistics.made if found.statistics else open_npz(found.files[None][0])[1]
    return {made.modality: made} if made.modality else {}


def measure_reference(export: Path, reference: Path, seed: int) -> dict[Modality, ReferenceDistances]:
    """Measure how far an export, and each of its classes, is from a reference.

    Every class is compared with the whole reference, and KAD with one kernel, of the reference's width: so
    the classes compare with each other.

    Raises
    ------
    OpenL3Error
        If the two were not computed alike, or have different dimensions.
    """
    looked = _looked_at(reference)
    held = [modality for modality in Modality if embedded_in(read_manifest(export), modality)]
    with TemporaryDirectory(prefix="l3embed-") as folder:
        scratch = Path(folder)
        return {
            modality: _measure(export, looked, modality, seed, scratch)
            for modality in held
            if modality in looked.modalities or _is_only(modality, held, looked)
        }


def _is_only(modality: Modality, held: list[Modality], looked: Looked) -> bool:
    """Tell whether a reference that does not say what it is of is compared in this modality."""
    if looked.modalities:
        return False
    known = _made_of(looked)
    return modality in known if known else modality is held[0]


def _measure(
    export: Path, looked: Looked, modality: Modality, seed: int, scratch: Path
) -> ReferenceDistances:
    side = open_side(looked, modality, scratch)
    own = read_export_set(export, modality, scratch)
    check_alike(f"{KEY} ({side.name})", side.made, "this run", own.made)
    if side.dimension != own.dimension:
        raise OpenL3Error(
            f"{KEY} ({side.name}) has embeddings of {side.dimension} numbers, this run of {own.dimension}."
        )
    yardstick = MeasuredSet(side, scratch, seed)
    kinds, notes = _measures(yardstick, own)
    for whose, lost in (("the reference", side.embedded), ("this run", own)):
        failures = lost.failures if lost else {}
        notes += [f"Left out of {whose}: {name}: {why.rstrip('.')}" for name, why in failures.items()]
    options = DistanceOptions(resamples=RESAMPLES, seed=seed, bandwidth=REFERENCE)
    measuring = ToReference(yardstick, options)
    plain = ToReference(yardstick, replace(options, resamples=0))
    rows: list[ReferenceDistance] = []
    subsets = list(_subsets(own, notes))
    with progress_bar(f"Measuring {modality.value}", total=len(subsets), unit="set") as bar:
        for label, subset in subsets:
            measured = MeasuredSet(Side(label or "this run", subset), scratch, seed)
            is_small = len(subset.files) < FEWEST_RESAMPLED
            rows += _rows(plain if is_small else measuring, measured, kinds, label)
            measured.release()
            bar.update(1)
    if any(len(subset.files) < FEWEST_RESAMPLED for _, subset in subsets):
        notes.append(f"Intervals take at least {FEWEST_RESAMPLED} files: there are none of smaller sets")
    notes += [note.rstrip(".") for note in measuring.notes]
    notes += [
        f"{name}: {why.rstrip('.')}" for each in (measuring, plain) for name, why in each.failures.items()
    ]
    return ReferenceDistances(str(looked.path), tuple(rows), tuple(dict.fromkeys(notes)))


def _measures(reference: MeasuredSet, own: EmbeddedSet) -> tuple[list[DistanceMeasure], list[str]]:
    """Return the measures that can be had, and what is said of the others and of too few frames."""
    notes, kinds = [], [DistanceMeasure.FD]
    if reference.side.embedded is None:
        notes.append("There is no KAD: the reference holds nothing but statistics")
    elif max(reference.frames, own.frames) > MOST_KERNEL_FRAMES:
        notes.append(
            f"There is no KAD of more than {MOST_KERNEL_FRAMES:,} frames, as that takes time with their "
            "square: 'l3embed distance --measure kad' has it"
        )
    else:
        kinds.append(DistanceMeasure.KAD)
    few = {"the reference": reference.frames, "this run": own.frames}
    if told := [name for name, frames in few.items() if 0 < frames <= own.dimension]:
        notes.append(
            f"There are no more frames than the {own.dimension:,} numbers of an embedding in "
            f"{' and '.join(told)}: Fréchet distances (FD) are far too large"
        )
    return kinds, notes


def _subsets(own: EmbeddedSet, notes: list[str]) -> Iterator[tuple[str, EmbeddedSet]]:
    """Yield all files and those of each class, if they are two at least; note the others."""
    labels = sorted({file.label for file in own.files} - {""})
    for label in ("", *labels):
        subset = own.of_label(label) if label else own
        if len(subset.files) >= FEWEST_FILES:
            yield label, subset
        else:
            notes.append(f"{label or 'This run'} has a single file, and so no distance")


def _rows(
    measuring: ToReference, measured: MeasuredSet, kinds: list[DistanceMeasure], label: str
) -> Iterator[ReferenceDistance]:
    for kind in kinds:
        before = len(measuring.distances)
        measuring.measure(measured, kind)
        for found in measuring.distances[before:]:
            yield ReferenceDistance(
                label, kind.value, found.value, found.low, found.high, found.frames, found.files
            )

"""A manifest gone through from its beginning to its end: what it adds up to, and the embeddings drawn of it.

Its rows are not held, but for those that the proof lists.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from l3embed.errors import OpenL3Error
from l3embed.export.manifest import ManifestRow, iterate_manifest
from l3embed.proof.input_groups import MOST_LISTED, GroupDigests, line_of
from l3embed.proof.statement import ProvenInput, ProvenInputs


@dataclass
class ModalityFacts:
    """What all inputs of a modality were computed with; runtimes may be several."""

    row: ManifestRow
    runtimes: set[str] = field(default_factory=set)


@dataclass
class SummedManifest:
    """What a manifest adds up to.

    Parameters
    ----------
    inputs : ProvenInputs
        If there are many, without rows.
    modalities : dict of str to ModalityFacts
        Those that have embeddings.
    packages : dict of str to tuple of str
        The versions that are named, each once.
    """

    inputs: ProvenInputs
    modalities: dict[str, ModalityFacts]
    packages: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class DrawnFrame:
    """An embedding that was drawn: its input in a modality, and which of that's it is."""

    row: ManifestRow
    frame: int


def sum_manifest(export: Path) -> SummedManifest:
    """Go through a manifest.

    Raises
    ------
    OpenL3Error
        If it cannot be read, names no embeddings, or ones that were computed in several ways.
    """
    modalities: dict[str, ModalityFacts] = {}
    versions: set[str] = set()
    rows: list[ProvenInput] = []
    groups, digest = GroupDigests(), sha256()
    count = failed = embeddings = 0
    duration_s = 0.0
    for own in _by_input(iterate_manifest(export)):
        for row in (row for row in own if row.is_ok):
            _take_in(row, modalities, versions)
        each = proven_input(own)
        line = line_of(each.path, each.sha256, each.start_s, each.end_s)
        if each.sha256:
            groups.add(each.path, line)
        digest.update(line)
        count, embeddings = count + 1, embeddings + sum(each.frames.values())
        failed += not each.frames
        duration_s += each.duration_s or 0.0
        if count <= MOST_LISTED:
            rows.append(each)
    if not embeddings:
        raise OpenL3Error(f"{export} has no embeddings to prove: of {count} inputs, none was embedded.")
    is_long = count > MOST_LISTED
    inputs = ProvenInputs(
        count,
        failed,
        embeddings,
        round(duration_s, 6),
        digest.hexdigest(),
        () if is_long else tuple(rows),
        groups.digests() if is_long else (),
    )
    return SummedManifest(inputs, modalities, _packages(versions))


def _by_input(rows: Iterable[ManifestRow]) -> Iterator[list[ManifestRow]]:
    """Yield the rows of each input together: a video has two, one after the other."""
    return (list(own) for _, own in groupby(rows, key=lambda row: row.path))


def proven_input(own: Sequence[ManifestRow]) -> ProvenInput:
    """Return what a proof says of an input, by its rows of the manifest."""
    first = own[0]
    durations_s = [row.duration_s for row in own if row.duration_s is not None]
    try:
        return ProvenInput(
            path=first.path,
            sha256=next((row.sha256 for row in own if row.sha256), ""),
            frames={row.modality: row.frames for row in own if row.is_ok},
            duration_s=max(durations_s, default=None),
            start_s=first.start_s,
            end_s=first.end_s,
            location=first.location,
            reason=" ".join(dict.fromkeys(row.reason for row in own if row.reason)),
        )
    except OpenL3Error as error:
        raise OpenL3Error(f"The manifest cannot be proven: {error}.") from error


def _take_in(row: ManifestRow, modalities: dict[str, ModalityFacts], versions: set[str]) -> None:
    """Take in what an input was computed with, which must be the same for all of its modality."""
    known = modalities.setdefault(row.modality, ModalityFacts(row))
    for name in ("variant", "weights", "precision", "dimension"):
        one, other = getattr(known.row, name), getattr(row, name)
        if one != other:
            raise OpenL3Error(
                f"{known.row.path} has the {name} {one}, and {row.path} {other}: a proof is of one way of "
                "computing. Run 'dvc repro -f export', which writes the export anew."
            )
    known.runtimes.add(row.runtime)
    versions.add(row.packages)


def _packages(versions: Iterable[str]) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for package in (package for each in versions for package in filter(None, each.split(", "))):
        name, _, version = package.partition(" ")
        found[name].add(version)
    return {name: tuple(sorted(found[name])) for name in sorted(found)}


def drawn_frames(export: Path, places: Sequence[int]) -> tuple[list[DrawnFrame], list[ProvenInput]]:
    """Return the embeddings at some places among all, in the places' order, and their inputs by path.

    Raises
    ------
    OpenL3Error
        If the manifest cannot be read.
    """
    ordered, found = sorted(places), dict[int, DrawnFrame]()
    inputs: list[ProvenInput] = []
    start = 0
    for own in _by_input(iterate_manifest(export)):
        before = len(found)
        for row in (row for row in own if row.is_ok):
            first, last = bisect_left(ordered, start), bisect_left(ordered, start + row.frames)
            found |= {place: DrawnFrame(row, place - start) for place in ordered[first:last]}
            start += row.frames
        if len(found) > before:
            inputs.append(proven_input(own))
    return [found[place] for place in places], inputs

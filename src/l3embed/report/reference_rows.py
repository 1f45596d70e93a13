"""The page's section on distances: how far all files, and those of each class, are from the reference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from l3embed.evaluation.file_format import read_figures
from l3embed.evaluation.reference_figures import ReferenceDistance, ReferenceDistances
from l3embed.variants import Modality

HEADINGS = {"fd": "Fréchet distance (FD)", "kad": "Kernel distance (KAD)"}


@dataclass(frozen=True)
class ReferenceRow:
    """All files, or those of a class, and their distance by each measure, in the order of the columns."""

    label: str
    files: int
    frames: int
    distances: tuple[ReferenceDistance | None, ...]


@dataclass(frozen=True)
class ReferenceTable:
    """The distances in one modality: all files first, then the classes, the farthest by FD first."""

    modality: Modality
    reference: str
    headings: tuple[str, ...]
    rows: tuple[ReferenceRow, ...]
    notes: tuple[str, ...]


def reference_tables(evaluation: Path) -> list[ReferenceTable]:
    """Return what the evaluation says of a reference; nothing, if there was none."""
    return [
        _table(modality, figures.distances)
        for modality, figures in read_figures(evaluation).items()
        if figures.distances is not None
    ]


def _table(modality: Modality, found: ReferenceDistances) -> ReferenceTable:
    measures = [name for name in HEADINGS if any(row.measure == name for row in found.distances)]
    by_label: dict[str, dict[str, ReferenceDistance]] = {}
    for row in found.distances:
        by_label.setdefault(row.label, {})[row.measure] = row
    rows = []
    for label, known in by_label.items():
        first = next(iter(known.values()))
        rows.append(ReferenceRow(label, first.files, first.frames, tuple(map(known.get, measures))))
    rows.sort(key=lambda row: (bool(row.label), -next((d.value for d in row.distances if d), 0.0)))
    headings = tuple(HEADINGS[name] for name in measures)
    return ReferenceTable(modality, found.reference, headings, tuple(rows), found.notes)

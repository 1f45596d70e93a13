"""Distances of an export to a reference, as ``metrics.json`` has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

DECIMALS = 6


@dataclass(frozen=True)
class ReferenceDistance:
    """How far all files of an export, or those of a class, are from the reference.

    Parameters
    ----------
    label : str
        The class; empty for all files.
    measure : str
        ``fd`` or ``kad``.
    value : float
        The distance.
    low, high : float or None
        Its 95 % interval, if there is one.
    frames, files : int
        What it is of.
    """

    label: str
    measure: str
    value: float
    low: float | None
    high: float | None
    frames: int
    files: int


@dataclass(frozen=True)
class ReferenceDistances:
    """All distances in one modality.

    Parameters
    ----------
    reference : str
        Path of the reference.
    distances : tuple of ReferenceDistance
        Those of all files first.
    notes : tuple of str
        What could not be told, in sentences without a full stop.
    """

    reference: str
    distances: tuple[ReferenceDistance, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def of_all(self) -> dict[str, float]:
        """The distance of all files by each measure."""
        return {found.measure: found.value for found in self.distances if not found.label}


def distances_content(found: ReferenceDistances) -> dict[str, Any]:
    """Return what ``metrics.json`` holds of one modality."""
    rows = [
        {name: round(value, DECIMALS) if isinstance(value, float) else value for name, value in row.items()}
        for row in map(asdict, found.distances)
    ]
    return {"reference": found.reference, "rows": rows, "notes": list(found.notes)}


def parse_distances(content: Mapping[str, Any]) -> ReferenceDistances:
    """Return what `distances_content` has made of distances."""
    rows = tuple(ReferenceDistance(**row) for row in content["rows"])
    return ReferenceDistances(content["reference"], rows, tuple(content["notes"]))

"""What comes of a comparison: distances, each file's own, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from l3embed.distances.computed_with import UNKNOWN, ComputedWith
from l3embed.distances.distance_options import DistanceMeasure
from l3embed.distances.streamed_statistics import Statistics


@dataclass(frozen=True)
class FileDistance:
    """The Fréchet distance of one file's own frames to the reference.

    Parameters
    ----------
    file : str
        Its name, below the candidate's folder.
    frames : int
        How many it has.
    value : float
        The distance.
    is_outlier : bool
        Whether it is far out: more than three interquartile ranges above the upper quartile of all files'.
    """

    file: str
    frames: int
    value: float
    is_outlier: bool = False


@dataclass(frozen=True)
class Distance:
    """A distance between the reference and a candidate.

    Parameters
    ----------
    candidate : str
        As it was named.
    measure : DistanceMeasure
        By which measure.
    value : float
        The distance.
    low, high : float or None
        Its 95 % interval, of resampled files; None if there is none.
    frames, files : int
        Of the candidate; 0 if that is not known.
    r_squared, slope : float or None
        Of the line that an extrapolation follows.
    """

    candidate: str
    measure: DistanceMeasure
    value: float
    low: float | None = None
    high: float | None = None
    frames: int = 0
    files: int = 0
    r_squared: float | None = None
    slope: float | None = None


@dataclass(frozen=True)
class Comparison:
    """What came of a comparison.

    Parameters
    ----------
    reference : str
        As it was named.
    reference_frames, reference_files, dimension : int
        What it has; 0 if that is not known.
    made : ComputedWith
        What the reference was computed with.
    distances : tuple of Distance
        Of each candidate by each measure.
    per_file : dict[str, tuple of FileDistance]
        Of each candidate, its files' own distances, the largest first.
    statistics : dict[str, Statistics]
        Of each side, if they were asked for.
    notes : tuple of str
        What could not be told, and why: sentences.
    failures : dict[str, str]
        Files that were left out, or measures that could not be computed, and why.
    """

    reference: str
    reference_frames: int
    reference_files: int
    dimension: int
    made: ComputedWith = UNKNOWN
    distances: tuple[Distance, ...] = ()
    per_file: dict[str, tuple[FileDistance, ...]] = field(default_factory=dict)
    statistics: dict[str, Statistics] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failures: dict[str, str] = field(default_factory=dict)


def outliers(comparison: Comparison) -> Iterator[tuple[str, FileDistance]]:
    """Yield the files that are far out, with the candidate that each is of."""
    for name, files in comparison.per_file.items():
        yield from ((name, file) for file in files if file.is_outlier)

"""Distances between a reference and candidates, with intervals, and each file's own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from l3embed.distances import bootstrap
from l3embed.distances.computed_with import UNKNOWN, ComputedWith
from l3embed.distances.distance_options import REFERENCE, DistanceMeasure, DistanceOptions
from l3embed.distances.extrapolation import FEWEST_FRAMES, extrapolate
from l3embed.distances.kernel import kernel_sums, median_distance, within_mean
from l3embed.distances.measured_set import MeasuredSet, gaussian_of_file
from l3embed.distances.sides import Side, open_sides
from l3embed.distances.streamed_statistics import FEWEST_FRAMES as FEWEST_OWN_FRAMES
from l3embed.distances.streamed_statistics import Statistics
from l3embed.errors import OpenL3Error, warn
from l3embed.export.outliers import FENCE, FEWEST_FILES
from l3embed.progress import progress_bar

FRECHET = (DistanceMeasure.FD, DistanceMeasure.FAD_INF)


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


def measure_distances(
    reference: str | os.PathLike[str],
    candidates: Sequence[str | os.PathLike[str]],
    options: DistanceOptions | None = None,
    *,
    with_statistics: bool = False,
) -> Comparison:
    """Measure the distances between a reference and candidates.

    Each is a folder of sounds or of pictures (which are embedded), an export of the pipeline, a folder of
    l3embed's ``.npz`` files, or a file of statistics. A file that cannot be used is named in ``failures``,
    and the others are used.

    Parameters
    ----------
    reference : str
        What candidates are compared with.
    candidates : list[str]
        One or more.
    options : DistanceOptions or None
        How; by default, the Fréchet distance with an interval.
    with_statistics : bool
        Whether to return the statistics of all sides.

    Raises
    ------
    OpenL3Error
        If a side is none, has fewer than two files, or was not computed as the reference was.

    Warns
    -----
    OpenL3Warning
        If a side has fewer frames than dimensions, or does not say what it was computed with.

    Examples
    --------
    With the files that ``l3embed sample sample`` writes:

    >>> from l3embed.distances import DistanceOptions, measure_distances
    >>> options = DistanceOptions(measures=("kad",), input_repr="mel128", verbose=False)
    >>> found = measure_distances("sample/bells", ["sample/rain", "sample/drums"], options)
    >>> [(distance.candidate, distance.frames) for distance in found.distances]
    [('sample/rain', 16), ('sample/drums', 16)]
    """
    chosen = options or DistanceOptions()
    if isinstance(candidates, (str, os.PathLike)) or not candidates:
        raise OpenL3Error(f"candidates must be a list of at least one path; got {candidates!r}.")
    with TemporaryDirectory(prefix="l3embed-") as scratch:
        paths = [Path(path) for path in (reference, *candidates)]
        sides = open_sides(paths, chosen, Path(scratch))
        return compare_sides(sides[0], sides[1:], chosen, Path(scratch), with_statistics=with_statistics)


def compare_sides(
    reference: Side,
    candidates: Sequence[Side],
    options: DistanceOptions,
    scratch: Path,
    *,
    with_statistics: bool = False,
) -> Comparison:
    """Do what `measure_distances` does of sides that are open."""
    yardstick = MeasuredSet(reference, scratch, options.seed)
    sets = [MeasuredSet(side, scratch, options.seed) for side in candidates]
    _warn_of((yardstick, *sets), options)
    measuring = _Measuring(yardstick, options)
    with progress_bar(
        "Measuring", total=len(sets) * len(options.kinds), unit="distance", enabled=options.verbose
    ) as bar:
        for measured in sets:
            for kind in options.kinds:
                measuring.measure(measured, kind)
                bar.update(1)
            if options.per_file:
                measuring.measure_files(measured)
            measured.release()
    sides = {side.name: side.statistics for side in (yardstick, *sets)} if with_statistics else {}
    return Comparison(
        yardstick.name,
        yardstick.frames,
        yardstick.files,
        yardstick.dimension,
        reference.made,
        tuple(measuring.distances),
        measuring.per_file,
        sides,
        tuple(dict.fromkeys(measuring.notes)),
        {**_lost(reference, *candidates), **measuring.failures},
    )


def _lost(*sides: Side) -> dict[str, str]:
    """Return the files that were left out of all sides, with their folders."""
    return {
        str(Path(side.name, name)): reason
        for side in sides
        if side.embedded is not None
        for name, reason in side.embedded.failures.items()
    }


def _warn_of(sides: Sequence[MeasuredSet], options: DistanceOptions) -> None:
    for side in sides:
        if side.side.made == UNKNOWN:
            warn(
                f"{side.name} does not say what it was computed with: whether all sides were computed alike "
                "cannot be checked."
            )
    few = [side for side in sides if 0 < side.frames <= side.dimension]
    if few and any(kind in FRECHET for kind in options.kinds):
        told = ", ".join(f"{side.name} ({side.frames:,})" for side in few)
        warn(
            f"There are no more frames than the {few[0].dimension:,} numbers of an embedding in {told}: such a "
            "covariance is singular, and Fréchet distances are far too large. Take more sounds, a smaller hop, "
            "smaller embeddings, or KAD (--measure kad), which needs fewer frames."
        )


class _Measuring:
    """Distances to one reference, as they are found."""

    def __init__(self, reference: MeasuredSet, options: DistanceOptions) -> None:
        self._reference, self._options = reference, options
        self._within: dict[float, float] = {}
        self.distances: list[Distance] = []
        self.per_file: dict[str, tuple[FileDistance, ...]] = {}
        self.notes: list[str] = []
        self.failures: dict[str, str] = {}

    def measure(self, candidate: MeasuredSet, kind: DistanceMeasure) -> None:
        """Measure a candidate by one measure; what cannot be done becomes a failure."""
        measures = {
            DistanceMeasure.FD: self._frechet,
            DistanceMeasure.KAD: self._kernel,
            DistanceMeasure.FAD_INF: self._infinity,
        }
        try:
            self.distances.append(measures[kind](candidate))
        except OpenL3Error as error:
            self.failures[f"{candidate.name} ({kind.heading})"] = str(error)

    def _frechet(self, candidate: MeasuredSet) -> Distance:
        # Before the distance itself, which is computed from the same pass over the embeddings then.
        resampled = self._resampled(candidate) if self._has_interval(candidate) else None
        value = candidate.gaussian.distance_to(self._reference.gaussian)
        low, high = None, None
        if resampled:
            groups, distance_of = resampled
            draw = bootstrap.draws(groups, self._options.resamples, self._options.seed)
            low, high = bootstrap.frechet_interval(value, distance_of, draw)
        return self._distance(candidate, DistanceMeasure.FD, value, low, high)

    def _resampled(
        self, candidate: MeasuredSet
    ) -> tuple[int, bootstrap.GramDistances | bootstrap.ScatterDistances] | None:
        """Return how many groups there are to draw from, and what returns the distance of those drawn."""
        gaussian = self._reference.gaussian
        if candidate.frames <= min(bootstrap.MOST_GRAM_FRAMES, candidate.dimension):
            groups = candidate.groups
            return int(groups.max()) + 1, bootstrap.GramDistances(gaussian, candidate.all_frames(), groups)
        if candidate.group_count >= bootstrap.FEWEST_FILES:
            return candidate.group_count, bootstrap.ScatterDistances(gaussian, candidate.group_statistics)
        self.notes.append(
            f"FD of {candidate.name} has no interval: {candidate.frames:,} frames of {candidate.dimension:,} "
            "numbers would take hours. Embeddings of 512 numbers have one."
        )
        return None

    def _kernel(self, candidate: MeasuredSet) -> Distance:
        own, reference = candidate.mapped, self._reference.mapped
        width = median_distance(reference if self._options.bandwidth == REFERENCE else own)
        if width not in self._within:
            self._within[width] = within_mean(reference, width)
        sums = kernel_sums(reference, own, candidate.groups, width, self._within[width])
        low, high = None, None
        if self._has_interval(candidate):
            low, high = bootstrap.kernel_interval(sums, self._options.resamples, self._options.seed)
        return self._distance(candidate, DistanceMeasure.KAD, sums.distance(), low, high)

    def _infinity(self, candidate: MeasuredSet) -> Distance:
        if candidate.frames <= FEWEST_FRAMES:
            raise OpenL3Error(
                f"FAD-infinity needs more than {FEWEST_FRAMES} frames; {candidate.name} has "
                f"{candidate.frames:,}. Take more sounds, or a smaller hop."
            )
        found = extrapolate(self._reference.gaussian, candidate.mapped, self._options.seed)
        return Distance(
            candidate.name,
            DistanceMeasure.FAD_INF,
            found.value,
            frames=candidate.frames,
            files=candidate.files,
            r_squared=found.r_squared,
            slope=found.slope,
        )

    def _has_interval(self, candidate: MeasuredSet) -> bool:
        if not self._options.resamples:
            return False
        if candidate.side.embedded is None:
            self.notes.append(
                f"{candidate.name} has no interval: statistics do not tell one file from another."
            )
            return False
        if candidate.files < bootstrap.FEWEST_FILES:
            self.notes.append(
                f"{candidate.name} has no interval: that takes at least {bootstrap.FEWEST_FILES} files, and "
                f"it has {candidate.files}."
            )
            return False
        return True

    def _distance(
        self,
        candidate: MeasuredSet,
        kind: DistanceMeasure,
        value: float,
        low: float | None,
        high: float | None,
    ) -> Distance:
        return Distance(candidate.name, kind, value, low, high, candidate.frames, candidate.files)

    def measure_files(self, candidate: MeasuredSet) -> None:
        """Measure each file's own frames, which have to be two at least; the others are named."""
        try:
            files = candidate.embedded("Each file's distance").files
        except OpenL3Error as error:
            self.failures[f"{candidate.name} (each file)"] = str(error)
            return
        measured = [file for file in files if file.frames >= FEWEST_OWN_FRAMES]
        if len(measured) < len(files):
            self.notes.append(
                f"{candidate.name}: {len(files) - len(measured)} of {len(files)} files have a single frame, and "
                "so no distance of their own."
            )
        values = [
            gaussian_of_file(file, candidate.dimension).distance_to(self._reference.gaussian)
            for file in measured
        ]
        fence = _fence(values)
        found = [
            FileDistance(file.name, file.frames, value, value > fence)
            for file, value in zip(measured, values, strict=True)
        ]
        self.per_file[candidate.name] = tuple(sorted(found, key=lambda each: -each.value))


def _fence(values: Sequence[float]) -> float:
    """Return from where on a distance is far out (Tukey, 1977); of few files, none is."""
    if len(values) < FEWEST_FILES:
        return float("inf")
    lower, upper = np.percentile(values, (25, 75))
    return float(upper + FENCE * (upper - lower))


def outliers(comparison: Comparison) -> Iterator[tuple[str, FileDistance]]:
    """Yield the files that are far out, with the candidate that each is of."""
    for name, files in comparison.per_file.items():
        yield from ((name, file) for file in files if file.is_outlier)

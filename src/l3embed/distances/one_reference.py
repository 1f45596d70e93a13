"""Distances to one reference: of candidates by each measure, and of single files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from l3embed.distances import bootstrap
from l3embed.distances.distance_options import REFERENCE, DistanceMeasure, DistanceOptions
from l3embed.distances.distance_results import Distance, FileDistance
from l3embed.distances.extrapolation import FEWEST_FRAMES, extrapolate
from l3embed.distances.kernel import kernel_sums, median_distance, within_mean
from l3embed.distances.measured_set import MeasuredSet, gaussian_of_file
from l3embed.distances.streamed_statistics import FEWEST_FRAMES as FEWEST_OWN_FRAMES
from l3embed.errors import OpenL3Error
from l3embed.export.outliers import FENCE, FEWEST_FILES


class ToReference:
    """Distances to one reference, as they are found.

    Parameters
    ----------
    reference : MeasuredSet
        The reference.
    options : DistanceOptions
        How to measure.

    Attributes
    ----------
    distances : list of Distance
        Those that were measured.
    per_file : dict[str, tuple of FileDistance]
        Of each candidate, its files' own distances, the largest first.
    notes : list[str]
        What could not be told, and why.
    failures : dict[str, str]
        What could not be measured, and why.
    """

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
                f"{candidate.name}: {len(files) - len(measured)} of {len(files)} files have a single frame, "
                "and so no distance of their own."
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

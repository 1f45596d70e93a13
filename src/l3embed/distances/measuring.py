"""Distances between a reference and candidates, with intervals, and each file's own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from l3embed.distances.distance_options import DistanceMeasure, DistanceOptions
from l3embed.distances.distance_results import Comparison
from l3embed.distances.measured_set import MeasuredSet
from l3embed.distances.one_reference import ToReference
from l3embed.distances.opened_sides import open_sides
from l3embed.distances.sides import Side
from l3embed.errors import OpenL3Error, warn
from l3embed.progress import progress_bar

FRECHET = (DistanceMeasure.FD, DistanceMeasure.FAD_INF)


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
    measuring = ToReference(yardstick, options)
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
        if side.side.made.variant is None:
            warn(
                f"{side.name} does not say what it was computed with: whether all sides were computed alike "
                "cannot be checked."
            )
    few = [side for side in sides if 0 < side.frames <= side.dimension]
    if few and any(kind in FRECHET for kind in options.kinds):
        told = ", ".join(dict.fromkeys(f"{side.name} ({side.frames:,})" for side in few))
        warn(
            f"There are no more frames than the {few[0].dimension:,} numbers of an embedding in {told}: such "
            "a covariance is singular, and Fréchet distances are far too large. Take more sounds, a smaller "
            "hop, smaller embeddings, or KAD (--measure kad), which needs fewer frames."
        )

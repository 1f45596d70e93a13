"""FAD-infinity: what a Fréchet distance would be of endless samples (Chong and Forsyth, 2020).

A Fréchet distance of n frames is too large by about a constant over n. As in fadtk and kadtk, frames are
drawn with replacement, in 25 sizes from 500 to all, and a straight line through the distances against 1/n is
followed to 1/n = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.distances.frechet import Gaussian, gaussian_of, gaussian_of_frames
from l3embed.distances.streamed_statistics import RunningStatistics, Statistics
from l3embed.errors import OpenL3Error

STEPS = 25
FEWEST_FRAMES = 500
"""The first size; with no more frames than that there is no line."""


@dataclass(frozen=True)
class Extrapolation:
    """A line through distances against 1/n.

    Parameters
    ----------
    value : float
        Where it meets 1/n = 0: the distance of endless samples. It may be negative.
    slope : float
        How much a distance of n frames is larger, times n.
    r_squared : float
        Share of the distances' variance that the line tells: far below 1, the value is not to be relied on.
    points : tuple of (int, float)
        Sizes, and the distance at each.
    """

    value: float
    slope: float
    r_squared: float
    points: tuple[tuple[int, float], ...] = ()


def frechet_distance_infinity(
    reference: Statistics, frames: npt.NDArray[Any], seed: int = 0
) -> Extrapolation:
    """Return FAD-infinity of embeddings to a reference.

    Parameters
    ----------
    reference : Statistics
        Of the reference, all of it.
    frames : np.ndarray [shape=(n, D)]
        Embeddings, more than 500.
    seed : int
        Which frames are drawn.

    Raises
    ------
    OpenL3Error
        If there are too few frames, or of another dimension.

    Examples
    --------
    >>> import numpy as np
    >>> from l3embed.distances import RunningStatistics, frechet_distance_infinity
    >>> draw = np.random.default_rng(0).normal
    >>> reference = RunningStatistics(8)
    >>> reference.add(draw(size=(20_000, 8)))
    >>> found = frechet_distance_infinity(reference.statistics(), draw(size=(5_000, 8)))
    >>> abs(found.value) < 0.02, found.slope > 0
    (True, True)
    """
    if frames.ndim != 2 or frames.shape[1] != reference.dimension:
        raise OpenL3Error(
            f"The embeddings must be a matrix (n, {reference.dimension}), as the reference has it; got "
            f"{frames.shape}."
        )
    return extrapolate(gaussian_of(reference), frames, seed)


def extrapolate(
    reference: Gaussian, frames: npt.NDArray[Any], seed: int, on_step: Callable[[], object] = lambda: None
) -> Extrapolation:
    """Do what `frechet_distance_infinity` does, with the same errors, and tell of each step."""
    if len(frames) <= FEWEST_FRAMES:
        raise OpenL3Error(f"FAD-infinity needs more than {FEWEST_FRAMES} frames; got {len(frames)}.")
    generator = np.random.default_rng(seed)
    points = []
    for size in np.linspace(FEWEST_FRAMES, len(frames), STEPS).astype(int):
        drawn = np.sort(generator.integers(len(frames), size=size))
        points.append((int(size), reference.distance_to(_gaussian(frames, drawn))))
        on_step()
    return line_through(tuple(points))


def _gaussian(frames: npt.NDArray[Any], drawn: npt.NDArray[np.int64]) -> Gaussian:
    if len(drawn) < frames.shape[1]:
        return gaussian_of_frames(frames[drawn])
    running = RunningStatistics(frames.shape[1])
    for start in range(0, len(drawn), FEWEST_FRAMES):
        running.add(frames[drawn[start : start + FEWEST_FRAMES]])
    return gaussian_of(running.statistics())


def line_through(points: tuple[tuple[int, float], ...]) -> Extrapolation:
    """Return the straight line through distances at some sizes, against 1/n, by least squares."""
    sizes, distances = np.array(points).T
    slope, value = np.polyfit(1 / sizes, distances, 1)
    left = np.square(distances - value - slope / sizes).sum()
    spread = np.square(distances - distances.mean()).sum()
    return Extrapolation(float(value), float(slope), float(1 - left / spread) if spread else 1.0, points)

"""KAD: the unbiased squared maximum mean discrepancy between two sets, with a Gaussian kernel.

As kadtk 1.1.0 defines it, 100 times: the mean of ``k(x_i, x_j)`` over all ``i != j``, and the mean of
``k(y_i, y_j)``, less twice the mean of ``k(x_i, y_j)``, with ``k = exp(-d^2 / (2 s^2 + 1e-8))``. Here in
float64, block by block: kernels are never held whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.distances.distance_options import CANDIDATE, REFERENCE
from l3embed.distances.streamed_statistics import FEWEST_FRAMES, Floats
from l3embed.errors import OpenL3Error

SCALE = 100.0
BANDWIDTH_OFFSET = 1e-8
"""Both as in kadtk."""

BLOCK_ROWS = 1024
"""Frames whose distances are computed at a time: 8 MB."""

BINS = 1 << 14
"""Of the histograms that the median is searched in."""

MEDIAN_PRECISION = 1e-9
"""Relative: of how narrow a bin the median is taken from. What rounding leaves of a distance is no better."""

MOST_SEARCHES = 8

Rows = npt.NDArray[Any]
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class KernelSums:
    """Sums of the kernel over all pairs of frames, by the groups that the second set's frames are of.

    Parameters
    ----------
    within_reference : float
        Mean over all pairs of two different frames of the reference.
    reference_frames : int
        How many there are.
    across : np.ndarray [shape=(G,)]
        Sums over pairs of a frame of the reference and one of each group.
    within : np.ndarray [shape=(G, G)]
        Sums over pairs of frames of two groups; on the diagonal, of two different frames.
    sizes : np.ndarray [shape=(G,)]
        Frames of each group.
    """

    within_reference: float
    reference_frames: int
    across: Floats
    within: Floats
    sizes: Floats

    def distance(self, weights: Floats | None = None) -> float:
        """Return KAD with each group taken so many times, shape ``(G,)``; by default once.

        Frames are not compared with those of copies of their own group, which would be alike.
        """
        weights = np.ones(len(self.sizes)) if weights is None else weights
        pairs = np.outer(weights, weights)
        np.fill_diagonal(pairs, weights)
        counts = np.outer(self.sizes, self.sizes)
        np.fill_diagonal(counts, self.sizes * (self.sizes - 1))
        among = float((pairs * self.within).sum() / max((pairs * counts).sum(), 1.0))
        across = float(weights @ self.across / (self.reference_frames * (weights @ self.sizes)))
        return SCALE * (self.within_reference + among - 2 * across)


def kernel_distance(x: npt.ArrayLike, y: npt.ArrayLike, bandwidth: str | float = CANDIDATE) -> float:
    """Return KAD between two sets of embeddings.

    Parameters
    ----------
    x : np.ndarray [shape=(m, D)]
        The reference.
    y : np.ndarray [shape=(n, D)]
        What is compared with it.
    bandwidth : "candidate", "reference" or float
        The width of the kernel: the median of all distances between two frames of y, as in kadtk, or of x,
        or a number.

    Returns
    -------
    float
        About zero between sets alike; it may be negative, as it is unbiased.

    Raises
    ------
    OpenL3Error
        If an array is no matrix of finite numbers with two rows at least, or their dimensions differ.

    Examples
    --------
    >>> import numpy as np
    >>> from l3embed.distances import kernel_distance
    >>> x = np.random.default_rng(0).normal(size=(200, 8))
    >>> y = np.random.default_rng(1).normal(size=(100, 8))
    >>> round(kernel_distance(x, y), 2), round(kernel_distance(x, y + 1), 2)
    (-0.02, 24.14)
    """
    reference, candidate = check_frames("x", np.asarray(x)), check_frames("y", np.asarray(y))
    if reference.shape[1] != candidate.shape[1]:
        raise OpenL3Error(
            f"Both sets must have the same dimension; x has {reference.shape[1]}, y {candidate.shape[1]}."
        )
    width = kernel_width(reference, candidate, bandwidth)
    groups = np.zeros(len(candidate), np.int64)
    return kernel_sums(reference, candidate, groups, width, within_mean(reference, width)).distance()


def check_frames(name: str, frames: Rows) -> Rows:
    """Check that an array holds embeddings, and return it.

    Raises
    ------
    OpenL3Error
        Naming it and what is wrong; of rows that are not finite, the first.
    """
    if frames.ndim != 2 or frames.dtype.kind not in "fiu":
        raise OpenL3Error(
            f"{name} must be a matrix of numbers, (n, D); got {frames.shape} of {frames.dtype}."
        )
    if len(frames) < FEWEST_FRAMES:
        raise OpenL3Error(f"{name} must hold at least {FEWEST_FRAMES} embeddings; got {len(frames)}.")
    for start in range(0, len(frames), BLOCK_ROWS):
        is_finite = np.isfinite(frames[start : start + BLOCK_ROWS]).all(axis=1)
        if not is_finite.all():
            raise OpenL3Error(
                f"{name} must hold finite numbers; row {start + int(np.argmin(is_finite))} holds NaN or "
                "infinite ones."
            )
    return frames


def kernel_width(reference: Rows, candidate: Rows, bandwidth: str | float) -> float:
    """Return the width of the kernel.

    Raises
    ------
    OpenL3Error
        If it is neither a word that is known nor a positive number.
    """
    if bandwidth == CANDIDATE:
        return median_distance(candidate)
    if bandwidth == REFERENCE:
        return median_distance(reference)
    if isinstance(bandwidth, str) or not 0 < bandwidth < float("inf"):
        raise OpenL3Error(
            f"bandwidth must be {CANDIDATE!r}, {REFERENCE!r} or a positive number; got {bandwidth!r}."
        )
    return float(bandwidth)


def median_distance(frames: npt.NDArray[Any]) -> float:
    """Return the median of all distances between two of some embeddings, ``(n, D)``.

    The lower of the two in the middle, where there are two, as PyTorch and so kadtk have it. It is searched
    in histograms, so that memory does not grow with the square of n.

    Examples
    --------
    >>> import numpy as np
    >>> from l3embed.distances import median_distance
    >>> round(median_distance(np.array([[0.0], [1.0], [3.0]])), 6)
    2.0
    """
    pairs = len(frames) * (len(frames) - 1) // 2
    rank, low, high = (pairs - 1) // 2, 0.0, _largest_square(frames)
    for _ in range(MOST_SEARCHES):
        if high - low <= MEDIAN_PRECISION * high:
            break
        edges = np.linspace(low, high, BINS + 1)
        counts = np.zeros(BINS + 2, np.int64)
        for squares in _squares_of_pairs(frames):
            counts += np.bincount(np.searchsorted(edges, squares, side="right"), minlength=BINS + 2)[
                : BINS + 2
            ]
        place = int(np.searchsorted(np.cumsum(counts), rank, side="right"))
        low, high = edges[max(0, place - 1)], edges[min(place, BINS)]
    return float(np.sqrt((low + high) / 2))


def _largest_square(frames: Rows) -> float:
    """Return a bound of all squared distances."""
    centre = frames.mean(axis=0, dtype=np.float64)
    radius = max(float(np.square(block - centre).sum(axis=1).max()) for block in _blocks(frames))
    return 4 * radius * (1 + 1e-6)


def _blocks(frames: Rows) -> Iterator[Floats]:
    for start in range(0, len(frames), BLOCK_ROWS):
        yield frames[start : start + BLOCK_ROWS].astype(np.float64)


def _squares_of_pairs(frames: Rows) -> Iterator[Floats]:
    """Yield the squared distances of all pairs of two different rows, each once, in vectors."""
    centre = frames.mean(axis=0, dtype=np.float64)
    for first, start in enumerate(range(0, len(frames), BLOCK_ROWS)):
        rows = frames[start : start + BLOCK_ROWS] - centre
        for second, other in enumerate(range(start, len(frames), BLOCK_ROWS), start=first):
            squares = _squared_distances(rows, frames[other : other + BLOCK_ROWS] - centre)
            yield squares[np.triu_indices(len(rows), 1)] if first == second else squares.ravel()


def _squared_distances(one: Floats, other: Floats) -> Floats:
    """Return all squared distances between the rows of two matrices."""
    squares = one @ other.T
    squares *= -2
    squares += np.square(one).sum(axis=1)[:, np.newaxis]
    squares += np.square(other).sum(axis=1)
    return np.maximum(squares, 0, out=squares)


def within_mean(frames: Rows, width: float) -> float:
    """Return the mean of the kernel over all pairs of two different frames."""
    total = sum(float(_kernel(squares, width).sum()) for squares in _squares_of_pairs(frames))
    return 2 * total / (len(frames) * (len(frames) - 1))


def _kernel(squares: Floats, width: float) -> Floats:
    squares *= -1 / (2 * width**2 + BANDWIDTH_OFFSET)
    return np.exp(squares, out=squares)


def kernel_sums(
    reference: Rows, candidate: Rows, groups: Positions, width: float, within_reference: float
) -> KernelSums:
    """Return what KAD is computed from.

    Parameters
    ----------
    reference, candidate : np.ndarray [shape=(m, D) and (n, D)]
        Embeddings; they may be mapped from files.
    groups : np.ndarray [shape=(n,)]
        The group of each candidate's frame, from 0.
    width : float
        Of the kernel.
    within_reference : float
        As `within_mean` has it.
    """
    count = int(groups.max()) + 1
    across, within = np.zeros(count), np.zeros((count, count))
    centre = reference.mean(axis=0, dtype=np.float64)
    for start in range(0, len(candidate), BLOCK_ROWS):
        rows, own = candidate[start : start + BLOCK_ROWS] - centre, groups[start : start + BLOCK_ROWS]
        for block in _blocks(reference):
            sums = _kernel(_squared_distances(rows, block - centre), width).sum(axis=1)
            across += np.bincount(own, sums, minlength=count)
        for other in range(start, len(candidate), BLOCK_ROWS):
            kernel = _kernel(_squared_distances(rows, candidate[other : other + BLOCK_ROWS] - centre), width)
            _add_by_group(within, kernel, own, groups[other : other + BLOCK_ROWS], is_diagonal=other == start)
    return KernelSums(
        within_reference, len(reference), across, within, np.bincount(groups).astype(np.float64)
    )


def _add_by_group(
    sums: Floats, kernel: Floats, rows: Positions, columns: Positions, *, is_diagonal: bool
) -> None:
    """Add a block of the kernel, and of the one that mirrors it, to sums by groups."""
    if is_diagonal:
        np.fill_diagonal(kernel, 0)
    row_starts, column_starts = _starts(rows), _starts(columns)
    part = np.add.reduceat(np.add.reduceat(kernel, row_starts, axis=0), column_starts, axis=1)
    np.add.at(sums, np.ix_(rows[row_starts], columns[column_starts]), part)
    if not is_diagonal:
        np.add.at(sums, np.ix_(columns[column_starts], rows[row_starts]), part.T)


def _starts(groups: Positions) -> Positions:
    """Return where runs of one group begin."""
    return np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])

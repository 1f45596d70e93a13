"""How far files keep their nearest neighbours between two exports, whatever their embeddings' sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from l3embed.export.manifest import ManifestRow, read_means
from l3embed.report.compared_runs import Run
from l3embed.report.file_matching import Pair
from l3embed.report.neighbours import CHUNK_ROWS, Vectors, nearest
from l3embed.variants import Modality, Precision

MOST_NEIGHBOURS = 10
"""That are looked at for each file; fewer where these would be more than half of all others."""

FEWEST_FILES = 3
"""With fewer, a file has one other at most, which is its neighbour in any case."""

MOST_FILES = 10_000
"""Of more files, so many are drawn at random and compared with each other: all pairs would take hours."""

SEED = 0

Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class SameNumbers:
    """How far the mean embeddings themselves differ, where both are of one network.

    Parameters
    ----------
    files : int
        That were compared.
    identical : int
        Of these, bit for bit.
    largest : float
        Largest difference of two numbers, over the largest magnitude.
    """

    files: int
    identical: int
    largest: float


@dataclass(frozen=True)
class NeighbourChanges:
    """The nearest neighbours of the files that both exports have, sought among these alone.

    Parameters
    ----------
    files : int
        That have embeddings in both.
    not_finite : tuple of str
        Those of them, or of the sample, that are left out, since their embeddings are not finite.
    pairs : tuple of Pair
        Those whose neighbours were compared: all others, or the others of a sample.
    count : int
        Neighbours of each; 0 if there are too few files.
    a, b : np.ndarray
        Which of the pairs they are in each export, shape ``(pairs, count)``, the nearest first.
    same_numbers : SameNumbers or None
        How far the embeddings differ; None where two networks computed them.
    """

    files: int
    not_finite: tuple[str, ...]
    pairs: tuple[Pair, ...]
    count: int
    a: npt.NDArray[np.int32]
    b: npt.NDArray[np.int32]
    same_numbers: SameNumbers | None

    @property
    def kept(self) -> npt.NDArray[np.int64]:
        """How many neighbours each file has in both exports, ``(pairs,)``."""
        found: npt.NDArray[np.int64] = (self.a[:, :, np.newaxis] == self.b[:, np.newaxis, :]).sum(axis=(1, 2))
        return found

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """The same as shares of the neighbours, from 0 to 1."""
        return self.kept / max(1, self.count)

    @property
    def by_chance(self) -> float:
        """The mean share of neighbours that are kept where they are drawn at random each time."""
        return self.count / max(1, len(self.pairs) - 1)

    @property
    def most_changed(self) -> list[int]:
        """Places of the files that lost any neighbours, those that lost most first."""
        kept = self.kept
        return [int(place) for place in np.argsort(kept, kind="stable") if kept[place] < self.count]

    @property
    def distribution(self) -> list[int]:
        """How many files keep 0, 1, ... and all of their neighbours."""
        return [int(files) for files in np.bincount(self.kept, minlength=self.count + 1)]


def compare_neighbours(
    a: Run, b: Run, pairs: Sequence[Pair], modality: Modality, most_files: int = MOST_FILES
) -> NeighbourChanges:
    """Compare the nearest neighbours of the files that have embeddings of one modality in both exports.

    Parameters
    ----------
    a, b : Run
        Two runs.
    pairs : sequence of Pair
        The files that both have.
    modality : Modality
        Of which embeddings.
    most_files : int
        Of more, so many are drawn.

    Raises
    ------
    OpenL3Error
        If an export is damaged.
    """
    (rows_a, means_a), (rows_b, means_b) = (read_means(run.export, modality) for run in (a, b))
    of_a, of_b = _places(rows_a), _places(rows_b)
    both = [pair for pair in pairs if pair.a.path in of_a and pair.b.path in of_b]
    in_a = np.array([of_a[pair.a.path] for pair in both], np.intp)
    in_b = np.array([of_b[pair.b.path] for pair in both], np.intp)
    drawn: Places = np.arange(len(both))
    if len(both) > most_files:
        drawn = np.sort(np.random.default_rng(SEED).permutation(len(both))[:most_files])
    is_finite = _finite(means_a, in_a[drawn]) & _finite(means_b, in_b[drawn])
    kept, odd = drawn[is_finite], drawn[~is_finite]
    count = _neighbour_count(len(kept))
    same_network = bool(both) and _network_of(rows_a[0]) == _network_of(rows_b[0])
    same_network &= means_a.shape[1] == means_b.shape[1]
    return NeighbourChanges(
        files=len(both),
        not_finite=tuple(both[place].b.path for place in odd),
        pairs=tuple(both[place] for place in kept),
        count=count,
        a=_nearest(means_a, in_a[kept], count),
        b=_nearest(means_b, in_b[kept], count),
        same_numbers=_same_numbers(means_a, in_a[kept], means_b, in_b[kept]) if same_network else None,
    )


def _places(rows: Sequence[ManifestRow]) -> Mapping[str, int]:
    return {row.path: place for place, row in enumerate(rows)}


def _neighbour_count(files: int) -> int:
    return min(MOST_NEIGHBOURS, (files - 1) // 2) if files >= FEWEST_FILES else 0


def _network_of(row: ManifestRow) -> tuple[str, str]:
    """Return what decides about embeddings, but for the precision: that only rounds them."""
    suffix = Precision(row.precision).suffix if row.precision else ""
    return row.variant.removesuffix(suffix), row.weights


def _nearest(means: Vectors, places: Places, count: int) -> npt.NDArray[np.int32]:
    if not count:
        return np.empty((len(places), 0), np.int32)
    is_whole = len(places) == len(means) and bool((np.diff(places) == 1).all())
    # All of them stay in the file that they are mapped from; others are copied out of it.
    return nearest(means if is_whole else means[places], count).index


def _finite(means: Vectors, places: Places) -> npt.NDArray[np.bool_]:
    found = np.ones(len(places), np.bool_)
    for rows in _blocks(len(places)):
        found[rows] = np.isfinite(means[places[rows]]).all(axis=1)
    return found


def _same_numbers(a: Vectors, in_a: Places, b: Vectors, in_b: Places) -> SameNumbers:
    identical, difference, magnitude = 0, 0.0, 0.0
    for rows in _blocks(len(in_a)):
        ours, theirs = a[in_a[rows]], b[in_b[rows]]
        gaps = np.abs(ours - theirs)
        identical += int((gaps == 0).all(axis=1).sum())
        difference = max(difference, float(gaps.max()))
        magnitude = max(magnitude, float(np.abs(ours).max()), float(np.abs(theirs).max()))
    return SameNumbers(len(in_a), identical, difference / magnitude if magnitude else 0.0)


def _blocks(rows: int) -> list[slice]:
    return [slice(start, start + CHUNK_ROWS) for start in range(0, rows, CHUNK_ROWS)]

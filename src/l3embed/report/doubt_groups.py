"""The page's section on doubtful files: the doubts by kind, and how many mistakes each may explain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from l3embed.evaluation.evaluation import Prediction
from l3embed.export.doubts import Doubt, doubtful_files
from l3embed.variants import DoubtKind, Modality

MOST_LISTED = 100
"""Files of one kind that the section lists; all stand in the page's table and in the export's list."""


@dataclass(frozen=True)
class DoubtGroup:
    """The files about which there is one kind of doubt.

    Parameters
    ----------
    kind : DoubtKind
        Which.
    files : int
        How many files there are.
    evaluated, mistakes : int
        For how many of them, by any modality, it was evaluated what they are taken for; and for how many of
        these it was another label than their own.
    listed : tuple of Doubt
        The first of them.
    """

    kind: DoubtKind
    files: int
    evaluated: int
    mistakes: int
    listed: tuple[Doubt, ...]

    @property
    def words(self) -> str:
        """How many files they are, and what is said of them."""
        return doubtful_files(self.kind, self.files)

    @property
    def more(self) -> int:
        """How many files are not listed."""
        return self.files - len({doubt.path for doubt in self.listed})


def doubt_groups(
    doubts: Iterable[Doubt], predictions: Mapping[Modality, Sequence[Prediction]]
) -> tuple[DoubtGroup, ...]:
    """Return the kinds of doubts that there are, the worst first."""
    evaluated = {row.path for rows in predictions.values() for row in rows}
    mistaken = {row.path for rows in predictions.values() for row in rows if row.predicted != row.actual}
    by_kind: dict[DoubtKind, list[Doubt]] = {kind: [] for kind in DoubtKind}
    for doubt in doubts:
        by_kind[doubt.kind].append(doubt)
    return tuple(_group(kind, found, evaluated, mistaken) for kind, found in by_kind.items() if found)


def _group(kind: DoubtKind, doubts: Sequence[Doubt], evaluated: set[str], mistaken: set[str]) -> DoubtGroup:
    paths = {doubt.path for doubt in doubts}
    listed = tuple(doubts[:MOST_LISTED])
    return DoubtGroup(kind, len(paths), len(paths & evaluated), len(paths & mistaken), listed)

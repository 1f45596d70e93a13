"""Doubts and failures counted as they come, of which only the first are held."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable

from l3embed.export.doubts import Doubt, doubtful_files
from l3embed.progress import say
from l3embed.stages.results import DOUBTFUL_NAMED, NAMED, Result
from l3embed.variants import DoubtKind


class DoubtTally:
    """How many files each kind of doubt is about. Of a file that was counted, a number is all that is held.

    Parameters
    ----------
    stage : str
        Which tells of them.
    """

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._first: dict[DoubtKind, dict[str, str]] = {}
        self._numbers: defaultdict[DoubtKind, array[int]] = defaultdict(lambda: array("q"))

    @property
    def files(self) -> int:
        """Files about which there is any doubt."""
        return _different(*self._numbers.values())

    def add(self, doubts: Iterable[Doubt]) -> None:
        """Count the doubts about one input."""
        for doubt in doubts:
            self._numbers[doubt.kind].append(hash(doubt.path))  # a video is two inputs, and one number
            first = self._first.setdefault(doubt.kind, {})
            if len(first) < DOUBTFUL_NAMED:
                first[doubt.path] = doubt.words

    def tell(self) -> None:
        """Tell of them: one line a kind, the worst first."""
        for kind in DoubtKind:
            count, first = self._count(kind), self._first.get(kind, {})
            if count == 1:
                ((path, words),) = first.items()
                say(f"{self._stage}: warning: {path} {words}")
            elif count:
                more = count - len(first)
                others = f" and {more:,} more, which data/export/doubts.csv will name" if more else ""
                listed = ", ".join(first)
                say(f"{self._stage}: warning: {doubtful_files(kind, count)}: {listed}{others}")

    @property
    def figures(self) -> dict[str, dict[str, int]]:
        """The counts, the worst first, as a stage's metrics have them."""
        counts = {kind.value: self._count(kind) for kind in DoubtKind}
        return {"doubts": {name: count for name, count in counts.items() if count}}

    def _count(self, kind: DoubtKind) -> int:
        return _different(self._numbers[kind])


def _different(*numbers: array[int]) -> int:
    """Return how many different numbers there are."""
    import numpy as np

    if not numbers:
        return 0
    return len(np.unique(np.concatenate([np.frombuffer(some, np.int64) for some in numbers])))


class FailureTally:
    """The failed inputs of a stage: their number, and the first of them."""

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._first: dict[tuple[str, str], None] = {}
        self.count = 0

    def add(self, result: Result) -> None:
        """Count an input, if it failed."""
        if not result.is_ok:
            self.count += 1
            if len(self._first) < NAMED:
                self._first[(result.path, result.reason)] = None

    @property
    def first(self) -> str:
        """The first of them, with its reason."""
        path, reason = next(iter(self._first), ("", ""))
        return f"{path}: {reason}"

    def tell(self) -> None:
        """Name them on the terminal, with reasons."""
        for path, reason in self._first:
            say(f"{self._stage}: failed: {path}: {reason}")
        if self.count > len(self._first):
            more = self.count - len(self._first)
            say(f"{self._stage}: failed: {more:,} more; the manifest will name them all")

"""Doubts and failures counted as they come, of which only the first are held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from l3embed.export.doubts import DOUBTFUL, Doubt
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
        self._counts: Counter[DoubtKind] = Counter()
        self._first: dict[DoubtKind, dict[str, str]] = {}
        self._seen: dict[DoubtKind | None, set[int]] = {}

    @property
    def files(self) -> int:
        """Files about which there is any doubt."""
        return len(self._seen.get(None, ()))

    def add(self, doubts: Iterable[Doubt]) -> None:
        """Count the doubts about one input."""
        for doubt in doubts:
            number = hash(doubt.path)
            self._seen.setdefault(None, set()).add(number)
            seen = self._seen.setdefault(doubt.kind, set())
            if number not in seen:  # a video is two inputs
                seen.add(number)
                self._counts[doubt.kind] += 1
                first = self._first.setdefault(doubt.kind, {})
                if len(first) < DOUBTFUL_NAMED:
                    first[doubt.path] = doubt.words

    def tell(self) -> None:
        """Tell of them: one line a kind, the worst first."""
        for kind in DoubtKind:
            count, first = self._counts[kind], self._first.get(kind, {})
            if count == 1:
                ((path, words),) = first.items()
                say(f"{self._stage}: warning: {path} {words}")
            elif count:
                more = count - len(first)
                others = f" and {more:,} more, which data/export/doubts.csv will name" if more else ""
                listed = ", ".join(first)
                say(f"{self._stage}: warning: {count:,} files {DOUBTFUL[kind]}: {listed}{others}")

    @property
    def figures(self) -> dict[str, dict[str, int]]:
        """The counts, the worst first, as a stage's metrics have them."""
        return {"doubts": {kind.value: self._counts[kind] for kind in DoubtKind if self._counts[kind]}}


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

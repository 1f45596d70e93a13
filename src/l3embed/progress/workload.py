"""How much is to be computed of many files: first as it is expected, in the end as it came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key")


@dataclass(frozen=True)
class Expected:
    """What is known of a file before it is read.

    Parameters
    ----------
    name : str
        Of the file.
    kind : str
        Files of one kind are taken to make about as many items a byte.
    size_bytes : int
        Of the file.
    items : float or None
        How many it is likely to make; None if only its size is known.
    """

    name: str
    kind: str
    size_bytes: int
    items: float | None = None


class Workload(Generic[Key]):
    """How many items, such as windows, files are going to make.

    Of a file of which nothing but the size is known, as many a byte are expected as of the others of its
    kind, or of all others. What comes counts for more than what was expected: a file that makes more raises
    the total at once, and one that makes fewer lowers it at its end.

    Parameters
    ----------
    files : mapping
        What is known of each.

    Attributes
    ----------
    files : int
        How many files there are.
    done : float
        Items that have come.
    """

    def __init__(self, files: Mapping[Key, Expected]) -> None:
        self.files = len(files)
        self.done = 0.0
        self._open = dict(files)
        self._came: defaultdict[Key, float] = defaultdict(float)
        self._known: dict[Key, float] = {}
        self._known_sum = 0.0
        self._guessless: set[Key] = set()
        self._seen_items: defaultdict[str, float] = defaultdict(float)
        self._seen_bytes: defaultdict[str, int] = defaultdict(int)
        self._unseen_bytes: defaultdict[str, int] = defaultdict(int)
        for key, file in files.items():
            self._unseen_bytes[file.kind] += file.size_bytes
            if file.items is not None:
                self._see(key, file.items)

    @property
    def total(self) -> int | None:
        """Items of all files, as far as is known by now; None if nothing is."""
        if self._guessless:
            return None
        unseen = 0.0
        for kind, size_bytes in self._unseen_bytes.items():
            rate = self._items_per_byte(kind) if size_bytes else 0.0
            if rate is None:
                return None
            unseen += rate * size_bytes
        return round(max(self.done, self._known_sum + unseen))

    def name(self, key: Key) -> str:
        """Return what a file is called."""
        return self._open[key].name

    def left(self, key: Key) -> float:
        """Return how many items are still to come of a file."""
        self._estimate(key)
        return max(0.0, self._known[key] - self._came[key])

    def add(self, key: Key, items: float) -> None:
        """Count items of a file."""
        self._estimate(key)
        self.done += items
        self._came[key] += items
        if self._came[key] > self._known[key]:
            self._correct(key, self._came[key])

    def end(self, key: Key) -> None:
        """Take it that all items of a file have come."""
        self._estimate(key)
        file, came = self._open[key], self._came.pop(key, 0.0)
        self._correct(key, came)
        if key in self._guessless:
            self._guessless.remove(key)
            self._seen_items[file.kind] += came
            self._seen_bytes[file.kind] += file.size_bytes if came else 0
        elif not came:  # it was faulty, which says nothing of others
            self._seen_bytes[file.kind] -= file.size_bytes
        del self._known[key], self._open[key]

    def _items_per_byte(self, kind: str) -> float | None:
        if self._seen_bytes[kind]:
            return self._seen_items[kind] / self._seen_bytes[kind]
        seen_bytes = sum(self._seen_bytes.values())
        return sum(self._seen_items.values()) / seen_bytes if seen_bytes else None

    def _estimate(self, key: Key) -> None:
        """Let a file be one of whose items something is known: by its size, if by nothing else."""
        if key not in self._known:
            rate = self._items_per_byte(self._open[key].kind)
            self._see(key, rate and rate * self._open[key].size_bytes)

    def _see(self, key: Key, items: float | None) -> None:
        file = self._open[key]
        self._known[key] = items or 0.0
        self._known_sum += items or 0.0
        self._unseen_bytes[file.kind] -= file.size_bytes
        if items is None:
            self._guessless.add(key)
        else:
            self._seen_items[file.kind] += items
            self._seen_bytes[file.kind] += file.size_bytes

    def _correct(self, key: Key, items: float) -> None:
        more = items - self._known[key]
        self._known[key] = items
        self._known_sum += more
        if key not in self._guessless:
            self._seen_items[self._open[key].kind] += more

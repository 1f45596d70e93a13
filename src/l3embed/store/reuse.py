"""The one loop over a step's inputs: results that the store has are taken, and only the others computed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from l3embed.errors import OpenL3Error
from l3embed.progress import say
from l3embed.store.claims import POLL_S
from l3embed.store.entries import Entry, Store
from l3embed.store.recipe import Recipe

Key = TypeVar("Key")
Computed = tuple[Key, "Entry | OpenL3Error"]
Compute = Callable[[Iterator[Key]], Iterable[Computed[Key]]]


@dataclass(frozen=True)
class Outcome(Generic[Key]):
    """What became of one input in a step: an entry of the store, or the fault that there is none."""

    key: Key
    result: Entry | OpenL3Error
    was_computed: bool


def resolve(store: Store, recipes: Mapping[Key, Recipe], compute: Compute[Key]) -> Iterator[Outcome[Key]]:
    """Find or compute the result of every recipe.

    Several runs may do this at once and share the work: what one is computing the others leave to it,
    and take from the store when it is there, or compute if that run fails or is killed.

    Parameters
    ----------
    store : Store
        Where results are found, and have to be put by `compute`.
    recipes : mapping
        The recipe of each input. Equal ones are computed once.
    compute : callable
        Takes the inputs to compute, one after the other, from any thread, and yields what became of each.

    Yields
    ------
    Outcome
        In the order in which they come.
    """
    work = _Work(store, recipes)
    try:
        while work.waiting:
            for key, result in compute(work.claimed()):
                store.claims.release(recipes[key].key)
                yield Outcome(key, result, was_computed=True)
                yield from work.found()
            yield from work.found()
            work.next_round()
    finally:
        store.claims.release_all()


class _Work(Generic[Key]):
    """The inputs that are still to be found or computed."""

    def __init__(self, store: Store, recipes: Mapping[Key, Recipe]) -> None:
        self._store = store
        self._recipes = recipes
        self.waiting: list[Key] = list(recipes)
        self._later: list[Key] = []
        self._found: deque[tuple[Key, Entry]] = deque()
        self._has_said = False

    def claimed(self) -> Iterator[Key]:
        """Yield the inputs that have no result and that this run is now the one to compute."""
        for key in self.waiting:
            recipe = self._recipes[key]
            if self._find(key, recipe):
                continue
            with self._store.explaining_disk_errors():
                is_ours = self._store.claims.take(recipe.key)
            if not is_ours:
                self._later.append(key)
            elif self._find(key, recipe):  # another run has put it there before it let go of it
                self._store.claims.release(recipe.key)
            else:
                yield key

    def found(self) -> Iterator[Outcome[Key]]:
        """Yield what has been found since the last call."""
        while self._found:
            key, entry = self._found.popleft()
            yield Outcome(key, entry, was_computed=False)

    def next_round(self) -> None:
        """Go on with the inputs that were left to others; wait a little if nothing else was to be done."""
        others = self._later if len(self._later) == len(self.waiting) else []
        self.waiting, self._later = self._later, []
        if others:
            if not self._has_said:
                say(f"Waiting for another run that is computing {len(others)} of these.")
                self._has_said = True
            time.sleep(POLL_S)

    def _find(self, key: Key, recipe: Recipe) -> bool:
        entry = self._store.find(recipe)
        if entry is not None:
            self._found.append((key, entry))
        return entry is not None

"""Several runs that write the same outputs: each is computed by one of them at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from l3embed.disk.atomic import LeftBehind
from l3embed.progress import say
from l3embed.store.claims import POLL_S, PathClaims


class ClaimedOutputs(AbstractContextManager["ClaimedOutputs"]):
    """Which inputs are this run's to compute, and which it leaves to others until they are done.

    Parameters
    ----------
    outputs : mapping
        The output of each input.
    overwrite : bool
        Whether to compute what has an output already.
    verbose : bool
        Whether to say what is skipped.
    """

    def __init__(self, outputs: Mapping[str, str], *, overwrite: bool, verbose: bool) -> None:
        self._outputs = outputs
        self._overwrite = overwrite
        self._verbose = verbose
        self._claims = PathClaims()
        self._left_behind = LeftBehind()
        self._others: list[str] = []
        self._has_said = False

    def __exit__(self, *_: object) -> None:
        self._claims.release_all()

    def mine(self, sources: Iterable[str]) -> Iterator[str]:
        """Yield the inputs that this run is to compute, each when it is its turn."""
        for source in sources:
            if not self._claims.take(self._outputs[source]):
                self._others.append(source)
            elif self.is_to_do(source):
                with suppress(OSError, ValueError):  # what is wrong with the folder is told in writing
                    self._left_behind.remove(Path(self._outputs[source]))
                yield source
            else:
                self.release(source)

    def release(self, source: str) -> None:
        """Let others have an input that was computed, or failed."""
        self._claims.release(self._outputs[source])

    def left(self) -> list[str]:
        """Wait until others let go of inputs that are still to do, and return these; none if all is done."""
        waiting, self._others = self._others, []
        while waiting:
            free = [source for source in waiting if self._is_free(source)]
            waiting = [source for source in waiting if source not in free]
            if todo := [source for source in free if self.is_to_do(source)]:
                self._others = waiting
                return todo
            if waiting and not self._has_said:
                say(f"Waiting for another run that is writing {len(waiting)} of these outputs.")
                self._has_said = True
            time.sleep(POLL_S if waiting else 0)
        return []

    def is_to_do(self, source: str) -> bool:
        """Tell whether an input is to be computed, and say if it is not."""
        target = self._outputs[source]
        if self._overwrite or not os.path.exists(target):  # noqa: PTH110 (pathlib's raises over odd names)
            return True
        if self._verbose:
            say(f"{target} exists: {source} is skipped (overwriting is off).")
        return False

    def _is_free(self, source: str) -> bool:
        is_free = self._claims.take(self._outputs[source])
        self._claims.release(self._outputs[source])
        return is_free

"""A bar over files that moves within them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from threading import RLock
from typing import Any, Generic, TypeVar

from l3embed.progress.bars import progress_bar, set_total
from l3embed.progress.wording import counted
from l3embed.progress.workload import Workload

Key = TypeVar("Key")

NAME_LENGTH = 30
"""Characters of a file's name that a bar has room for."""


class FileProgress(AbstractContextManager["FileProgress[Key]"], Generic[Key]):
    """A bar over what is made of files, such as windows: it moves within a file, and names it.

    It may be told of files from several threads.

    Parameters
    ----------
    description : str
        What is going on.
    workload : Workload
        How much is expected of each file.
    unit : str
        What is made of them.
    source : str
        What one is called, if it is not a whole file.
    enabled : bool
        Whether to draw anything; if not, the workload may be empty.
    """

    def __init__(
        self,
        description: str,
        workload: Workload[Key],
        unit: str,
        *,
        source: str = "file",
        enabled: bool = True,
    ) -> None:
        self._workload = workload
        self._source = source
        self._enabled = enabled
        self._files = 0
        self._lock = RLock()
        self._drawing = progress_bar(
            description, total=workload.total, unit=unit, enabled=enabled, postfix=self._words()
        )

    def __enter__(self) -> FileProgress[Key]:
        self._bar = self._drawing.__enter__()
        return self

    def __exit__(self, *fault: Any) -> None:
        if fault[0] is None:  # what is left of the estimate has not come
            set_total(self._bar, self._bar.n)
        self._drawing.__exit__(*fault)

    def add(self, key: Key, items: float) -> None:
        """Count what was made of a file."""
        if not self._enabled:
            return
        with self._lock:
            self._workload.add(key, items)
            self._show(self._words(self._workload.name(key)))

    def end(self, key: Key) -> None:
        """Take it that no more comes of a file, whether it was done or failed."""
        if not self._enabled:
            return
        with self._lock:
            self._workload.end(key)
            self._files += 1
            self._show(self._words())

    def reuse(self, key: Key) -> None:
        """Count a file that was there already: it says nothing about how long the others take."""
        if not self._enabled:
            return
        with self._lock:
            before = self._workload.done
            self._workload.add(key, self._workload.left(key))
            items = round(self._workload.done) - round(before)
            self._bar.initial += items
            self._bar.last_print_n += items
            self._bar.n += items
            self.end(key)

    def _show(self, words: str) -> None:
        set_total(self._bar, self._workload.total)
        self._bar.set_postfix_str(words, refresh=False)
        self._bar.update(round(self._workload.done) - self._bar.n)

    def _words(self, name: str = "") -> str:
        sources = f"{self._files:,} of {counted(self._workload.files, self._source)}"
        return f"{sources}, {shortened(name)}" if name else sources


def shortened(name: str) -> str:
    """Return a file's name as it fits into a line: its beginning and its end, if it is long."""
    name = "".join(letter if letter.isprintable() else "?" for letter in name)
    half = (NAME_LENGTH - len("...")) // 2
    return name if len(name) <= NAME_LENGTH else f"{name[:half]}...{name[-half:]}"

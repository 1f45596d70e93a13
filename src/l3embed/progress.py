"""What a run tells its user while it works: lines and progress bars, both on standard error."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

LOG_INTERVAL_S = 30.0
"""Seconds between two lines of a bar that is written to a log rather than to a terminal."""

LOG_FORMAT = "{desc} ({unit}): {n_fmt} of {total_fmt}, {elapsed} so far, {remaining} left{postfix}"


def say(message: str) -> None:
    """Write one line to standard error, above any progress bar that is being drawn."""
    from tqdm import tqdm

    tqdm.write(message, file=sys.stderr)


def progress_bar(
    description: str, *, total: float | None = None, unit: str = "file", enabled: bool = True, **options: Any
) -> tqdm[Any]:
    """Return a tqdm bar on standard error; further options are tqdm's.

    In a log (standard error is no terminal) it writes a line now and then instead of redrawing itself.
    """
    from tqdm import tqdm

    class LogBar(tqdm):  # type: ignore[type-arg]
        """A bar whose every state is a line of its own, without the drawing."""

        def display(self, msg: str | None = None, pos: int | None = None) -> None:
            sys.stderr.write(f"{self}\n")

        def close(self) -> None:
            if not self.disable:
                self.display()
                self.disable = True  # tqdm's own way to close would draw

    is_terminal = sys.stderr.isatty()
    interval_s = 0.1 if is_terminal else LOG_INTERVAL_S
    kind = tqdm if is_terminal else LogBar
    return kind(
        desc=description,
        total=total,
        unit=unit,
        disable=not enabled,
        file=sys.stderr,
        mininterval=interval_s,
        maxinterval=max(interval_s, 10.0),
        dynamic_ncols=is_terminal,
        bar_format=None if is_terminal else LOG_FORMAT,
        **options,
    )


def _unlock_bars() -> None:
    """Forget, in a forked process, the lock that another thread of its parent's may have held."""
    if "tqdm" in sys.modules:
        sys.modules["tqdm"].tqdm.set_lock(RLock())


if hasattr(os, "register_at_fork"):  # Windows cannot fork
    os.register_at_fork(after_in_child=_unlock_bars)


class FileProgress(AbstractContextManager["FileProgress"]):
    """A bar over files that also counts what has been made of them.

    Parameters
    ----------
    description : str
        What is going on.
    files : int
        How many there are.
    unit : str
        What is counted within them.
    enabled : bool
        Whether to draw anything.
    """

    def __init__(self, description: str, files: int, unit: str, *, enabled: bool = True) -> None:
        self._bar = progress_bar(description, total=files, enabled=enabled)
        self._unit = unit
        self._count = 0

    def add(self, count: int) -> None:
        """Count what was made."""
        self._count += count
        self._bar.set_postfix_str(f"{self._count} {self._unit}", refresh=False)

    def file_done(self) -> None:
        """Move on by one file."""
        self._bar.update()

    def __exit__(self, *_: object) -> None:
        self._bar.close()

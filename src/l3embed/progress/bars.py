"""What a run tells its user while it works: lines and progress bars, both on standard error."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from threading import Event, RLock, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

LOG_INTERVAL_S = 30.0
"""Seconds between two lines of a bar that is written to a log rather than drawn."""

LOG_FORMAT = "{desc} ({unit}): {n_fmt} of {total_fmt}, {elapsed} so far, {remaining} left{postfix}"

DRAW_INTERVAL_S = 0.1
TICK_S = 0.25
"""Seconds between two drawings of a bar at most, and how often it is drawn when nothing has come."""

KERNELS = ("ipykernel.zmqshell", "IPython.utils._process_emscripten")
"""Modules by which tqdm knows that code runs in a notebook."""


_is_quiet: ContextVar[bool] = ContextVar("_is_quiet", default=False)


def say(message: str) -> None:
    """Write one line to standard error, above any progress bar that is being drawn."""
    from tqdm import tqdm

    tqdm.write(message, file=sys.stderr)


def tell(message: str) -> None:
    """Say what is neither a warning nor an error: nothing, where the user wants to hear of those alone."""
    if not _is_quiet.get():
        say(message)


@contextmanager
def quietly(is_quiet: bool = True) -> Iterator[None]:
    """Have nothing told meanwhile, in this thread, and no bars drawn; or all, if that is not wanted."""
    token = _is_quiet.set(is_quiet)
    try:
        yield
    finally:
        _is_quiet.reset(token)


def is_drawn() -> bool:
    """Tell whether bars are drawn here, on a terminal or in a notebook; otherwise they are lines of a log."""
    return sys.stderr.isatty() or any(module in sys.modules for module in KERNELS)


@contextmanager
def progress_bar(
    description: str, *, total: float | None = None, unit: str = "file", enabled: bool = True, **options: Any
) -> Iterator[tqdm[Any]]:
    """Draw a tqdm bar on standard error, or in a notebook as a widget; further options are tqdm's.

    It ticks: its clock goes on while nothing comes. In a log it writes a line now and then instead.
    """
    enabled = enabled and not _is_quiet.get()
    drawn = is_drawn()
    interval_s = DRAW_INTERVAL_S if drawn else LOG_INTERVAL_S
    bar = (_drawn_bars() if drawn else _log_bars())(
        desc=description,
        total=total,
        unit=unit,
        disable=not enabled,
        file=sys.stderr,
        mininterval=interval_s,
        maxinterval=max(interval_s, 10.0),
        dynamic_ncols=drawn,
        bar_format=None if drawn else LOG_FORMAT,
        smoothing=0,  # a batch brings ends of many files at once, which the latest speed would be taken from
        **options,
    )
    with bar, _ticking(bar, enabled=enabled and drawn):
        yield bar


def set_total(bar: tqdm[Any], total: float | None) -> None:
    """Give a bar another total, which is shown when it is drawn next."""
    bar.total = total
    if total is not None and hasattr(bar, "container"):  # tqdm tells a notebook's widget of the first alone
        _, widget, _ = bar.container.children
        widget.max, widget.bar_style = total, ""


def _drawn_bars() -> type[tqdm[Any]]:
    """Return tqdm's own bars; in a notebook those are widgets, if it has any."""
    if not any(module in sys.modules for module in KERNELS):  # tqdm.auto loads asyncio
        from tqdm import tqdm

        return tqdm
    from tqdm import TqdmWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TqdmWarning)  # that there are no widgets: then it is drawn as text
        from tqdm.auto import tqdm as automatic

    return automatic


def _log_bars() -> type[tqdm[Any]]:
    from tqdm import tqdm

    class LogBar(tqdm):  # type: ignore[type-arg]
        """A bar whose every state is a line of its own, without the drawing."""

        def display(self, msg: str | None = None, pos: int | None = None) -> None:
            sys.stderr.write(f"{self}\n")

        def close(self) -> None:
            if not self.disable:
                self.display()
                self.disable = True  # tqdm's own way to close would draw

    return LogBar


@contextmanager
def _ticking(bar: tqdm[Any], *, enabled: bool) -> Iterator[None]:
    """Draw a bar now and then in a thread of its own, so that it does not stand still."""
    if not enabled:
        yield
        return
    is_over = Event()

    def tick() -> None:
        with suppress(OSError, ValueError):  # nobody looks any more
            while not is_over.wait(TICK_S):
                bar.refresh()

    thread = Thread(target=tick, name="l3embed-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _unlock_bars() -> None:
    """Forget, in a forked process, the lock that another thread of its parent's may have held."""
    if "tqdm" in sys.modules:
        sys.modules["tqdm"].tqdm.set_lock(RLock())


if hasattr(os, "register_at_fork"):  # Windows cannot fork
    os.register_at_fork(after_in_child=_unlock_bars)

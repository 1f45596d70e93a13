"""What a run tells its user while it works: lines and progress bars, both on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

LOG_INTERVAL_S = 30.0
"""Seconds between two lines of a bar that is written to a log rather than to a terminal."""


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

    interval_s = 0.1 if sys.stderr.isatty() else LOG_INTERVAL_S
    return tqdm(
        desc=description,
        total=total,
        unit=unit,
        disable=not enabled,
        file=sys.stderr,
        mininterval=interval_s,
        maxinterval=max(interval_s, 10.0),
        dynamic_ncols=True,
        **options,
    )

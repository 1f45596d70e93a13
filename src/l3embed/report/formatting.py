"""Numbers, times and names as the page writes them."""

from __future__ import annotations

import math

SECONDS_PER_MINUTE = 60
SECONDS_PER_HOUR = 3600
MINUTES_FROM_S = 120
"""From here on a length reads better in minutes."""

CLOCK_FROM_S = 15
"""Marks that lie so far apart are written in minutes and seconds."""

WHOLE_FROM = 1000
"""Fractions of numbers from here on say nothing."""

FLAGS = {True: "yes", False: "no", None: "none"}


def format_count(count: float) -> str:
    """Return a whole number with its thousands set apart, as in ``10,000``."""
    return f"{count:,.0f}"


def format_number(value: object) -> str:
    """Return any figure of a metrics file, fractions with the four digits that count."""
    if isinstance(value, float):
        return format_count(value) if abs(value) >= WHOLE_FROM else f"{value:.4g}"
    if value is None or isinstance(value, bool):
        return FLAGS[value]
    return format_count(value) if isinstance(value, int) else str(value)


def format_speed(per_second: float) -> str:
    """Return a speed with the three digits that count."""
    return format_count(per_second) if per_second >= WHOLE_FROM else f"{per_second:.3g}"


def format_length(seconds: float) -> str:
    """Return a length of time in the unit that suits it, as in ``3.2 s``, ``12 min`` or ``1.4 h``."""
    if seconds >= SECONDS_PER_HOUR:
        return f"{seconds / SECONDS_PER_HOUR:,.1f} h"
    if seconds >= MINUTES_FROM_S:
        return f"{seconds / SECONDS_PER_MINUTE:.1f} min"
    return f"{seconds:.1f} s"


def format_clock(seconds: float, step_s: float) -> str:
    """Return a time on an axis whose marks lie `step_s` apart, as in ``0.5``, ``12`` or ``3:20``."""
    if step_s >= CLOCK_FROM_S:
        minutes, rest = divmod(round(seconds), SECONDS_PER_MINUTE)
        return f"{minutes}:{rest:02d}"
    decimals = max(0, -math.floor(math.log10(step_s)))
    return f"{abs(seconds):.{decimals}f}"  # zero may come with a minus


def format_share(share: float) -> str:
    """Return a share as per cent, as in ``83.3 %``; the two parts stay on one line."""
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"

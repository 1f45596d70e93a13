"""What a program answers its user with: exit statuses, and warnings as lines."""

from __future__ import annotations

from typing import TextIO

from l3embed.errors import OpenL3Warning
from l3embed.progress import say

EXIT_FAILURE = 1


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show our own warnings as a line; others are about code, which a user of commands cannot change."""
    if issubclass(category, OpenL3Warning):
        say(f"l3embed: warning: {message}")

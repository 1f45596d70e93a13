"""What somebody may have meant by a word that is none."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

ALIKE = 0.7
"""From this ratio on two words are taken for one that was misspelt."""

MOST = 3
"""Words that are suggested at once."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question after the known words most like one, to stand behind an error; or nothing."""
    alike = most_like(word, known)
    return question(alike) if alike else ""


def question(meant: Iterable[str]) -> str:
    """Return the question whether some words were meant, with a space in front."""
    return f" Did you mean {' or '.join(meant)}?"


def most_like(word: str, known: Iterable[str]) -> list[str]:
    """Return the known words that are most like one, if any is.

    A word without a dot may be the last part of a known one: ``hop`` is like ``windows.hop_s``.
    """
    likeness = {other: _likeness(word, other) for other in known}
    best = max(likeness.values(), default=0.0)
    return [other for other, ratio in likeness.items() if ratio == best][:MOST] if best >= ALIKE else []


def _likeness(word: str, other: str) -> float:
    parts = {other} if "." in word else {other, other.rpartition(".")[2]}
    return max(SequenceMatcher(None, word.casefold(), part).ratio() for part in parts)

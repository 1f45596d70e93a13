"""What a setting may be, stated once in its field: it is checked by this, and the editors' schema says it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any

from omegaconf import MISSING

from l3embed.errors import OpenL3Error
from l3embed.variants import check_at_least, check_one_of

RULE = "rule"
"""The key of a field's metadata."""


@dataclass(frozen=True)
class Rule:
    """What the values of a setting have in common, besides their type.

    Parameters
    ----------
    words : tuple of str or int
        All that there are; empty, if it is not one of several.
    is_list_too : bool
        Whether it may be a list of them as well.
    least : float or None
        The smallest number.
    is_share : bool
        Whether a number above 1 has to be whole.
    """

    words: tuple[object, ...] = ()
    is_list_too: bool = False
    least: float | None = None
    is_share: bool = False


def one_of(words: Iterable[object], default: object = MISSING, *, is_list_too: bool = False) -> Any:
    """Return a field whose values are words or numbers, those of an enum for instance."""
    plain = tuple(word.value if isinstance(word, Enum) else word for word in words)
    metadata = {RULE: Rule(words=plain, is_list_too=is_list_too)}
    if isinstance(default, list):
        return field(default_factory=default.copy, metadata=metadata)
    return field(default=default, metadata=metadata)


def at_least(least: float, default: object = MISSING, *, is_share: bool = False) -> Any:
    """Return a field whose values are numbers from one on."""
    return field(default=default, metadata={RULE: Rule(least=least, is_share=is_share)})


def rules_of(group: Any) -> dict[str, Rule]:
    """Return the rules of a group of settings, a dataclass or one of its instances, by the fields' names."""
    return {own.name: own.metadata[RULE] for own in fields(group) if RULE in own.metadata}


def check_rules(group: str, settings: object) -> None:
    """Check a group of settings by its rules, but for words that may be in lists, and for what is null.

    Parameters
    ----------
    group : str
        What its settings are called by, as in ``device.``; empty for those of no group.
    settings : dataclass
        The group.

    Raises
    ------
    OpenL3Error
        Naming the setting, what came and what is allowed.
    """
    for name, rule in rules_of(settings).items():
        value = getattr(settings, name)
        if value is None:
            continue
        if rule.words and not rule.is_list_too:
            check_one_of(f"{group}{name}", value, rule.words)
        elif rule.is_share:
            _check_share(f"{group}{name}", value, rule.least or 0)
        elif rule.least is not None:
            check_at_least(f"{group}{name}", value, rule.least)


def _check_share(argument: str, value: float, least: float) -> None:
    """Check a share of a machine as Ray has it: a part of one, or a whole number."""
    if not (least <= value < float("inf")) or (value > 1 and value != int(value)):
        raise OpenL3Error(
            f"{argument} must be a number from {least:g} to 1, or a whole number above; got {value:g}."
        )

"""Settings on a command line as people write them: paths taken as they are, misspelt words found out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException

from l3embed.app.schema_file import DERIVED
from l3embed.app.settings import setting_keys
from l3embed.app.suggestions import did_you_mean
from l3embed.errors import OpenL3Error

PATHS = ("dataset.path", "labels.table", "weights.path", "evaluation.reference")
TEXTS = (
    *("weights.base_url", "card.title", "card.description", "card.license", "card.license_name"),
    *("card.url", "card.citation"),
)
"""Settings whose values may hold any signs, of which Hydra takes commas, quotes and others for its own."""

NOT_TEXT = ("", "null", "???")
"""Values that mean no text."""

INTERPOLATION = "${"

FREE = "dataset.synthesised."
"""What settings begin with whose names are anybody's choice."""

WORD = re.compile(r"\w+", re.ASCII)


def prepare_overrides(overrides: Iterable[str], config_folder: Path, *, is_sweep: bool = False) -> list[str]:
    """Return overrides as Hydra understands them.

    Parameters
    ----------
    overrides : iterable of str
        ``KEY=VALUE``, as they were written on a command line.
    config_folder : Path
        The folder ``conf``.
    is_sweep : bool
        Whether a value with commas in it may be several values, to be tried out one after the other.

    Raises
    ------
    OpenL3Error
        If there is no such setting or choice, or it is not written like one.
    """
    return [_prepare(override, config_folder, is_sweep) for override in overrides]


def _prepare(override: str, config_folder: Path, is_sweep: bool) -> str:
    key, equals, value = override.partition("=")
    name = key.lstrip("+~").partition("@")[0]
    if not name or not (equals or key.startswith("~")):
        raise OpenL3Error(f"Settings must be written KEY=VALUE, as in windows.hop_s=0.5; got {override!r}.")
    if not equals or re.match(r"hydra\b", name):
        return override
    if name not in (*PATHS, *TEXTS):
        _check_name(name, value, config_folder)
    elif not _is_text(value):
        raise OpenL3Error(f"{name} must be valid UTF-8, which {value!a} is not. Rename it.")
    elif INTERPOLATION not in value:
        return _literally(override, is_path=name in PATHS, is_sweep=is_sweep)
    return override


def _is_text(value: str) -> bool:
    """Tell whether a value can be written into a file."""
    return value == value.encode(errors="replace").decode()


def _check_name(name: str, value: str, config_folder: Path) -> None:
    """Check that there is such a setting or choice: Hydra suggests none."""
    groups, keys = choices(config_folder), setting_keys()
    sections = {key.rpartition(".")[0] for key in keys}
    if name in groups:
        for choice in value.split(","):
            # What is no plain word is for Hydra to understand.
            if WORD.fullmatch(choice) and choice not in (*groups[name], *NOT_TEXT):
                raise OpenL3Error(
                    f"{name} must be one of {', '.join(groups[name])}; got {choice!r}."
                    f"{did_you_mean(choice, groups[name])}"
                )
    elif name not in keys | sections and not name.startswith(FREE):
        meant = did_you_mean(name, (*sorted(key for key in keys if not DERIVED.search(key)), *groups))
        raise OpenL3Error(f"There is no setting {name}.{meant or f' {config_folder}/ has them all.'}")


def choices(config_folder: Path) -> dict[str, list[str]]:
    """Return the choices of each group of settings, by the group's name."""
    files = sorted(config_folder.glob("*/*.yaml"))
    groups: dict[str, list[str]] = {}
    for file in files:
        if file.parent.name != "hydra":
            groups.setdefault(file.parent.name, []).append(file.stem)
    return groups


def _literally(override: str, *, is_path: bool, is_sweep: bool) -> str:
    """Return an override whose value is text, in quotes if Hydra would take it for anything else."""
    key, _, value = override.partition("=")
    read = _read(override)
    # What it means to Hydra; as this a path may be written that Hydra's rules are known for.
    meaning = None if read is None or read.is_sweep_override() else read.value()
    if is_path and os.path.lexists(value):
        text = value
    elif value in NOT_TEXT or (is_sweep and read is not None and read.is_sweep_override()):
        return override
    else:
        is_meant = isinstance(meaning, str) and (_is_quoted(read) or _exists(meaning, is_path))
        text = str(meaning) if is_meant else value
        text = _at_home(text) if is_path else text
    return override if text == meaning else f"{key}={QuotedString(text, Quote.single).with_quotes()}"


def _read(override: str) -> Override | None:
    """Return what Hydra reads; None if it does not understand it."""
    try:
        (read,) = _parser().parse_overrides([override])
    except HydraException:
        return None
    return read


@cache
def _parser() -> OverridesParser:
    return OverridesParser.create()


def _is_quoted(read: Override | None) -> bool:
    return read is not None and isinstance(read._value, QuotedString)


def _exists(path: str, is_path: bool) -> bool:
    return is_path and os.path.lexists(_at_home(path))


def _at_home(path: str) -> str:
    """Return a path with the home folder in place of a tilde, which shells leave alone behind ``=``."""
    return os.path.expanduser(path)  # noqa: PTH111 - which would take a slash at the end away

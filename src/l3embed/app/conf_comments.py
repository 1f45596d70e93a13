"""The comments of ``conf/``: what is said there of settings and of choices, for those who ask elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from l3embed.app.overrides import choices

ROOT = "config.yaml"

IS_GLOBAL = re.compile(r"^#\s*@package\s+_global_\s*$", re.MULTILINE)
"""What a file says whose settings are not those of its own folder's group."""

LINE = re.compile(
    r"(?P<indent> *)(?P<name>\w+):"
    r"""(?:\s+(?:'[^']*'|"[^"]*"|[^\s'"#]\S*))*"""
    r"(?:\s+#\s*(?P<comment>.*))?\s*"
)
"""A setting in YAML as ``conf/`` is written: a line each, texts with or without quotes."""

COMMENT = re.compile(r" *#\s*(?P<comment>.*)")
DIRECTIVE = re.compile(r"#\s*(?:@|yaml-language-server:)")
"""Comments that are read by programs."""


@dataclass
class Comments:
    """What ``conf/`` says.

    Parameters
    ----------
    settings : dict of str to str
        Of settings, by their names, as in ``windows.hop_s``.
    choices : dict of str to dict
        Of the choices of each group: what stands above their settings.
    """

    settings: dict[str, str] = field(default_factory=dict)
    choices: dict[str, dict[str, str]] = field(default_factory=dict)


def read_comments(config_folder: Path) -> Comments:
    """Read the comments of ``conf/``; where choices say different things of a setting, the longest counts."""
    found = Comments()
    files = [("", "", config_folder / ROOT)]
    for group, names in choices(config_folder).items():
        found.choices[group] = {}
        files += [(group, name, config_folder / group / f"{name}.yaml") for name in names]
    for group, name, file in files:
        text = file.read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if not DIRECTIVE.match(line)]
        header = list(_header(lines))
        if name:
            found.choices[group][name] = "\n".join(header)
        prefix = f"{group}." if name and not IS_GLOBAL.search(text) else ""
        for key, comment in _of_settings(lines[len(header) :]):
            if len(comment) > len(found.settings.get(prefix + key, "")):
                found.settings[prefix + key] = comment
    return found


def _header(lines: list[str]) -> Iterator[str]:
    """Yield the comments that a file begins with."""
    for line in lines:
        match = COMMENT.fullmatch(line)
        if not match:
            return
        yield match["comment"]


def _of_settings(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yield settings with what stands behind them, or else right above them."""
    above: list[str] = []
    parents: list[tuple[int, str]] = []
    for line in lines:
        only, match = COMMENT.fullmatch(line), LINE.fullmatch(line)
        if match:
            indent = len(match["indent"])
            parents = [*(parent for parent in parents if parent[0] < indent), (indent, match["name"])]
            comment = match["comment"] or " ".join(above)
            if comment:
                yield ".".join(name for _, name in parents), comment
        above = [*above, only["comment"]] if only else []

"""The groups of settings that come with l3embed, and their choices."""

from __future__ import annotations

from importlib.resources import files as resources
from pathlib import Path

LAUNCHERS = "hydra"
"""Hydra's own groups: nothing that changes a result."""


def group_choices(*folders: Path) -> dict[str, list[str]]:
    """Return the choices of each group, by its name.

    Parameters
    ----------
    *folders : Path
        Folders that add to the package's own: a project's ``conf``.
    """
    groups: dict[str, set[str]] = {}
    for folder in (Path(str(resources("l3embed.conf"))), *folders):
        for file in folder.glob("*/*.yaml"):
            if file.parent.name != LAUNCHERS:
                groups.setdefault(file.parent.name, set()).add(file.stem)
    return {group: sorted(names) for group, names in sorted(groups.items())}

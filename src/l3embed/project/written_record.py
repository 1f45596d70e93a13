"""``.l3embed.json``: what a project was made from, and what was written into it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l3embed.errors import OpenL3Error
from l3embed.project.project_plan import RECORD_FILE, ProjectPlan, Template
from l3embed.version import __version__


@dataclass(frozen=True)
class WrittenRecord:
    """What a project's record says.

    Parameters
    ----------
    plan : ProjectPlan
        What it was made from.
    version : str
        Of the l3embed that wrote its files.
    checksums : dict[str, str]
        SHA-256 of each file as it was written, by its path.
    """

    plan: ProjectPlan
    version: str
    checksums: dict[str, str]


def record_text(plan: ProjectPlan, files: Mapping[str, str]) -> str:
    """Return the record of files that have been written from a plan."""
    checksums = {path: text_checksum(text) for path, text in sorted(files.items())}
    said = {"l3embed": __version__, **plan.as_json(), "written": checksums}
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"


def text_checksum(text: str) -> str:
    """Return the SHA-256 of a text; git may have given it other line ends."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()


def read_record(folder: Path) -> WrittenRecord:
    """Read the record of a project.

    Raises
    ------
    OpenL3Error
        If there is none, or it is not one.
    """
    path = folder / RECORD_FILE
    if not path.is_file():
        raise OpenL3Error(
            f"{folder} is no project that 'l3embed init' has made: it has no {RECORD_FILE}. "
            "Name the project's folder, or make one: l3embed init FOLDER."
        )
    try:
        return _parse(json.loads(path.read_text(encoding="utf-8")), folder)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise OpenL3Error(
            f"{path} is damaged ({type(error).__name__}: {error}). Bring it back from git."
        ) from error


def _parse(said: dict[str, Any], folder: Path) -> WrittenRecord:
    plan = ProjectPlan(
        title=str(said["title"]),
        template=Template(said["template"]),
        dataset=str(said["dataset"]),
        settings=tuple(map(str, said["settings"])),
        uses_git=not (folder / ".dvc" / "config.local").is_file(),
    )
    return WrittenRecord(plan, str(said["l3embed"]), {str(k): str(v) for k, v in said["written"].items()})

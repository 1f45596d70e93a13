"""JSON files: written whole, and read even if they are missing or cut short."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from l3embed.disk.atomic import replacing


def read_object(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file, empty if there is none."""
    try:
        return read_whole_object(path)
    except (OSError, ValueError):
        return {}


def read_whole_object(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises
    ------
    OSError, ValueError
        If the file cannot be read, or holds something else.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError("It must hold a JSON object.")
    return content


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write figures, as DVC's metrics have them; the folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

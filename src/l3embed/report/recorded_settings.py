"""The settings that a run is known to have had: DVC and Hydra have written them down beside its outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l3embed.errors import source_faults
from l3embed.report.compared_runs import EXPORT

HYDRA_FILE = Path(".hydra", "config.yaml")
"""In a job's folder: the settings that it ran with."""

DVC_FILE = "dvc.lock"
"""Beside DVC's data folder: the settings that each stage ran with, as far as they matter to it."""


@dataclass(frozen=True)
class RecordedSettings:
    """Settings by their dotted names, and the file that they are from, as users know it."""

    file: str
    values: Mapping[str, Any]


def recorded_settings(run_folder: Path) -> RecordedSettings | None:
    """Return the settings that the run of a folder is known to have had; None if nobody knows.

    Raises
    ------
    OpenL3Error
        If a file of settings cannot be read.
    """
    folder = run_folder.absolute()
    hydra, dvc = folder / HYDRA_FILE, folder.parent / DVC_FILE
    if hydra.is_file():
        return RecordedSettings(HYDRA_FILE.as_posix(), dict(_flat(_read_yaml(hydra))))
    if not dvc.is_file():
        return None
    stages = _read_yaml(dvc).get("stages", {})
    export = f"{folder.name}/{EXPORT}"
    if not any(out.get("path") == export for stage in stages.values() for out in stage.get("outs", ())):
        return None
    files = (file for stage in stages.values() for file in stage.get("params", {}).values())
    return RecordedSettings(DVC_FILE, {name: value for file in files for name, value in _flat(file)})


def _read_yaml(path: Path) -> dict[str, Any]:
    import yaml

    with source_faults(f"{path} could not be read"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return content if isinstance(content, dict) else {}


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value

"""Which settings two runs differ in: as their manifests tell, and what DVC and Hydra have written down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l3embed.errors import source_faults
from l3embed.export.manifest import ManifestRow
from l3embed.report.compared_runs import EXPORT, Run
from l3embed.variants import Modality

HYDRA_FILE = Path(".hydra", "config.yaml")
"""In a job's folder: the settings that it ran with."""

DVC_FILE = "dvc.lock"
"""Beside DVC's data folder: the settings that each stage ran with, as far as they matter to it."""

FIGURES = ("variant", "weights", "precision", "runtime", "dimension")
"""What a manifest tells of each modality."""


@dataclass(frozen=True)
class SettingChange:
    """A setting, and its values; empty where a run has none."""

    name: str
    a: str
    b: str


def compare_settings(a: Run, b: Run, modalities: Sequence[Modality]) -> tuple[SettingChange, ...]:
    """Return what two runs differ in: settings, then what was computed with, then versions of packages.

    Raises
    ------
    OpenL3Error
        If a file of settings cannot be read.
    """
    return (
        *_recorded_changes(a, b),
        *_changes(_figures(a, modalities), _figures(b, modalities)),
        *_changes(_packages(a.rows), _packages(b.rows)),
    )


def _changes(a: Mapping[str, str], b: Mapping[str, str]) -> Iterator[SettingChange]:
    for name in {**a, **b}:
        if a.get(name, "") != b.get(name, ""):
            yield SettingChange(name, a.get(name, ""), b.get(name, ""))


def _recorded_changes(a: Run, b: Run) -> Iterator[SettingChange]:
    settings_a, settings_b = _recorded(a), _recorded(b)
    # DVC writes down what matters alone: what only one of them knows may be the same.
    known = settings_a.keys() & settings_b.keys()
    both = (
        {name: value for name, value in each.items() if name in known} for each in (settings_a, settings_b)
    )
    return _changes(*both)


def _recorded(run: Run) -> dict[str, str]:
    """Return the settings that a run is known to have had, by their dotted names; none if nobody knows."""
    if run.folder is None:
        return {}
    folder = run.folder.absolute()
    hydra, dvc = folder / HYDRA_FILE, folder.parent / DVC_FILE
    if hydra.is_file():
        return dict(_flat(_read_yaml(hydra)))
    if not dvc.is_file():
        return {}
    stages = _read_yaml(dvc).get("stages", {})
    export = f"{folder.name}/{EXPORT}"
    if not any(out.get("path") == export for stage in stages.values() for out in stage.get("outs", ())):
        return {}
    files = (file for stage in stages.values() for file in stage.get("params", {}).values())
    return {name: value for file in files for name, value in _flat(file)}


def _read_yaml(path: Path) -> dict[str, Any]:
    import yaml

    with source_faults(f"{path} could not be read"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return content if isinstance(content, dict) else {}


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _word(value)


def _word(value: Any) -> str:
    """Return a value as a settings file has it."""
    if isinstance(value, list):
        return f"[{', '.join(map(_word, value))}]"
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _figures(run: Run, modalities: Sequence[Modality]) -> dict[str, str]:
    found = {}
    for modality in modalities:
        rows = [row for row in run.rows_of(modality).values() if row.is_ok]
        for name in FIGURES:
            found[f"{name} ({modality.value})"] = _listed(getattr(row, name) for row in rows)
    return found


def _packages(rows: Iterable[ManifestRow]) -> dict[str, str]:
    """Return the versions of each package that computed any of the rows."""
    found: dict[str, set[str]] = {}
    for versions in {row.packages for row in rows}:
        for package in filter(None, versions.split(", ")):
            name, _, version = package.partition(" ")
            found.setdefault(name, set()).add(version)
    return {name: _listed(found[name]) for name in sorted(found)}


def _listed(values: Iterable[object]) -> str:
    return ", ".join(sorted({str(value) for value in values if value != ""}))

"""Which settings two runs differ in: as their manifests tell, and what DVC and Hydra have written down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from l3embed.export.manifest import ManifestRow
from l3embed.report.compared_runs import Run
from l3embed.report.recorded_settings import recorded_settings
from l3embed.variants import Modality

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
    """Return the settings that a run is known to have had, as a settings file has them."""
    known = recorded_settings(run.folder) if run.folder else None
    return {name: _word(value) for name, value in known.values.items()} if known else {}


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

"""The paths among the settings: whether they are there, and whether they are used."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from l3embed.app.groups import LabelKind, SourceKind
from l3embed.app.settings import Settings
from l3embed.app.suggestions import most_like, question
from l3embed.errors import OpenL3Error
from l3embed.listings.listing_table import is_listing

FOLDER = "folder"
FILE = "file"

TRACKED_SUFFIX = ".dvc"
"""What DVC puts behind the name of what it tracks, and can bring here (``dvc pull``)."""


def check_paths(settings: Settings) -> None:
    """Check that what the settings name is there.

    Raises
    ------
    OpenL3Error
        Naming the first that is not.
    """
    dataset, labels, weights = settings.dataset, settings.labels, settings.weights
    if Path(dataset.path) not in _synthesised(settings):
        _check("dataset.path", dataset.path, FILE if is_listing(Path(dataset.path)) else FOLDER)
    if labels.source == LabelKind.LISTING and not is_listing(Path(dataset.path)):
        raise OpenL3Error(
            f"labels=listing takes labels from the dataset's listing, and dataset.path is the folder "
            f"{dataset.path}. Set labels=folders, or dataset=listing dataset.path=..."
        )
    if labels.source == LabelKind.TABLE or (labels.table and LabelKind(labels.source).names_files):
        is_folder = labels.source != LabelKind.TABLE and Path(str(labels.table)).is_dir()
        _check("labels.table", labels.table, FOLDER if is_folder else FILE)
    if weights.source == SourceKind.DIRECTORY:
        _check("weights.path", weights.path, FOLDER)
    if settings.evaluation.reference:
        _check("evaluation.reference", settings.evaluation.reference, FOLDER, FILE)


def without_effect(settings: Settings) -> list[str]:
    """Return a sentence on each path, and on a card, that was set without the choice that goes with it."""
    found = []
    sample = _synthesised(settings)
    if sample and Path(settings.dataset.path) not in sample:
        kind = "listing" if is_listing(Path(settings.dataset.path)) else FOLDER
        found.append(
            f"dataset.path is set without dataset={kind}: it keeps the name {settings.dataset.name!r}, and "
            f"{sample[0]} is written, too. Set dataset={kind} dataset.path=..."
        )
    if settings.labels.table and not LabelKind(settings.labels.source).names_files:
        found.append(
            f"labels.table is set without labels=table: labels are of the source {settings.labels.source!r}."
        )
    if settings.weights.path and settings.weights.source != SourceKind.DIRECTORY:
        found.append(
            "weights.path is set without weights=directory: weights are of the source "
            f"{settings.weights.source!r}."
        )
    if settings.card.stated and not settings.export.card:
        names = ", ".join(settings.card.stated)
        found.append(f"Set without export.card=true, by which a card is written: {names}.")
    return found


def _synthesised(settings: Settings) -> list[Path]:
    return [Path(folder) for folder in settings.dataset.synthesised.values()]


def _check(key: str, name: str | None, *kinds: str) -> None:
    path, kind = Path(str(name)), " or ".join(kinds)
    is_there = (FOLDER in kinds and path.is_dir()) or (FILE in kinds and path.is_file())
    if is_there or path.with_name(f"{path.name}{TRACKED_SUFFIX}").is_file():
        return
    found = f"which is no {kind}" if path.exists() else "which is not there"
    raise OpenL3Error(
        f"{key} must be the path of a {kind}; got {path}, {found}.{_neighbours(path) or f' Set {key}=...'}"
    )


def _neighbours(path: Path) -> str:
    """Return a question after paths that are spelt alike."""
    with suppress(OSError):
        names = sorted(other.name for other in path.parent.iterdir())
        alike = [str(path.with_name(name)) for name in most_like(path.name, names) if name != path.name]
        if alike:
            return question(alike)
    return ""

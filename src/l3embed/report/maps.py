"""The maps of a dataset: what the page's script draws, and how it is packed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from l3embed.export.manifest import ManifestRow, read_means
from l3embed.progress import say
from l3embed.report.choices import ReportOptions
from l3embed.report.media_files import MediaFile
from l3embed.report.neighbours import Neighbours, nearest
from l3embed.report.packing import as_text, pack
from l3embed.report.preview_budget import Previews
from l3embed.report.projection import (
    UMAP_NEIGHBOURS,
    View,
    pca_view,
    umap_is_wanted,
    umap_view,
)
from l3embed.variants import Media, Modality

SIMILARITY_STEPS = 10_000
"""Cosines are packed as whole numbers of ten-thousandths."""

MEDIA = tuple(Media)
"""Kinds of files are packed as their places here."""

HAS_SOUND, HAS_PICTURE = 1, 2
"""Bits that say which previews of a file the page holds."""


@dataclass(frozen=True)
class DatasetMap:
    """One modality's files, ways of showing them in two dimensions, and the neighbours of each."""

    modality: Modality
    rows: list[ManifestRow]
    views: list[View]
    neighbours: Neighbours

    @property
    def has_umap(self) -> bool:
        """Whether a view's axes and distances mean nothing."""
        return any(not any(view.axes) for view in self.views)


def dataset_maps(export: Path, options: ReportOptions) -> list[DatasetMap]:
    """Return a map of each modality that has embeddings.

    Raises
    ------
    OpenL3Error
        If UMAP is asked for and not installed, or the export does not fit its manifest.
    """
    with_umap = umap_is_wanted(options.projection)
    maps = (_dataset_map(export, modality, options, with_umap=with_umap) for modality in Modality)
    return [found for found in maps if found]


def _dataset_map(
    export: Path, modality: Modality, options: ReportOptions, *, with_umap: bool
) -> DatasetMap | None:
    rows, means = read_means(export, modality)
    if not rows:
        return None
    say(f"report: comparing {len(rows)} {modality.value} embeddings")
    neighbours = nearest(means, max(options.neighbours, UMAP_NEIGHBOURS - 1))
    views = [pca_view(means, options.seed)]
    if with_umap and (found := umap_view(neighbours, views[0].points, options.seed)):
        views.append(found)
    return DatasetMap(modality, rows, views, neighbours.first(options.neighbours))


def packed_maps(
    maps: Sequence[DatasetMap], files: Sequence[MediaFile], previews: Previews, address: str
) -> dict[str, Any]:
    """Return everything that the page's script draws, for JSON."""
    labels = sorted({file.label for file in files})
    label_places = {label: place for place, label in enumerate(labels)}
    file_places = {file.path: place for place, file in enumerate(files)}
    held = [_held(previews, place) for place in range(len(files))]
    return {
        "address": address,
        "labels": labels,
        "paths": [file.path for file in files],
        "label": pack([label_places[file.label] for file in files], "u4"),
        "media": pack([MEDIA.index(file.media) for file in files], "u1"),
        "held": pack(held, "u1"),
        "duration": pack([_or_nan(file.duration_s) for file in files], "f4"),
        "rate": pack([_or_nan(file.sample_rate_hz) for file in files], "f4"),
        "channels": pack([file.channels or 0 for file in files], "u4"),
        "maps": [_packed_map(each, file_places) for each in maps],
    }


def packed_previews(previews: Previews) -> dict[str, dict[int, str]]:
    """Return the previews themselves, by the files' places, for JSON."""
    return {
        "sounds": {place: as_text(each.sound) for place, each in previews.made.items() if each.sound},
        "pictures": {place: as_text(each.picture) for place, each in previews.made.items() if each.picture},
    }


def _packed_map(each: DatasetMap, file_places: dict[str, int]) -> dict[str, Any]:
    similarity = np.round(each.neighbours.similarity * SIMILARITY_STEPS)
    return {
        "modality": each.modality.value,
        "files": pack([file_places[row.path] for row in each.rows], "u4"),
        "frames": pack([row.frames for row in each.rows], "u4"),
        "views": [
            {"name": view.name, "points": pack(view.points, "f4"), "axes": view.axes} for view in each.views
        ],
        "count": each.neighbours.index.shape[1],
        "index": pack(each.neighbours.index, "u4"),
        "similarity": pack(similarity, "i2"),
    }


def _held(previews: Previews, place: int) -> int:
    preview = previews.made.get(place)
    if preview is None:
        return 0
    return (HAS_SOUND if preview.sound else 0) | (HAS_PICTURE if preview.picture else 0)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value

"""The maps of a dataset: where its files lie in two dimensions, and their nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from l3embed.export.manifest import ManifestRow, read_means
from l3embed.export.sampling import Sample
from l3embed.progress import say
from l3embed.report.choices import ReportOptions
from l3embed.report.neighbours import Neighbours, nearest
from l3embed.report.projection import (
    UMAP_NEIGHBOURS,
    View,
    pca_view,
    umap_is_wanted,
    umap_view,
)
from l3embed.variants import Modality


@dataclass(frozen=True)
class DatasetMap:
    """One modality's files, ways of showing them in two dimensions, and the neighbours of each."""

    modality: Modality
    rows: Sequence[ManifestRow]
    views: list[View]
    neighbours: Neighbours

    @property
    def has_umap(self) -> bool:
        """Whether a view's axes and distances mean nothing."""
        return any(not any(view.axes) for view in self.views)


def dataset_maps(export: Path, options: ReportOptions, sample: Sample | None = None) -> list[DatasetMap]:
    """Return a map of each modality that has embeddings, of all files or of those of a sample.

    Raises
    ------
    OpenL3Error
        If UMAP is asked for and not installed, or the export does not fit its manifest.
    """
    with_umap = umap_is_wanted(options.projection)
    maps = (
        _dataset_map((export, modality), options, sample or Sample(0), with_umap=with_umap)
        for modality in Modality
    )
    return [found for found in maps if found]


def _dataset_map(
    source: tuple[Path, Modality], options: ReportOptions, sample: Sample, *, with_umap: bool
) -> DatasetMap | None:
    modality = source[1]
    rows, means = read_means(*source)
    if not rows:
        return None
    if sample.words:
        means = means[sample.places(rows)]
    rows = sample.rows(rows)
    say(f"report: comparing {len(rows)} {modality.value} embeddings")
    neighbours = nearest(means, max(options.neighbours, UMAP_NEIGHBOURS - 1))
    views = [pca_view(means, options.seed)]
    if with_umap and (found := umap_view(neighbours, views[0].points, options.seed)):
        views.append(found)
    return DatasetMap(modality, rows, views, neighbours.first(options.neighbours))

"""Which folder of embeddings a path is, and what its inputs are compared by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from l3embed.errors import OpenL3Error
from l3embed.export.formats import Rows
from l3embed.export.manifest import STAGE, is_export
from l3embed.inputs.windows import Framing
from l3embed.search.compared_rows import ComparedRows, FileRows, MomentRows
from l3embed.search.embedded_inputs import MadeWith, SearchedFolder, Vectors
from l3embed.search.exported_rows import ExportedRows
from l3embed.search.moments_files import Segment
from l3embed.search.moments_index import current_moments
from l3embed.search.npz_files import NpzFiles
from l3embed.search.window_times import framing_of
from l3embed.variants import Modality


@dataclass(frozen=True)
class Opened:
    """A folder that is ready to be searched.

    Parameters
    ----------
    source : SearchedFolder
        Its inputs.
    rows : ComparedRows
        What can be hits.
    means : np.ndarray
        The mean of each input's frames, ``(inputs, D)``.
    made_with : MadeWith
        What all of it was computed with.
    failures : dict of str to str
        Why inputs could not be read: they are left out.
    """

    source: SearchedFolder
    rows: ComparedRows
    means: Vectors
    made_with: MadeWith
    failures: dict[str, str]

    def framing(self) -> Framing:
        """Return how the folder's sounds were cut into windows, with the errors of `framing_of`."""
        counts = self.source.frame_counts() if isinstance(self.source, ExportedRows) else None
        return framing_of(self.source, counts)


def open_folder(
    folder: Path, modality: Modality, kind: Rows, threads: int = 0, *, verbose: bool = False
) -> Opened:
    """Open a folder, and bring its index of moments up to date where it needs one.

    Raises
    ------
    OpenL3Error
        If there is no such folder, or nothing of the modality in it, or what is there was computed in
        several ways.
    """
    source = _source(folder, modality)
    means = source.means()
    if kind is Rows.FILES and means is not None:
        return _with_means(source, means)
    moments = current_moments(source, verbose=verbose)
    if means is None:
        segments = [moments.table.segments.get(each.path) for each in source.inputs]
        means = _means_of(moments.mapped.means, segments)
    made_with = moments.table.made_with or MadeWith("", "")
    rows: ComparedRows = FileRows(means, moments.counts > 0)
    if kind is Rows.FRAMES:
        rows = MomentRows(moments, means, threads)
    return Opened(source, rows, means, made_with, moments.failures)


def _source(folder: Path, modality: Modality) -> SearchedFolder:
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise OpenL3Error(
            f"{folder} {what}. Name data/export, or a folder of .npz files that 'l3embed audio' has written."
        )
    if is_export(folder) or is_export(folder / STAGE):
        return ExportedRows(folder, modality)
    return NpzFiles(folder, modality)


def _with_means(source: SearchedFolder, means: Vectors) -> Opened:
    """Open whole files of a folder that holds their means: there is nothing to be built."""
    is_there = np.array([bool(np.isfinite(mean).all()) for mean in means])
    failures = {
        source.inputs[place].path: "Its mean embedding holds numbers that are not finite."
        for place in np.flatnonzero(~is_there)
    }
    if not is_there.any():
        raise OpenL3Error(f"No mean embedding in {source.folder} is finite. Run 'dvc repro -f {STAGE}'.")
    made_with = source.made_with() or MadeWith("", "")
    return Opened(source, FileRows(means, is_there), means, made_with, failures)


def _means_of(mapped: Vectors, segments: Sequence[Segment | None]) -> Vectors:
    """Return the mean of each input, ``(inputs, D)``: NaN without any frames."""
    places = np.array([each.mean if each else -1 for each in segments], np.intp)
    if np.array_equal(places, np.arange(len(mapped))):
        return mapped  # which stay in the file
    means = np.full((len(places), mapped.shape[1]), np.nan, np.float32)
    means[places >= 0] = mapped[places[places >= 0]]
    return means

"""An export of the pipeline as a folder that can be searched."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from l3embed.disk.rows import read_npz_rows
from l3embed.disk.seals import reading
from l3embed.errors import OpenL3Error
from l3embed.export.loading import exported_inputs
from l3embed.export.manifest import STAGE, ManifestRow, has_npz, means_of
from l3embed.export.window_labels import read_window_labels
from l3embed.search.embedded_inputs import Frames, Input, MadeWith, Vectors, faulty
from l3embed.variants import Modality


class ExportedRows:
    """The inputs of an export in one modality, with their frames from ``.npz`` files or Parquet.

    Raises
    ------
    OpenL3Error
        If the folder is no export, has nothing of the modality, or was computed in several ways.
    """

    def __init__(self, folder: Path, modality: Modality) -> None:
        self.folder, self.modality = folder, modality
        self._rows = exported_inputs(folder, modality)
        self._made_with = _made_with(self._rows)
        self.inputs: Sequence[Input] = [
            Input(row.path, row.label, row.duration_s, row.sample_rate_hz) for row in self._rows
        ]

    def made_with(self) -> MadeWith | None:
        """Return what all of it was computed with."""
        return self._made_with

    def moment_labels(self) -> Mapping[str, Mapping[int, str]] | None:
        """Return the labels of windows, by path and number; None if it is files that have labels."""
        windows = read_window_labels(self.folder) if self.modality is Modality.AUDIO else None
        if windows is None:
            return None
        labels: defaultdict[str, dict[int, str]] = defaultdict(dict)
        for window in windows:
            labels[window.path][window.frame] = window.label
        return labels

    def means(self) -> Vectors | None:
        """Return the mean of each input's frames, mapped from the export, ``(inputs, D)``."""
        return means_of(self._rows, self.folder, self.modality)

    def fingerprints(self) -> list[str]:
        """Return a word for each input: the mean tells of any change of its frames, whatever the format."""
        means = means_of(self._rows, self.folder, self.modality)
        return [
            hashlib.sha256(f"{row.frames} {self._made_with}".encode() + mean.tobytes()).hexdigest()[:32]
            for row, mean in zip(self._rows, means, strict=True)
        ]

    def frame_counts(self) -> list[int]:
        """Return how many frames each input has."""
        return [row.frames for row in self._rows]

    def frames(self, places: Sequence[int]) -> Iterator[Frames]:
        """Read the frames of some inputs.

        Raises
        ------
        OpenL3Error
            If the export has whole files alone, or its Parquet dataset is damaged.
        """
        if has_npz(self.folder, (self._rows[place] for place in places)):
            for place in places:
                yield from self._from_npz(place)
        else:
            yield from self._from_parquet(places)

    def _from_npz(self, place: int) -> Iterator[Frames]:
        path = self.folder / self._rows[place].output
        try:
            with reading(path, STAGE):
                with np.load(path, allow_pickle=False) as arrays:
                    known_s = arrays.get("timestamps")
                start = 0
                for block in read_npz_rows(path, "embedding"):
                    rows = slice(start, start + len(block))
                    times_s = np.full(len(block), np.nan) if known_s is None else known_s[rows]
                    yield Frames(place, block.astype(np.float32, copy=False), times_s, self._made_with)
                    start = rows.stop
        except OpenL3Error as error:
            yield faulty(place, error)

    def _from_parquet(self, places: Sequence[int]) -> Iterator[Frames]:
        from l3embed.export.parquet import has_frames, read_frames

        if not has_frames(self.folder, self.modality):
            raise OpenL3Error(
                f"{self.folder} has no row for each moment, only for each file. Search whole files, or "
                "export anew with export.formats=[npz], or export.formats=[parquet] and export.rows=frames."
            )
        wanted = {self._rows[place].path: place for place in places}
        for frames in read_frames(self.folder, self.modality, wanted):
            edges = [0, *(np.flatnonzero(np.diff(frames.path_of)) + 1).tolist()]
            for start, stop in zip(edges, [*edges[1:], len(frames.path_of)], strict=True):
                place = wanted.get(frames.paths[frames.path_of[start]]) if start < stop else None
                if place is not None:
                    embeddings = frames.embeddings[start:stop].astype(np.float32)
                    yield Frames(place, embeddings, frames.times_s[start:stop], self._made_with)


def _made_with(rows: Sequence[ManifestRow]) -> MadeWith:
    """Return what all inputs were computed with, which must be the same."""
    first = rows[0]
    for row in rows:
        if (row.variant, row.weights, row.dimension) != (first.variant, first.weights, first.dimension):
            raise OpenL3Error(
                f"{first.path} was embedded by {MadeWith(first.variant, first.weights)} (dimension "
                f"{first.dimension}), {row.path} by {MadeWith(row.variant, row.weights)} (dimension "
                f"{row.dimension}): they can't be compared. Run 'dvc repro -f {STAGE}', which writes the "
                "export anew."
            )
    return MadeWith(first.variant, first.weights)

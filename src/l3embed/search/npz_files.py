"""A folder of ``.npz`` files, as ``l3embed audio`` and its like write them, as a folder to search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from l3embed.disk.rows import read_npz_rows
from l3embed.errors import OpenL3Error, source_faults
from l3embed.search.embedded_inputs import Frames, Input, MadeWith, Vectors, faulty
from l3embed.variants import Modality

SUFFIX = ".npz"
UNKNOWN = MadeWith("unknown", "unknown")
"""What is known of files that do not say what they were computed with, as OpenL3's own."""


class NpzFiles:
    """The ``.npz`` files in a folder and below it; hidden ones do not count.

    Which of them are of the modality is known when they are read. A file's label is the name of the folder
    that directly holds it, if that lies below the one that is searched.
    """

    def __init__(self, folder: Path, modality: Modality) -> None:
        self.folder, self.modality = folder, modality
        found = sorted(path.relative_to(folder) for path in folder.rglob(f"*{SUFFIX}"))
        self._paths = [path for path in found if not any(part.startswith(".") for part in path.parts)]
        self.inputs: Sequence[Input] = [
            Input(path.as_posix(), PurePosixPath(path.as_posix()).parent.name) for path in self._paths
        ]

    def made_with(self) -> MadeWith | None:
        """Return nothing: each file says it."""
        return None

    def moment_labels(self) -> None:
        """Return nothing: no part of a file has a label."""

    def means(self) -> Vectors | None:
        """Return nothing: only reading all frames tells."""
        return None

    def fingerprints(self) -> list[str]:
        """Return the size of each file, and when it was last changed."""
        stats = [(self.folder / path).stat() for path in self._paths]
        return [f"{stat.st_size} {stat.st_mtime_ns}" for stat in stats]

    def frames(self, places: Sequence[int]) -> Iterator[Frames]:
        """Read the frames of some files; of another modality there are none."""
        for place in places:
            path = self.folder / self._paths[place]
            try:
                with source_faults():
                    yield from self._read(place, path)
            except OpenL3Error as error:
                yield faulty(place, error)

    def _read(self, place: int, path: Path) -> Iterator[Frames]:
        with np.load(path, allow_pickle=False) as arrays:
            if "embedding" not in arrays:
                raise OpenL3Error(f"It holds no array 'embedding', but {', '.join(arrays) or 'nothing'}.")
            known_s = arrays.get("timestamps")
            made_with = _made_with(arrays)
        if _modality(made_with, has_times=known_s is not None) is not self.modality:
            yield Frames(place, np.empty((0, 0), np.float32), np.empty(0), made_with)
            return
        start = 0
        for block in read_npz_rows(path, "embedding"):
            if block.ndim != 2:
                raise OpenL3Error(f"'embedding' must have the shape (T, D); it has {block.ndim} dimensions.")
            rows = slice(start, start + len(block))
            times_s = np.full(len(block), np.nan) if known_s is None else known_s[rows]
            if len(times_s) != len(block):
                raise OpenL3Error(f"It has more embeddings than timestamps: {start + len(times_s)}.")
            yield Frames(place, block.astype(np.float32, copy=False), times_s, made_with)
            start = rows.stop


def _made_with(arrays: Mapping[str, Any]) -> MadeWith:
    if "variant" not in arrays or "weights" not in arrays:
        return UNKNOWN
    return MadeWith(str(arrays["variant"]), str(arrays["weights"]))


def _modality(made_with: MadeWith, *, has_times: bool) -> Modality:
    """Return which network made embeddings; of unknown ones, those with times are taken for sound."""
    for modality in Modality:
        if made_with.variant.startswith(f"{modality.value}_"):
            return modality
    return Modality.AUDIO if has_times else Modality.IMAGE

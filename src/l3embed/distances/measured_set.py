"""One side while it is measured: what each measure needs of it, computed when it is first needed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.distances.bootstrap import MOST_GROUPS, group_files, most_groups
from l3embed.distances.embedded_sets import EmbeddedSet, FrameFile
from l3embed.distances.frechet import Gaussian, gaussian_of, gaussian_of_frames
from l3embed.distances.sides import Side
from l3embed.distances.streamed_statistics import RunningStatistics, Statistics
from l3embed.errors import OpenL3Error


class MeasuredSet:
    """A side, and what was computed of it.

    Parameters
    ----------
    side : Side
        Which.
    scratch : Path
        Folder for embeddings that are to be mapped.
    seed : int
        Which files are drawn together, if there are many.
    """

    def __init__(self, side: Side, scratch: Path, seed: int = 0) -> None:
        self.side, self._scratch, self._seed = side, scratch, seed

    @property
    def name(self) -> str:
        """As the user has named it."""
        return self.side.name

    @property
    def dimension(self) -> int:
        """Numbers in each embedding."""
        return self.side.dimension

    @property
    def frames(self) -> int:
        """Embeddings; 0 if that is not known."""
        if self.side.embedded is not None:
            return self.side.embedded.frames
        return self.side.statistics.frames if self.side.statistics else 0

    @property
    def files(self) -> int:
        """Files; 0 if that is not known."""
        if self.side.embedded is not None:
            return len(self.side.embedded.files)
        return self.side.statistics.files if self.side.statistics else 0

    @property
    def is_small(self) -> bool:
        """Whether there are fewer frames than dimensions: then these are quicker to compute with."""
        return self.side.embedded is not None and self.frames < self.dimension

    def embedded(self, what: str) -> EmbeddedSet:
        """Return the embeddings.

        Raises
        ------
        OpenL3Error
            If there are only statistics.
        """
        if self.side.embedded is None:
            raise OpenL3Error(
                f"{what} needs the embeddings themselves, and {self.name} holds nothing but their "
                "statistics. Name the sounds, or what they were embedded to."
            )
        return self.side.embedded

    @cached_property
    def statistics(self) -> Statistics:
        """Mean and covariance, streamed."""
        if self.side.statistics is not None:
            return self.side.statistics
        total = RunningStatistics(self.dimension)
        for group in self.group_statistics if "group_statistics" in vars(self) else self._streamed(1):
            total.merge(group)
        return total.statistics(self.files, self.side.made)

    @cached_property
    def gaussian(self) -> Gaussian:
        """The normal distribution of the embeddings."""
        return gaussian_of_frames(self.all_frames()) if self.is_small else gaussian_of(self.statistics)

    def all_frames(self) -> npt.NDArray[Any]:
        """Return all embeddings as one array; for sets that are small."""
        return np.concatenate([block for file in self.embedded("This").files for block in file.read()])

    @cached_property
    def groups(self) -> npt.NDArray[np.int64]:
        """The group of each frame: its file, or, of more files than there may be groups, some together."""
        files = self.embedded("An interval").files
        return np.repeat(self._file_groups(MOST_GROUPS), [file.frames for file in files])

    @cached_property
    def group_statistics(self) -> list[RunningStatistics]:
        """Of each group of files, as many as fit into memory."""
        return list(self._streamed(most_groups(self.dimension)))

    @property
    def group_count(self) -> int:
        """How many groups of files have statistics that fit into memory."""
        return min(self.files, most_groups(self.dimension))

    @cached_property
    def mapped(self) -> npt.NDArray[Any]:
        """All embeddings, mapped from a file, ``(n, D)``."""
        files = self.embedded("This measure").files
        kind = np.result_type(next(files[0].read()).dtype, np.float32)
        path = self._scratch / f"{len(list(self._scratch.iterdir()))}.npy"
        array = np.lib.format.open_memmap(path, "w+", kind, (self.frames, self.dimension))
        start = 0
        for file in files:
            for block in file.read():
                array[start : start + len(block)] = block
                start += len(block)
        array.flush()
        mapped: npt.NDArray[Any] = np.load(path, mmap_mode="r")
        return mapped

    def release(self) -> None:
        """Let go of what takes memory and may be computed again."""
        for name in ("group_statistics", "mapped", "groups"):
            vars(self).pop(name, None)

    def _streamed(self, most: int) -> Iterator[RunningStatistics]:
        """Yield the statistics of each group of files, one after the other."""
        files, groups = self.embedded("This").files, self._file_groups(most)
        for group in range(int(groups.max()) + 1):
            running = RunningStatistics(self.dimension)
            for place in np.flatnonzero(groups == group):
                _add(running, files[place])
            yield running.finish()

    def _file_groups(self, most: int) -> npt.NDArray[np.int64]:
        return group_files(self.files, most, self._seed)


def _add(running: RunningStatistics, file: FrameFile) -> None:
    for block in file.read():
        running.add(block)


def gaussian_of_file(file: FrameFile, dimension: int) -> Gaussian:
    """Return the normal distribution of one file's embeddings.

    Raises
    ------
    OpenL3Error
        If it has fewer than two.
    """
    if file.frames < dimension:
        return gaussian_of_frames(np.concatenate(list(file.read())))
    running = RunningStatistics(dimension)
    _add(running, file)
    return gaussian_of(running.statistics())

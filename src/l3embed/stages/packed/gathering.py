"""What became of all inputs of a packed run, gathered from its parts: a sorted table, and arrays of means."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.disk.atomic import replacing
from l3embed.disk.npy_rows import read_header
from l3embed.disk.seals import seal
from l3embed.export.manifest import mean_path
from l3embed.inputs.findings import LACKS
from l3embed.stages.packed.packed_folder import TABLE_FILE
from l3embed.stages.packed.part_files import (
    MEANS_FILE,
    RESULTS_FILE,
    PackedResult,
    read_results,
    results_schema,
    results_table,
)
from l3embed.stages.packed.plan import PartId
from l3embed.store.entries import Entry
from l3embed.variants import DoubtKind, Modality

TABLE_ROWS = 4096
"""Results in a row group, and in memory at a time."""


def write_merged(output: Path, entries: Mapping[PartId, Entry]) -> Iterator[PackedResult]:
    """Write the results and the means of all parts, in the order of paths, and yield the results.

    However many parts there are, a few hundred results of each are held. A video that lacks what one of the
    networks is for has no row for that, and a doubt at the other.
    """
    import pyarrow.parquet as pq

    path = output / TABLE_FILE
    with (
        _Means(output, entries) as means,
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, results_schema()) as writer,
    ):
        held: list[PackedResult] = []
        for each, mean in _without_lacking(_merged(entries), means):
            held.append(each)
            means.write(each.result.modality, mean)
            if len(held) == TABLE_ROWS:
                writer.write_table(results_table(held))
                held = []
            yield each
        writer.write_table(results_table(held))
    seal(path)


def _merged(entries: Mapping[PartId, Entry]) -> Iterator[PackedResult]:
    """Yield the results of all parts in the order of paths, those of one path in that of modalities."""
    parts = (read_results(entry.files[RESULTS_FILE]) for entry in entries.values())
    return heapq.merge(*parts, key=lambda each: (each.result.path, each.result.modality))


Vector = npt.NDArray[np.float32]


def _without_lacking(
    results: Iterator[PackedResult], means: _Means
) -> Iterator[tuple[PackedResult, Vector | None]]:
    for _, own in groupby(results, key=lambda each: each.result.path):
        pairs = [(each, means.read(each) if each.has_embeddings else None) for each in own]
        lacking = [each.result.modality for each, _ in pairs if each.result.is_ok and not each.result.frames]
        for each, mean in pairs:
            if each.result.modality in lacking:
                continue
            for modality in lacking:
                result = each.result.doubted(DoubtKind.INCOMPLETE, LACKS[modality])
                each = replace(each, result=result)
            yield each, mean


class _Means(ExitStack):
    """The parts' means, each read from its beginning to its end, and the arrays that they are gathered in."""

    def __init__(self, output: Path, entries: Mapping[PartId, Entry]) -> None:
        super().__init__()
        self._dimensions: dict[PartId, int] = {}
        self._parts: dict[PartId, Any] = {}
        self._paths: list[Path] = []
        self._files: dict[Modality, Any] = {}
        counts: Counter[Modality] = Counter()
        for part, entry in entries.items():
            if entry.facts["embedded"]:
                file = self.enter_context(entry.files[MEANS_FILE].open("rb"))
                self._parts[part], self._dimensions[part] = file, read_header(file)[0][1]
                counts[part.modality] += entry.facts["embedded"]
        for modality, count in counts.items():
            self._begin(mean_path(output, modality), modality, count)

    def _begin(self, path: Path, modality: Modality, count: int) -> None:
        """Begin an array of so many means: they go to the disk as they come."""
        dimension = next(size for part, size in self._dimensions.items() if part.modality is modality)
        file = self.enter_context(self.enter_context(replacing(path)).open("wb"))
        header = {"descr": np.dtype(np.float32).str, "fortran_order": False, "shape": (count, dimension)}
        np.lib.format.write_array_header_1_0(file, header)
        self._files[modality] = file
        self._paths.append(path)

    def read(self, each: PackedResult) -> Vector:
        """Return the mean of the next input of a part that has embeddings."""
        part = PartId(each.result.modality, each.part)
        return np.fromfile(self._parts[part], np.float32, self._dimensions[part])

    def write(self, modality: Modality, mean: Vector | None) -> None:
        """Append an input's mean to those of its modality."""
        if mean is not None:
            self._files[modality].write(mean.tobytes())

    def __exit__(self, *fault: Any) -> bool | None:
        suppressed = super().__exit__(*fault)
        if fault[0] is None:
            for path in self._paths:
                seal(path)
        return suppressed

"""A part of a packed dataset on its way to its files: rows that are computed, and rows that were before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from l3embed.disk.rows import RowSpool
from l3embed.errors import OpenL3Error
from l3embed.export.formats import RowLayout
from l3embed.export.manifest import ManifestRow
from l3embed.export.moments import StreamingMoments
from l3embed.export.parquet import narrowed
from l3embed.inputs.findings import doubts
from l3embed.stages.packed.part_files import (
    MEANS_FILE,
    RESULTS_FILE,
    ROWS_FILE,
    Block,
    PackedResult,
    PartWriter,
)
from l3embed.stages.packed.part_work import PartJob, PartWork, Todo
from l3embed.stages.packed.plan import PlannedInput
from l3embed.stages.planning import blank_result
from l3embed.stages.results import check_failure
from l3embed.store.entries import Entry, Store
from l3embed.variants import ImageVariant

FILES = (ROWS_FILE, RESULTS_FILE, MEANS_FILE)

OF_THE_INPUT = ("path", "media", "location", "start_s", "end_s", "label", "fold")
"""Columns of results that are an input's own, whatever its bytes."""

OnInput: TypeAlias = "Callable[[], object]"
"""Is told that one more input is done."""


class PartWriting:
    """A part that is being written: its inputs in their order, wherever their rows come from."""

    def __init__(self, job: PartJob, work: PartWork, store: Store, on_input: OnInput) -> None:
        self.job, self._work, self._store, self._on_input = job, work, store, on_input
        self._waiting = iter(job.task.inputs)
        self._computed = 0
        paths = {name: store.path(job.recipe, name) for name in FILES}
        self._writer = PartWriter(paths, work.made_with, RowLayout(dtype=work.dtype))

    def __enter__(self) -> PartWriting:
        with self._store.explaining_disk_errors():
            self._writer.__enter__()
        return self

    def __exit__(self, *fault: Any) -> None:
        with self._store.explaining_disk_errors():
            try:
                if fault[0] is None:
                    self._copy_until(None)
            except BaseException as error:
                self._writer.__exit__(type(error), error, error.__traceback__)
                raise
            self._writer.__exit__(*fault)
        for part in self.job.old_parts:
            part.close()

    def put(self) -> Entry:
        """Take the part, which is written, into the store."""
        results, part = self._writer.results, self.job.recipe.key
        failed = sum(not each.result.is_ok for each in results)
        again = sum(bool(each.row_key) and not each.result.is_ok for each in results)
        facts = {
            "inputs": len(results),
            "computed": self._computed,
            "failed": failed,
            "failed_in_reading": again,
            "embedded": sum(each.has_embeddings for each in results),
            "frames": self._writer.rows,
        }
        entry = self._store.put(self.job.recipe, FILES, facts)
        self._store.rows.keep(part, [each.row_key for each in results if each.result.is_ok])
        return entry

    def add(self, todo: Todo, spool: RowSpool, runtime: str) -> None:
        """Take in an input whose rows were computed, after those in front of it."""
        mean = self._mean(todo, spool)  # first, since it is the last that may find fault with the input
        times_s = self._times_s(todo, spool.rows)
        self._copy_until(todo.planned)
        self._add(self._computed_result(todo, spool.rows, runtime), _blocks(spool, times_s), mean)
        self._computed += 1

    def add_failed(self, todo: Todo, reason: str) -> None:
        """Take in an input that has failed, after those in front of it."""
        self._copy_until(todo.planned)
        self._fail(todo.planned, reason)

    def _add(self, result: PackedResult, blocks: Iterator[Block], mean: npt.NDArray[np.float32]) -> None:
        if result.has_embeddings:
            self._writer.add(result, blocks, mean)
        else:
            self._writer.add_without_rows(result)
        self._on_input()

    def _fail(self, planned: PlannedInput, reason: str) -> None:
        result = self._blank(planned)
        failed = replace(result, result=result.result.failed(reason))
        check_failure(failed.result, self._work.on_error)
        self._writer.add_without_rows(failed)
        self._on_input()

    def _copy_until(self, end: PlannedInput | None) -> None:
        """Take in the inputs in front of one whose rows the store has, and those that were never readable."""
        for planned in self._waiting:
            if planned is end:
                return
            if planned.fault:
                self._fail(planned, planned.fault)
                continue
            key = self.job.keys[planned.path]
            part = self.job.old[key]
            each, _ = part.results[key]
            blank = self._blank(planned)
            own = {name: getattr(blank.result, name) for name in OF_THE_INPUT}
            result = replace(each.result, **own)
            mean = part.mean(key) if each.has_embeddings else np.empty(0, np.float32)
            self._add(replace(blank, result=result, seconds=each.seconds), part.blocks(key), mean)

    def _blank(self, planned: PlannedInput) -> PackedResult:
        part = self.job.task.part
        result = blank_result(planned.path, part.modality, planned.input, planned.sha256)
        result = replace(result, label=planned.label.label, fold=planned.label.fold)
        key = self.job.keys.get(planned.path, "")
        return PackedResult(result, part.number, row_key=key)

    def _computed_result(self, todo: Todo, rows: int, runtime: str) -> PackedResult:
        blank = self._blank(todo.planned)
        facts = todo.source.findings.facts() if todo.source else {}
        known: dict[str, Any] = {name: facts[name] for name in ("duration_s", "sample_rate_hz", "channels")}
        dimension = self._work.network.variant.embedding_size if rows else 0
        known |= {"sha256": todo.sha256, "frames": rows, "dimension": dimension, "runtime": runtime}
        result = replace(blank.result, **known)
        for kind, words in doubts(facts):
            result = result.doubted(kind, words)
        return replace(blank, result=result, seconds=round(todo.seconds, 4))

    def _mean(self, todo: Todo, spool: RowSpool) -> npt.NDArray[np.float32]:
        """Return the mean of the rows, all of which the files' type must hold."""
        moments = StreamingMoments()
        row = ManifestRow(todo.planned.path, "")
        for rows in spool.blocks() if spool.rows else ():
            moments.add(rows)
            narrowed(row, rows, np.dtype(self._work.dtype.value))
        return moments.mean.astype(np.float32) if spool.rows else np.empty(0, np.float32)

    def _times_s(self, todo: Todo, rows: int) -> npt.NDArray[np.float64]:
        if not isinstance(self._work.network.variant, ImageVariant):
            return self._work.network.framing.timestamps_s(rows)
        times_s = todo.source.findings.frame_times_s if todo.source else None
        if times_s is None:
            return np.full(rows, np.nan)
        if len(times_s) != rows:
            raise OpenL3Error(f"It has {rows} frames, and the times of {len(times_s)}.")
        return times_s


def _blocks(spool: RowSpool, times_s: npt.NDArray[np.float64]) -> Iterator[Block]:
    done = 0
    for rows in spool.blocks():
        end = done + len(rows)
        yield np.arange(done, end), times_s[done:end], rows
        done = end

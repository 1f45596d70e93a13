"""The inputs of a part into its files: what an engine has done wherever there is a worker.

`compute_part` is that: its arguments can be pickled, and a store's folder is all that workers share.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from l3embed.decoding.reading import Reading
from l3embed.disk.folders import FolderError
from l3embed.disk.rows import RowSpool
from l3embed.errors import OpenL3Error, source_faults
from l3embed.export.formats import Dtype, RowLayout
from l3embed.export.manifest import ManifestRow
from l3embed.export.moments import StreamingMoments
from l3embed.export.parquet import narrowed
from l3embed.inputs.findings import doubts
from l3embed.inputs.media import SourceFile
from l3embed.inputs.preparation import Sound, row_parameters
from l3embed.models.running import Network
from l3embed.runtimes.base import Placement
from l3embed.runtimes.batching import Piece, embed_sources
from l3embed.runtimes.processor import available_threads
from l3embed.runtimes.saving import save_each
from l3embed.stages.network import ChosenNetwork
from l3embed.stages.packed_inputs import direct_inputs, file_state
from l3embed.stages.part_files import (
    MEANS_FILE,
    RESULTS_FILE,
    ROWS_FILE,
    Block,
    OldPart,
    PackedResult,
    PartWriter,
    read_results,
)
from l3embed.stages.plan import PartId, PlannedInput
from l3embed.stages.results import OnError, Result, check_failure
from l3embed.store.code import all_versions, recipe_of
from l3embed.store.digests import Digests
from l3embed.store.entries import DIGESTS_FILE, Entry, Store
from l3embed.store.recipe import Recipe, Step
from l3embed.store.reuse import Computed, resolve
from l3embed.variants import ImageVariant, Media

FILES = (ROWS_FILE, RESULTS_FILE, MEANS_FILE)

OnInput: TypeAlias = "Callable[[], object]"
"""Is told that one more input is done."""


@dataclass(frozen=True)
class PartTask:
    """One part to compute: its inputs, sorted by path."""

    part: PartId
    inputs: tuple[PlannedInput, ...]


@dataclass(frozen=True)
class PartWork:
    """What is the same for all parts of one network: it can be pickled.

    Parameters
    ----------
    dataset : Path
        The folder of the inputs.
    network : ChosenNetwork
        Which network, with which weights.
    sound : Samples or Spectrograms
        What sound is made into first.
    reading : Reading
        How files are read.
    placement : Placement
        Where the network runs.
    batch_size : int
        Items that go through it at once.
    dtype : Dtype
        The type of the embeddings in the files.
    on_error : OnError
        What an input that fails leads to.
    """

    dataset: Path
    network: ChosenNetwork
    sound: Sound
    reading: Reading
    placement: Placement
    batch_size: int
    dtype: Dtype = Dtype.FLOAT32
    on_error: OnError = OnError.SKIP

    @cached_property
    def _bases(self) -> dict[Media, str]:
        """What decides about the rows of an input, besides its bytes, by its kind."""
        modality = self.network.variant.weight_set.modality
        always = {**self.network.parameters, "dtype": self.dtype.value}
        always["on_damage"] = self.reading.on_damage.value
        return {
            media: recipe_of(
                Step.PACK, "", row_parameters((media, modality), self.sound, self.reading) | always
            ).key
            for media in Media
        }

    def row_key(self, planned: PlannedInput) -> str:
        """Return by what the rows of an input are known, whatever part they are in; its name is not in it."""
        words = f"{self._bases[planned.input.media]} {planned.sha256}"
        return hashlib.sha256(words.encode()).hexdigest()

    def recipe(self, task: PartTask) -> Recipe:
        """Return all that decides about the files of a part."""
        digest = hashlib.sha256()
        for planned in task.inputs:
            words = (planned.path, planned.fault or self.row_key(planned), vars(planned.label))
            digest.update(f"{json.dumps(words)}\n".encode())
        parameters = {"modality": task.part.modality.value, "part": task.part.number}
        return recipe_of(Step.PACK, digest.hexdigest(), parameters | {"dtype": self.dtype.value})

    @property
    def made_with(self) -> ManifestRow:
        """What the manifest says of all rows alike."""
        variant, origin = self.network.variant, self.network.origin
        return ManifestRow(
            path="",
            modality=variant.weight_set.modality.value,
            dimension=variant.embedding_size,
            variant=origin.variant,
            weights=origin.weights,
            packages=all_versions(),
        )


def compute_part(task: PartTask, work: PartWork, store_folder: Path) -> str:
    """Find or compute one part, and return its key in a store: the whole of an engine's task.

    Several processes may be given the same part: one computes it, and the others wait. What is left of a
    killed one is done again.

    Raises
    ------
    OpenL3Error
        If the weights are damaged or the network cannot run here.
    OSError
        If the store cannot be written to.
    """
    with Store(store_folder) as store:
        recipes = {task.part: work.recipe(task)}

        def compute(parts: Iterator[PartId]) -> Iterator[Computed[PartId]]:
            return compute_parts((task for _ in parts), recipes, work, store)

        (outcome,) = resolve(store, recipes, compute)
        if isinstance(outcome.result, OpenL3Error):
            raise outcome.result
        return outcome.result.key


def compute_parts(
    tasks: Iterator[PartTask],
    recipes: dict[PartId, Recipe],
    work: PartWork,
    store: Store,
    on_input: OnInput = lambda: None,
) -> Iterator[Computed[PartId]]:
    """Compute parts one after the other, batches running across them, and put them into a store.

    Rows that any part of the store holds already are taken from there. Where that is all, the network is not
    loaded.
    """
    for task in tasks:
        job = _Job(task, recipes[task.part], work, store)
        if not job.todo:
            with _Writing(job, work, store, on_input) as writing:
                pass
            yield task.part, writing.put()
            continue
        yield from _stream(job, tasks, recipes, (work, store), on_input)


def can_be_computed(task: PartTask, entry: Entry, work: PartWork, store: Store) -> bool:
    """Try those inputs of a finished part again that failed; tell whether any does not any more."""
    failed = {
        each.result.path for each in read_results(entry.files[RESULTS_FILE]) if not each.result.is_ok
    }
    again = [planned for planned in task.inputs if planned.path in failed and not planned.fault]
    if not again:
        return False
    loaded = work.network.load(work.placement)
    todo = [_Todo(planned) for planned in again]
    sources = ((one, _inputs(one, work, loaded, None)) for one in todo)
    workers = available_threads(work.placement.threads)
    pieces = embed_sources(loaded.embedder, sources, work.batch_size, workers)
    return any(piece.is_last and piece.error is None for piece in pieces)


@dataclass(eq=False)
class _Todo:
    """One input on its way through the network."""

    planned: PlannedInput
    source: SourceFile | None = None
    seconds: float = 0.0


@dataclass(eq=False)
class _Begin:
    """Comes among the inputs where a part begins."""

    job: _Job


_Key: TypeAlias = "_Todo | _Begin"


class _Job:
    """A part of which it is known what the store has of it."""

    def __init__(self, task: PartTask, recipe: Recipe, work: PartWork, store: Store) -> None:
        self.task, self.recipe = task, recipe
        self.keys = {planned.path: work.row_key(planned) for planned in task.inputs if not planned.fault}
        found = store.rows.find(list(self.keys.values()))
        entries = {part: store.entry(Step.PACK, part) for part in sorted(set(found.values()))}
        self.old_parts = [OldPart(entry) for entry in entries.values() if entry]
        self.old = {key: part for part in self.old_parts for key in part.results}
        self.todo = [
            _Todo(planned)
            for planned in task.inputs
            if not planned.fault and self.keys[planned.path] not in self.old
        ]


def _stream(
    first: _Job,
    tasks: Iterator[PartTask],
    recipes: dict[PartId, Recipe],
    means: tuple[PartWork, Store],
    on_input: OnInput,
) -> Iterator[Computed[PartId]]:
    """Compute parts from one on that needs the network."""
    work, store = means
    loaded = work.network.load(work.placement)

    def sources() -> Iterator[tuple[_Key, Any]]:
        digests = Digests(store.folder / DIGESTS_FILE)  # a connection of this thread's own
        jobs = chain([first], (_Job(task, recipes[task.part], work, store) for task in tasks))
        for job in jobs:
            yield _Begin(job), ()
            for todo in job.todo:
                yield todo, _inputs(todo, work, loaded, digests)
        digests.close()

    workers = available_threads(work.placement.threads)
    pieces = _timed(embed_sources(loaded.embedder, sources(), work.batch_size, workers))
    folder = store.path(first.recipe, ROWS_FILE).parent
    writing: _Writing | None = None

    def save(key: _Key, spool: RowSpool) -> None:
        if isinstance(key, _Todo) and writing:
            writing.add(key, spool, loaded.embedder.runtime)

    with ExitStack() as current:
        for key, _, fault in save_each(pieces, lambda _: folder, save, lambda *_: None):
            if isinstance(fault, OSError):
                with store.explaining_disk_errors():
                    raise fault  # a full disk is no fault of the input
            if isinstance(key, _Begin):
                current.close()
                if writing:
                    yield writing.job.task.part, writing.put()
                writing = current.enter_context(_Writing(key.job, work, store, on_input))
            elif fault and writing:
                writing.add_failed(key, str(fault))
    if writing:
        yield writing.job.task.part, writing.put()


def _timed(pieces: Iterable[Piece[_Key]]) -> Iterator[Piece[_Key]]:
    for piece in pieces:
        if isinstance(piece.key, _Todo):
            piece.key.seconds += piece.seconds
        yield piece


def _inputs(todo: _Todo, work: PartWork, loaded: Network, digests: Digests | None) -> Iterator[Any]:
    """Read one file as what the network takes in; it must be as it was planned, before and after."""
    path = work.dataset / todo.planned.input.path
    state = file_state(path)
    with source_faults():
        if digests and digests.sha256(path) != todo.planned.sha256:
            raise OpenL3Error("The file changed since the run began. Run it again.")
    todo.source = SourceFile(path, todo.planned.input.media, work.reading)
    started_s = time.perf_counter()
    for block in direct_inputs(todo.source, work.sound, work.network, loaded):
        todo.seconds += time.perf_counter() - started_s
        yield block
        started_s = time.perf_counter()
    if file_state(path) != state:
        raise OpenL3Error("The file changed while it was being read. Run the stage again.")


class _Writing:
    """A part that is being written: its inputs in their order, wherever their rows come from."""

    def __init__(self, job: _Job, work: PartWork, store: Store, on_input: OnInput) -> None:
        self.job, self._work, self._store, self._on_input = job, work, store, on_input
        self._waiting = iter(job.task.inputs)
        self._computed = 0
        paths = {name: store.path(job.recipe, name) for name in FILES}
        self._writer = PartWriter(paths, work.made_with, RowLayout(dtype=work.dtype))

    def __enter__(self) -> _Writing:
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

    def add(self, todo: _Todo, spool: RowSpool, runtime: str) -> None:
        """Take in an input whose rows were computed, after those in front of it."""
        mean = self._mean(todo, spool)  # first, since it is the last that may find fault with the input
        times_s = self._times_s(todo, spool.rows)
        self._copy_until(todo.planned)
        self._add(self._computed_result(todo, spool.rows, runtime), _blocks(spool, times_s), mean)
        self._computed += 1

    def add_failed(self, todo: _Todo, reason: str) -> None:
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
            own = ("path", "modality", "media", "sha256")
            result = replace(each.result, **{name: getattr(blank.result, name) for name in own})
            mean = part.mean(key) if each.has_embeddings else np.empty(0, np.float32)
            self._add(replace(blank, result=result, seconds=each.seconds), part.blocks(key), mean)

    def _blank(self, planned: PlannedInput) -> PackedResult:
        part = self.job.task.part
        result = Result(planned.path, part.modality, planned.input.media, sha256=planned.sha256)
        key = self.job.keys.get(planned.path, "")
        return PackedResult(result, planned.label, part.number, row_key=key)

    def _computed_result(self, todo: _Todo, rows: int, runtime: str) -> PackedResult:
        blank = self._blank(todo.planned)
        facts = todo.source.findings.facts() if todo.source else {}
        known = {name: facts[name] for name in ("duration_s", "sample_rate_hz", "channels")}
        dimension = self._work.network.variant.embedding_size if rows else 0
        result = replace(blank.result, **known, frames=rows, dimension=dimension, runtime=runtime)
        for kind, words in doubts(facts):
            result = result.doubted(kind, words)
        return replace(blank, result=result, seconds=round(todo.seconds, 4))

    def _mean(self, todo: _Todo, spool: RowSpool) -> npt.NDArray[np.float32]:
        """Return the mean of the rows, all of which the files' type must hold."""
        moments = StreamingMoments()
        row = ManifestRow(todo.planned.path, "")
        for rows in spool.blocks() if spool.rows else ():
            moments.add(rows)
            narrowed(row, rows, np.dtype(self._work.dtype.value))
        return moments.mean.astype(np.float32) if spool.rows else np.empty(0, np.float32)

    def _times_s(self, todo: _Todo, rows: int) -> npt.NDArray[np.float64]:
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


Tasks = Sequence[PartTask]

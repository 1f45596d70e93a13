"""The inputs of a part into its files: what an engine has done wherever there is a worker.

`compute_part` is that: its arguments can be pickled, and a store's folder is all that workers share.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

from l3embed.disk.rows import RowSpool
from l3embed.errors import OpenL3Error, source_faults
from l3embed.inputs.media import SourceFile
from l3embed.listings.fetching import Opening
from l3embed.models.running import Network
from l3embed.runtimes.batching import Piece, embed_sources
from l3embed.runtimes.processor import available_threads
from l3embed.runtimes.saving import save_each
from l3embed.stages.dataset_input import Input
from l3embed.stages.input_digests import file_state
from l3embed.stages.opening import opened, opened_ahead
from l3embed.stages.packed.direct_inputs import direct_inputs
from l3embed.stages.packed.part_files import RESULTS_FILE, ROWS_FILE, read_results
from l3embed.stages.packed.part_work import PartJob, PartTask, PartWork, Todo
from l3embed.stages.packed.part_writing import OnInput, PartWriting
from l3embed.stages.packed.plan import PartId
from l3embed.stages.planning import section_of
from l3embed.store.digests import Digests
from l3embed.store.entries import DIGESTS_FILE, Entry, Store
from l3embed.store.recipe import Recipe
from l3embed.store.reuse import Computed, resolve
from l3embed.variants import Media

NOWHERE = Input("", Media.AUDIO)
"""In place of an input where there is none to open."""


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
    recipes: Mapping[PartId, Recipe],
    work: PartWork,
    store: Store,
    on_input: OnInput = lambda: None,
) -> Iterator[Computed[PartId]]:
    """Compute parts one after the other, batches running across them, and put them into a store.

    Rows that any part of the store holds already are taken from there. Where that is all, the network is not
    loaded.
    """
    for task in tasks:
        job = PartJob(task, recipes[task.part], work, store)
        if not job.todo:
            with PartWriting(job, work, store, on_input) as writing:
                pass
            yield task.part, writing.put()
            continue
        yield from _Stream(tasks, recipes, work, store).run(job, on_input)


def can_be_computed(task: PartTask, entry: Entry, work: PartWork, store: Store) -> bool:
    """Try those inputs of a finished part again that failed; tell whether any does not any more."""
    failed = {each.result.path for each in read_results(entry.files[RESULTS_FILE]) if not each.result.is_ok}
    again = [planned for planned in task.inputs if planned.path in failed and not planned.fault]
    if not again:
        return False
    loaded = work.network.load(work.placement)
    todo = [Todo(planned) for planned in again]
    files = ((one, opened(one.planned.input, work.dataset)) for one in todo)
    sources = ((one, _inputs(one, file, work, loaded, None)) for one, file in files)
    workers = available_threads(work.placement.threads)
    pieces = embed_sources(loaded.embedder, sources, work.batch_size, workers)
    return any(piece.is_last and piece.error is None for piece in pieces)


@dataclass(eq=False)
class _Begin:
    """Comes among the inputs where a part begins."""

    job: PartJob


_Key: TypeAlias = "Todo | _Begin"


class _Stream:
    """Parts from one on that needs the network, one after the other."""

    def __init__(
        self, tasks: Iterator[PartTask], recipes: Mapping[PartId, Recipe], work: PartWork, store: Store
    ) -> None:
        self._tasks, self._recipes, self._work, self._store = tasks, recipes, work, store
        self._loaded = work.network.load(work.placement)
        self._writing: PartWriting | None = None

    def run(self, first: PartJob, on_input: OnInput) -> Iterator[Computed[PartId]]:
        """Compute the parts; each is there when the next one begins."""
        embedder = self._loaded.embedder
        workers = available_threads(self._work.placement.threads)
        pieces = _timed(embed_sources(embedder, self._sources(first), self._work.batch_size, workers))
        folder = self._store.path(first.recipe, ROWS_FILE).parent
        with ExitStack() as current:
            for key, _, fault in save_each(pieces, lambda _: folder, self._save, lambda *_: None):
                if isinstance(fault, OSError):
                    with self._store.explaining_disk_errors():
                        raise fault  # a full disk is no fault of the input
                if isinstance(key, _Begin):
                    current.close()
                    yield from self._written()
                    writing = PartWriting(key.job, self._work, self._store, on_input)
                    self._writing = current.enter_context(writing)
                elif fault and self._writing:
                    self._writing.add_failed(key, str(fault))
        yield from self._written()

    def _written(self) -> Iterator[Computed[PartId]]:
        if self._writing:
            yield self._writing.job.task.part, self._writing.put()

    def _save(self, key: _Key, spool: RowSpool) -> None:
        if isinstance(key, Todo) and self._writing:
            self._writing.add(key, spool, self._loaded.embedder.runtime)

    def _sources(self, first: PartJob) -> Iterator[tuple[_Key, Any]]:
        digests = Digests(self._store.folder / DIGESTS_FILE)  # a connection of this thread's own
        for item, file in opened_ahead(self._items(first), self._work.dataset, _input_of):
            if isinstance(item, Todo):
                yield item, _inputs(item, file, self._work, self._loaded, digests)
            else:
                file.close()
                yield item, ()
        digests.close()

    def _items(self, first: PartJob) -> Iterator[_Key]:
        others = (PartJob(task, self._recipes[task.part], self._work, self._store) for task in self._tasks)
        for job in chain([first], others):
            yield _Begin(job)
            yield from job.todo


def _timed(pieces: Iterable[Piece[_Key]]) -> Iterator[Piece[_Key]]:
    for piece in pieces:
        if isinstance(piece.key, Todo):
            piece.key.seconds += piece.seconds
        yield piece


def _input_of(item: _Key) -> Input:
    return item.planned.input if isinstance(item, Todo) else NOWHERE


def _inputs(
    todo: Todo, file: Opening, work: PartWork, loaded: Network, digests: Digests | None
) -> Iterator[Any]:
    """Read one file as what the network takes in; it must be as it was planned, before and after."""
    planned = todo.planned
    with file as path:
        with source_faults():
            state = file_state(path)
            todo.sha256 = file.sha256 or (digests.sha256(path) if digests else planned.sha256)
            if planned.sha256 not in ("", todo.sha256):
                raise OpenL3Error("The file changed since the run began. Run it again.")
        todo.source = SourceFile(path, planned.input.media, work.reading, section=section_of(planned.input))
        started_s = time.perf_counter()
        for block in direct_inputs(todo.source, work.sound, work.network, loaded):
            todo.seconds += time.perf_counter() - started_s
            yield block
            started_s = time.perf_counter()
        with source_faults():
            if file_state(path) != state:
                raise OpenL3Error("The file changed while it was being read. Run the stage again.")

"""The inputs of a part into its files: what an engine has done wherever there is a worker.

`compute_part` is that: its arguments can be pickled, and a store's folder is all that workers share.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from l3embed.disk.rows import RowSpool
from l3embed.errors import OpenL3Error, source_faults
from l3embed.inputs.media import SourceFile
from l3embed.listings.fetching import Opening
from l3embed.models.running import Network
from l3embed.runtimes.base import Placement
from l3embed.runtimes.batching import Piece, embed_sources
from l3embed.runtimes.processor import available_threads
from l3embed.runtimes.saving import save_each
from l3embed.stages.dataset_input import Input
from l3embed.stages.input_digests import file_state
from l3embed.stages.network import ChosenNetwork
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

STREAM_INPUTS = 4_000
"""Inputs after which batches run across parts no more."""

KEPT_NETWORKS = 2
"""Networks that a worker keeps from one part to the next: each takes 100 to 200 MB."""


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
        computer = PartComputer(work, store, load=lambda: _kept_network(work.network, work.placement))
        (outcome,) = resolve(store, recipes, lambda parts: computer.compute((task for _ in parts), recipes))
        if isinstance(outcome.result, OpenL3Error):
            raise outcome.result
        return outcome.result.key


@lru_cache(maxsize=KEPT_NETWORKS)
def _kept_network(network: ChosenNetwork, placement: Placement) -> Network:
    return network.load(placement)


class PartComputer:
    """Computes parts one after the other, batches running across them.

    Parameters
    ----------
    work : PartWork
        What is the same for all of them.
    store : Store
        Where parts are put. Rows that any part there holds already are taken from it; where that is all, the
        network is not loaded.
    on_input : callable
        Is told that one more input is done.
    load : callable, optional
        Returns the network, if it is not this object's alone.
    """

    def __init__(
        self,
        work: PartWork,
        store: Store,
        on_input: OnInput = lambda: None,
        load: Callable[[], Network] | None = None,
    ) -> None:
        self._work, self._store, self._on_input = work, store, on_input
        self._load = load or cache(lambda: work.network.load(work.placement))

    def compute(
        self, tasks: Iterator[PartTask], recipes: Mapping[PartId, Recipe]
    ) -> Iterator[Computed[PartId]]:
        """Compute parts, and put them into the store; each is there when it is yielded."""
        for task in tasks:
            job = PartJob(task, recipes[task.part], self._work, self._store)
            if job.todo:
                others = (PartJob(each, recipes[each.part], self._work, self._store) for each in tasks)
                yield from _Stream(self._work, self._store, self._load()).run(job, others, self._on_input)
            else:
                with PartWriting(job, self._work, self._store, self._on_input) as writing:
                    pass
                yield task.part, writing.put()

    def can_be_computed(self, task: PartTask, entry: Entry) -> bool:
        """Try those inputs of a finished part again that failed; tell whether any does not any more."""
        results = read_results(entry.files[RESULTS_FILE])
        failed = {each.result.path for each in results if not each.result.is_ok}
        again = [planned for planned in task.inputs if planned.path in failed and not planned.fault]
        if not again:
            return False
        loaded, todo = self._load(), [Todo(planned) for planned in again]
        files = ((one, opened(one.planned.input, self._work.dataset)) for one in todo)
        sources = ((one, _inputs(one, file, self._work, loaded, None)) for one, file in files)
        workers = available_threads(self._work.placement.threads)
        pieces = embed_sources(loaded.embedder, sources, self._work.batch_size, workers)
        return any(piece.is_last and piece.error is None for piece in pieces)


@dataclass(eq=False)
class _Begin:
    """Comes among the inputs where a part begins."""

    job: PartJob


_Key: TypeAlias = "Todo | _Begin"


class _Stream:
    """Some parts from one on that needs the network, one after the other.

    It ends after some thousands of inputs: what is read ahead of the network would be all parts, if these had
    hardly anything to compute.
    """

    def __init__(self, work: PartWork, store: Store, loaded: Network) -> None:
        self._work, self._store, self._loaded = work, store, loaded
        self._writing: PartWriting | None = None

    def run(self, first: PartJob, others: Iterator[PartJob], on_input: OnInput) -> Iterator[Computed[PartId]]:
        """Compute the parts; each is there when the next one begins."""
        embedder = self._loaded.embedder
        workers = available_threads(self._work.placement.threads)
        pieces = _timed(embed_sources(embedder, self._sources(first, others), self._work.batch_size, workers))
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

    def _sources(self, first: PartJob, others: Iterator[PartJob]) -> Iterator[tuple[_Key, Any]]:
        digests = Digests(self._store.folder / DIGESTS_FILE)  # a connection of this thread's own
        for item, file in opened_ahead(_items(first, others), self._work.dataset, _input_of):
            if isinstance(item, Todo):
                yield item, _inputs(item, file, self._work, self._loaded, digests)
            else:
                file.close()
                yield item, ()
        digests.close()


def _items(first: PartJob, others: Iterator[PartJob]) -> Iterator[_Key]:
    inputs = 0
    job: PartJob | None = first
    while job:
        yield _Begin(job)
        yield from job.todo
        inputs += len(job.task.inputs)
        job = next(others, None) if inputs < STREAM_INPUTS else None


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

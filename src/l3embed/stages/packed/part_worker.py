"""Parts of a packed dataset computed in other processes, wherever an engine has some.

The store's folder is all that they share with this process.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from l3embed.engines.contract import BatchEngine
from l3embed.errors import OpenL3Error
from l3embed.models.running import Network
from l3embed.stages.packed.part_computing import PartComputer
from l3embed.stages.packed.part_work import PartTask, PartWork
from l3embed.stages.packed.plan import PartId
from l3embed.store.claims import POLL_S
from l3embed.store.entries import Entry, Store
from l3embed.store.identity import read_identity, store_identity
from l3embed.store.recipe import Recipe, Step
from l3embed.store.reuse import Computed, Outcome, resolve

BATCH_INPUTS = 32
"""Inputs of a batch: small parts go together up to so many, as the network's own batches run across them."""

BATCHES = 16
"""Into how many batches a small dataset is divided at least, if it has as many parts: for several workers."""

PATIENCE_S = 90.0
"""After which a file is taken for lost: disks of networks show others' files within a minute."""


@dataclass
class PartWorker:
    """Computes parts into the store: a `Worker`.

    Parameters
    ----------
    work : PartWork
        What is the same for all parts.
    store : Path
        The store's folder.
    store_name : str
        What the store calls itself.
    folder : Path
        The run's own, from which relative paths start.
    """

    work: PartWork
    store: Path
    store_name: str
    folder: Path
    _network: Network | None = field(default=None, init=False)

    def prepare(self, threads: int) -> None:
        """Go to the run's folder, and check that the store is the run's own."""
        if not self.folder.is_dir():
            raise OpenL3Error(
                f"{_host()} does not have the folder {self.folder}, in which the run was started."
            )
        os.chdir(self.folder)
        if read_identity(self.store) != self.store_name:
            raise OpenL3Error(
                f"{_host()} does not see the store of this run at {self.store}: what it computes would be "
                "lost. Set L3EMBED_STORE to a folder on a disk that all machines have at the same path."
            )
        placement = replace(self.work.placement, threads=self.work.placement.threads or threads)
        self.work = replace(self.work, placement=placement)

    def compute(self, tasks: Iterable[PartTask]) -> list[tuple[PartId, str]]:
        """Find or compute parts; return their keys in the store."""
        by_part = {task.part: task for task in tasks}
        recipes = {part: self.work.recipe(task) for part, task in by_part.items()}
        keys = {}
        with Store(self.store) as store:
            computer = PartComputer(self.work, store, load=self._kept_network)

            def compute(parts: Iterator[PartId]) -> Iterator[Computed[PartId]]:
                return computer.compute((by_part[part] for part in parts), recipes)

            for outcome in resolve(store, recipes, compute):
                if isinstance(outcome.result, OpenL3Error):
                    raise outcome.result
                keys[outcome.key] = outcome.result.key
        return [(part, keys[part]) for part in by_part]

    def _kept_network(self) -> Network:
        """Return the network, which is loaded once in a process, however many batches that is given."""
        if self._network is None:
            self._network = self.work.network.load(self.work.placement)
        return self._network


def resolve_elsewhere(
    engine: BatchEngine,
    recipes: Mapping[PartId, Recipe],
    task: Callable[[PartId], PartTask],
    work: PartWork,
    store: Store,
) -> Iterator[Outcome[PartId]]:
    """Find each part in the store, or have it computed by an engine; see `resolve`.

    Raises
    ------
    OpenL3Error
        If a worker is not of this run's code and packages, or its results do not come into this store.
    """
    missing = []
    for part, recipe in recipes.items():
        entry = store.find(recipe)
        if entry:
            yield Outcome(part, entry, was_computed=False)
        else:
            missing.append(part)
    worker = PartWorker(work, store.folder.absolute(), store_identity(store.folder), Path.cwd())
    for done in engine.compute(_batches(map(task, missing), len(missing)), worker):
        for part, key in done:
            if key != recipes[part].key:
                raise OpenL3Error(
                    "A worker has other versions of l3embed or of the packages that it computes with than "
                    "this process: its results would be other ones. Install the same on all machines."
                )
            yield Outcome(part, _arrived(store, key, part), was_computed=True)


def _arrived(store: Store, key: str, part: PartId) -> Entry:
    """Return what a worker has written; a network's disk may show it later to this machine."""
    patience_ends_s = time.monotonic() + PATIENCE_S
    while True:
        entry = store.entry(Step.PACK, key)
        if entry:
            return entry
        if time.monotonic() > patience_ends_s:
            raise OpenL3Error(
                f"A worker has computed part {part.number}, and it did not come into {store.folder}. Run it "
                "again; if that does not help, the disk shows machines different contents."
            )
        time.sleep(POLL_S)


def _batches(tasks: Iterable[PartTask], count: int) -> Iterator[list[PartTask]]:
    """Yield so many tasks in batches: one that is large, or several small ones."""
    most = max(1, count // BATCHES)
    held: list[PartTask] = []
    for task in tasks:
        held.append(task)
        if len(held) == most or sum(len(each.inputs) for each in held) >= BATCH_INPUTS:
            yield held
            held = []
    if held:
        yield held


def _host() -> str:
    import socket

    return f"The machine {socket.gethostname()}"

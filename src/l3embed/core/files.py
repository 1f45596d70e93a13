"""Files to ``.npz`` files: each whole or not at all, and none at the cost of another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from l3embed.core.outputs import refuse_shared_outputs
from l3embed.disk.rows import RowSpool
from l3embed.errors import FilesError
from l3embed.inputs.media import Medium
from l3embed.inputs.sound import Inputs
from l3embed.models.running import Network
from l3embed.progress import FileProgress, say
from l3embed.runtimes.batching import embed_sources
from l3embed.runtimes.saving import save_each


@dataclass(frozen=True)
class FileJob:
    """Which files to embed, and how.

    Parameters
    ----------
    outputs : dict[str, str]
        The output of each input.
    batch_size : int
        Items that go through the network at once.
    overwrite : bool
        Whether to compute what has an output already.
    verbose : bool
        Whether to say what is going on.
    """

    outputs: dict[str, str]
    batch_size: int
    overwrite: bool
    verbose: bool


class Loader(Protocol):
    """What loads a network when it is needed."""

    @property
    def workers(self) -> int:
        """Threads that prepare what the network takes in."""

    def load(self) -> Network:
        """Return the network, ready to run."""


def embed_files(job: FileJob, medium: Medium, loader: Loader) -> None:
    """Embed the files that need it; the model is loaded only if there is one.

    Raises
    ------
    OpenL3Error
        Before anything is done, if two inputs have one output, or the model cannot be had.
    FilesError
        At the end, if files failed.
    """
    refuse_shared_outputs(job.outputs.items())
    failures: dict[str, str] = {}
    todo = _inputs_to_do(job, failures)
    if todo:
        _embed(todo, job, medium, loader, failures)
    if failures:
        raise FilesError(failures, done=len(job.outputs) - len(failures))


def _inputs_to_do(job: FileJob, failures: dict[str, str]) -> list[str]:
    """Return the inputs without an output, or all; name what is missing before the model is loaded."""
    todo = []
    for source, target in job.outputs.items():
        if not Path(source).exists():
            failures[source] = "There is no such file."
        elif Path(target).exists() and not job.overwrite:
            if job.verbose:
                say(f"{target} exists: {source} is skipped (overwriting is off).")
        else:
            todo.append(source)
    return todo


def _embed(todo: list[str], job: FileJob, medium: Medium, loader: Loader, failures: dict[str, str]) -> None:
    network = loader.load()
    sources = ((path, _reading(medium, path, network)) for path in todo)

    def save(path: str, spool: RowSpool) -> None:
        others = {**medium.finish(path, spool.rows), **network.origin.arrays(network.embedder.runtime)}
        if spool.rows:  # a video without sound has no embeddings of it, which `finish` has warned of
            spool.save_npz(Path(job.outputs[path]), "embedding", others)

    with FileProgress(medium.description, len(todo), medium.unit, enabled=job.verbose) as progress:
        pieces = embed_sources(network.embedder, sources, job.batch_size, loader.workers)
        saved = save_each(pieces, lambda path: Path(job.outputs[path]).parent, save, progress.add)
        for path, _, fault in saved:
            if isinstance(fault, OSError):
                target = job.outputs[path]
                failures[path] = f"{target} could not be written: {fault.strerror or fault}."
            elif fault:
                failures[path] = str(fault)
            progress.file_done()


def _reading(medium: Medium, path: str, network: Network) -> Inputs:
    """Read a file only when its turn has come, so that what is wrong with it is its own affair."""
    yield from medium.inputs(path, network)

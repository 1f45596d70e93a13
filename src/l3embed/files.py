"""Files to ``.npz`` files: each whole or not at all, and none at the cost of another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from l3embed.audio import Inputs
from l3embed.errors import FilesError
from l3embed.media import Medium
from l3embed.models import ModelOrigin, model_origin
from l3embed.outputs import refuse_shared_outputs
from l3embed.progress import FileProgress, say
from l3embed.runtimes.base import Embedder
from l3embed.runtimes.batching import embed_sources
from l3embed.saving import RowSpool, save_each
from l3embed.version import __version__


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


class Network(Protocol):
    """A network that is loaded when it is needed."""

    def load_model(self) -> Any:
        """Return the Keras model."""

    def load_embedder(self) -> Embedder:
        """Return the model ready to run."""


def origin_arrays(origin: ModelOrigin) -> dict[str, str]:
    """Return what every file of embeddings says of its making, next to the embeddings."""
    return {"variant": origin.variant, "weights": origin.weights, "version": __version__}


def embed_files(job: FileJob, medium: Medium, network: Network) -> None:
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
        _embed(todo, job, medium, network, failures)
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


def _embed(todo: list[str], job: FileJob, medium: Medium, network: Network, failures: dict[str, str]) -> None:
    embedder = network.load_embedder()
    origin = model_origin(network.load_model())
    sources = ((path, _reading(medium, path, embedder.input_shape)) for path in todo)

    def save(path: str, spool: RowSpool) -> None:
        others = {**medium.finish(path, spool.rows), **origin_arrays(origin)}
        if spool.rows:  # a video without sound has no embeddings of it, which `finish` has warned of
            spool.save_npz(Path(job.outputs[path]), "embedding", others)

    with FileProgress(medium.description, len(todo), medium.unit, enabled=job.verbose) as progress:
        pieces = embed_sources(embedder, sources, job.batch_size)
        saved = save_each(pieces, lambda path: Path(job.outputs[path]).parent, save, progress.add)
        for path, _, fault in saved:
            if isinstance(fault, OSError):
                target = job.outputs[path]
                failures[path] = f"{target} could not be written: {fault.strerror or fault}."
            elif fault:
                failures[path] = str(fault)
            progress.file_done()


def _reading(medium: Medium, path: str, input_shape: tuple[int, ...]) -> Inputs:
    """Read a file only when its turn has come, so that what is wrong with it is its own affair."""
    yield from medium.inputs(path, input_shape)

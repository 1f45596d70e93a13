"""Files to ``.npz`` files: each whole or not at all, and none at the cost of another."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from l3embed import audio
from l3embed.audio import Inputs
from l3embed.decoding.image import read_image
from l3embed.errors import FilesError, OpenL3Warning
from l3embed.models import ModelOrigin, model_origin
from l3embed.outputs import refuse_shared_outputs
from l3embed.pixels import pixel_blocks
from l3embed.progress import FileProgress, say
from l3embed.runtimes.base import Embedder
from l3embed.runtimes.batching import embed_sources
from l3embed.saving import RowSpool, save_each
from l3embed.version import __version__
from l3embed.windows import Framing


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


class Medium(Protocol):
    """A kind of files: how they are read, and what is known of them when they have been."""

    @property
    def unit(self) -> str:
        """What the network's inputs are called."""

    def inputs(self, path: str, input_shape: tuple[int, ...]) -> Inputs:
        """Read a file as blocks of the network's inputs, ``(n, *input_shape)``."""

    def finish(self, path: str, rows: int) -> dict[str, Any]:
        """Warn of what was found in a file that was read, and return what is saved next to its embeddings."""


class Network(Protocol):
    """A network that is loaded when it is needed."""

    def load_model(self) -> Any:
        """Return the Keras model."""

    def load_embedder(self) -> Embedder:
        """Return the model ready to run."""


class AudioFiles:
    """Audio files, cut into windows."""

    unit = "windows"

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._heard: dict[str, audio.Heard] = {}

    def inputs(self, path: str, input_shape: tuple[int, ...]) -> Inputs:
        """Read a file as blocks of samples or spectrograms, whichever the model takes."""
        self._heard[path] = audio.Heard()
        mono = audio.file_mono_blocks(Path(path), self._heard[path])
        return audio.network_inputs(mono, self._framing, audio.prepare_for(input_shape))

    def finish(self, path: str, rows: int) -> dict[str, Any]:
        """Warn of silent and short audio, and return the timestamps."""
        self._heard.pop(path).warn(path)
        return {"timestamps": self._framing.timestamps_s(rows)}


class ImageFiles:
    """Image files."""

    unit = "images"

    def inputs(self, path: str, input_shape: tuple[int, ...]) -> Inputs:
        """Read a file as the network's pixels."""
        images = read_image(Path(path))
        if not images.any():
            warnings.warn(f"{path} is all black: all of its values are zero.", OpenL3Warning, stacklevel=2)
        return pixel_blocks(images)

    def finish(self, path: str, rows: int) -> dict[str, Any]:
        """Return nothing: an image has no times."""
        return {}


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
        spool.save_npz(Path(job.outputs[path]), "embedding", others)

    with FileProgress("Embedding", len(todo), medium.unit, enabled=job.verbose) as progress:
        pieces = embed_sources(embedder, sources, job.batch_size)
        saved = save_each(pieces, lambda path: Path(job.outputs[path]).parent, save, progress.add)
        for path, _, reason in saved:
            if reason:
                failures[path] = reason
            progress.file_done()


def _reading(medium: Medium, path: str, input_shape: tuple[int, ...]) -> Inputs:
    """Read a file only when its turn has come, so that what is wrong with it is its own affair."""
    yield from medium.inputs(path, input_shape)

"""Audio files to ``.npz`` files: each whole or not at all, and none at the cost of another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from l3embed import audio
from l3embed.errors import FilesError, OpenL3Error
from l3embed.models import ModelOrigin, model_origin
from l3embed.npz import RowSpool
from l3embed.outputs import refuse_shared_outputs
from l3embed.progress import progress_bar, say
from l3embed.runtimes.batching import Piece, embed_sources
from l3embed.runtimes.keras import keras_embedder
from l3embed.version import __version__
from l3embed.windows import Framing


@dataclass(frozen=True)
class FileJob:
    """Which files to embed, and how.

    Parameters
    ----------
    outputs : dict[str, str]
        The output of each input.
    framing : Framing
        How they are cut into windows.
    batch_size : int
        Windows that go through the network at once.
    overwrite : bool
        Whether to compute what has an output already.
    verbose : bool
        Whether to say what is going on.
    """

    outputs: dict[str, str]
    framing: Framing
    batch_size: int
    overwrite: bool
    verbose: bool


@dataclass
class _OpenFile:
    """A file whose embeddings are coming in."""

    heard: audio.Heard = field(default_factory=audio.Heard)
    spool: RowSpool | None = None


def origin_arrays(origin: ModelOrigin) -> dict[str, str]:
    """Return what every file of embeddings says of its making, next to the embeddings."""
    return {"variant": origin.variant, "weights": origin.weights, "version": __version__}


def embed_audio_files(job: FileJob, load_model: Callable[[], Any]) -> None:
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
        _embed(todo, job, load_model(), failures)
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


def _embed(todo: list[str], job: FileJob, model: Any, failures: dict[str, str]) -> None:
    embedder = keras_embedder(model)
    prepare = audio.prepare_for(embedder.input_shape)
    files = {source: _OpenFile() for source in todo}

    def sources() -> Iterator[tuple[str, audio.Inputs]]:
        for source in todo:
            mono = audio.file_mono_blocks(Path(source), files[source].heard)
            yield source, audio.network_inputs(mono, job.framing, prepare)

    with progress_bar("Embedding", total=len(todo), enabled=job.verbose) as bar:
        windows = 0
        for piece in embed_sources(embedder, sources(), job.batch_size):
            windows += len(piece.embeddings)
            bar.set_postfix_str(f"{windows} windows", refresh=False)
            try:
                _take(piece, files[piece.key], job, model_origin(model))
            except (OpenL3Error, OSError) as error:
                failures.setdefault(piece.key, _reason(error))
            if piece.is_last:
                files.pop(piece.key)
                bar.update()


def _take(piece: Piece[str], file: _OpenFile, job: FileJob, origin: ModelOrigin) -> None:
    """Keep a piece of a file's embeddings, and save the file's when it was the last."""
    if piece.error:
        _close(file)
        raise piece.error
    target = Path(job.outputs[piece.key])
    if file.spool is None:
        target.parent.mkdir(parents=True, exist_ok=True)
        file.spool = RowSpool(target.parent)
    try:
        file.spool.append(piece.embeddings)
        if piece.is_last:
            timestamps = job.framing.timestamps_s(file.spool.rows)
            file.spool.save_npz(target, "embedding", {"timestamps": timestamps, **origin_arrays(origin)})
            file.heard.warn(piece.key)
    finally:
        if piece.is_last:
            _close(file)


def _close(file: _OpenFile) -> None:
    if file.spool is not None:
        file.spool.__exit__(None, None, None)


def _reason(error: OpenL3Error | OSError) -> str:
    if isinstance(error, OpenL3Error):
        return str(error)
    return f"Its output could not be written: {error.strerror or error} ({os.fspath(error.filename or '')})."

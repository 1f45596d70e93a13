"""Audio files to ``.npz`` files: each whole or not at all, and none at the cost of another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l3embed import audio
from l3embed.errors import FilesError
from l3embed.models import ModelOrigin, model_origin
from l3embed.outputs import refuse_shared_outputs
from l3embed.progress import FileProgress, say
from l3embed.runtimes.batching import embed_sources
from l3embed.runtimes.keras import keras_embedder
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
    heard = {source: audio.Heard() for source in todo}

    def sources() -> Iterator[tuple[str, audio.Inputs]]:
        for source in todo:
            mono = audio.file_mono_blocks(Path(source), heard[source])
            yield source, audio.network_inputs(mono, job.framing, prepare)

    def save(source: str, spool: RowSpool) -> None:
        others = {"timestamps": job.framing.timestamps_s(spool.rows), **origin_arrays(model_origin(model))}
        spool.save_npz(Path(job.outputs[source]), "embedding", others)
        heard[source].warn(source)

    with FileProgress("Embedding", len(todo), "windows", enabled=job.verbose) as progress:
        pieces = embed_sources(embedder, sources(), job.batch_size)
        saved = save_each(pieces, lambda source: Path(job.outputs[source]).parent, save, progress.add)
        for source, _, reason in saved:
            if reason:
                failures[source] = reason
            progress.file_done()

"""Stage ``embed``: what was preprocessed through the network, one ``.npy`` of embeddings each."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from l3embed import audio
from l3embed.atomic import replacing
from l3embed.models import ModelOrigin, load_audio_variant, model_origin
from l3embed.progress import FileProgress
from l3embed.runtimes.base import Device, Embedder
from l3embed.runtimes.batching import embed_sources
from l3embed.runtimes.keras import keras_embedder, use_device
from l3embed.saving import RowSpool, save_each
from l3embed.stages.preprocess import preprocessed_path
from l3embed.stages.results import Result, name_failures, read_results, require_one, summarise, write_results
from l3embed.variants import SAMPLE_RATE_HZ, AudioVariant, Frontend
from l3embed.weights.source import WeightsDirectory
from l3embed.windows import Framing

ORIGIN_FILE = "origin.json"
BLOCK_ROWS = {Frontend.KAPRE: 10 * SAMPLE_RATE_HZ, Frontend.LIBROSA: 32}
"""Rows of a preprocessed file that are read at a time: samples, or spectrograms."""


@dataclass(frozen=True)
class EmbedOptions:
    """How to embed: what changes the result, and the device and batch size, which do not."""

    variant: AudioVariant
    framing: Framing
    device: Device
    batch_size: int


@dataclass(frozen=True)
class Origin:
    """What embeddings were computed with, for the stages after this one."""

    variant: str
    weights: str
    trained: bool
    hop_s: float
    center: bool


def run(preprocessed: Path, weights: Path, options: EmbedOptions, output: Path) -> str:
    """Embed all that was preprocessed, with the weights of a folder; return the stage's summary.

    Raises
    ------
    OpenL3Error
        If the weights or the device cannot be had.
    """
    device = use_device(options.device)
    model = load_audio_variant(options.variant, WeightsDirectory(weights))
    output.mkdir(parents=True, exist_ok=True)
    started_s = time.perf_counter()
    results = _embed(read_results(preprocessed), keras_embedder(model), options, (preprocessed, output))
    elapsed_s = time.perf_counter() - started_s
    require_one("embed", results)
    write_results(results, output)
    _write_origin(model_origin(model), options.framing, output)
    frames = sum(result.frames for result in results)
    return summarise(
        "embed", results, f"{frames} embeddings on the {device}, {frames / elapsed_s:.0f} a second"
    )


def read_origin(embeddings: Path) -> Origin:
    """Read what the embeddings of a folder were computed with."""
    return Origin(**json.loads((embeddings / ORIGIN_FILE).read_text(encoding="utf-8")))


def embeddings_path(folder: Path, recording: str) -> Path:
    """Return the file of one recording's embeddings, ``(T, D)``, in a stage's output folder."""
    return folder / f"{recording}.npy"


def _embed(
    results: list[Result], embedder: Embedder, options: EmbedOptions, folders: tuple[Path, Path]
) -> list[Result]:
    """Embed the recordings that were preprocessed, and return all results, brought up to date."""
    preprocessed, output = folders
    todo = {result.path: result for result in results if result.is_ok}
    sources = ((path, _inputs(preprocessed_path(preprocessed, path), options)) for path in todo)

    def save(path: str, spool: RowSpool) -> None:
        spool.save_npy(embeddings_path(output, path))

    with FileProgress("Embedding", len(todo), "embeddings") as progress:
        pieces = embed_sources(embedder, sources, options.batch_size)
        saved = save_each(pieces, lambda path: embeddings_path(output, path).parent, save, progress.add)
        for path, frames, reason in saved:
            todo[path] = todo[path].failed(reason) if reason else replace(todo[path], frames=frames)
            progress.file_done()
    name_failures("embed", todo.values())
    return [todo.get(result.path, result) for result in results]


def _inputs(path: Path, options: EmbedOptions) -> audio.Inputs:
    """Read a preprocessed file block by block, as what the network takes in."""
    rows = np.load(path, mmap_mode="r")
    step = BLOCK_ROWS[options.variant.frontend]
    blocks = (rows[start : start + step] for start in range(0, len(rows), step))
    if options.variant.frontend is Frontend.LIBROSA:
        return blocks
    return audio.network_inputs(blocks, options.framing, audio.as_samples)


def _write_origin(model: ModelOrigin, framing: Framing, output: Path) -> None:
    origin = Origin(model.variant, model.weights, model.trained, framing.hop_s, framing.center)
    with replacing(output / ORIGIN_FILE) as temporary:
        temporary.write_text(json.dumps(asdict(origin), indent=2) + "\n", encoding="utf-8")

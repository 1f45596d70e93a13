"""Stage ``embed``: what was preprocessed through the network, one ``.npy`` of embeddings each."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from l3embed import audio
from l3embed.models import load_variant, model_origin
from l3embed.progress import FileProgress
from l3embed.runtimes.base import Embedder
from l3embed.runtimes.batching import embed_sources
from l3embed.runtimes.keras import keras_embedder
from l3embed.saving import RowSpool, save_each
from l3embed.stages.origin import Origin, write_origin
from l3embed.stages.results import (
    Result,
    array_path,
    name_failures,
    read_blocks,
    read_results,
    require_one,
    summarise,
    write_results,
)
from l3embed.variants import SAMPLE_RATE_HZ, AudioVariant, Device, Frontend
from l3embed.weights.source import WeightsDirectory
from l3embed.windows import Framing

BLOCK_ROWS = {Frontend.KAPRE: 10 * SAMPLE_RATE_HZ, Frontend.LIBROSA: 32}
"""Rows of a preprocessed file that are read at a time: samples, or spectrograms."""


@dataclass(frozen=True)
class EmbedOptions:
    """How to embed: what changes the result, and the device and batch size, which do not."""

    variant: AudioVariant
    framing: Framing
    device: Device
    batch_size: int


def run(preprocessed: Path, weights: Path, options: EmbedOptions, output: Path) -> str:
    """Embed all that was preprocessed, with the weights of a folder; return the stage's summary.

    Raises
    ------
    OpenL3Error
        If the weights or the device cannot be had.
    """
    model = load_variant(options.variant, WeightsDirectory(weights))
    embedder = keras_embedder(model, options.device)
    output.mkdir(parents=True, exist_ok=True)
    started_s = time.perf_counter()
    results = _embed(read_results(preprocessed), embedder, options, (preprocessed, output))
    elapsed_s = time.perf_counter() - started_s
    require_one("embed", results)
    write_results(results, output)
    made_with, framing = model_origin(model), options.framing
    write_origin(
        Origin(made_with.variant, made_with.weights, made_with.trained, framing.hop_s, framing.center), output
    )
    frames = sum(result.frames for result in results)
    speed = f"{frames} embeddings on the {embedder.device}, {frames / elapsed_s:.0f} a second"
    return summarise("embed", results, speed)


def _embed(
    results: list[Result], embedder: Embedder, options: EmbedOptions, folders: tuple[Path, Path]
) -> list[Result]:
    """Embed the recordings that were preprocessed, and return all results, brought up to date."""
    preprocessed, output = folders
    todo = {result.path: result for result in results if result.is_ok}
    sources = ((path, _inputs(array_path(preprocessed, path), options)) for path in todo)

    def save(path: str, spool: RowSpool) -> None:
        spool.save_npy(array_path(output, path))

    with FileProgress("Embedding", len(todo), "embeddings") as progress:
        pieces = embed_sources(embedder, sources, options.batch_size)
        saved = save_each(pieces, lambda path: array_path(output, path).parent, save, progress.add)
        for path, frames, fault in saved:
            if isinstance(fault, OSError):
                raise fault  # a full disk is no fault of the recording, nor a result that DVC should keep
            todo[path] = todo[path].failed(str(fault)) if fault else replace(todo[path], frames=frames)
            progress.file_done()
    name_failures("embed", todo.values())
    return [todo.get(result.path, result) for result in results]


def _inputs(path: Path, options: EmbedOptions) -> audio.Inputs:
    """Read a preprocessed file block by block, as what the network takes in."""
    blocks = read_blocks(path, BLOCK_ROWS[options.variant.frontend])
    if options.variant.frontend is Frontend.LIBROSA:
        return blocks
    return audio.network_inputs(blocks, options.framing, audio.as_samples)

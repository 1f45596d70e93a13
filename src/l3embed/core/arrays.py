"""Embeddings of what is in memory, into arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.core.options import Request
from l3embed.inputs.sound import Inputs
from l3embed.progress import progress_bar
from l3embed.runtimes.base import Embedder
from l3embed.runtimes.batching import embed_sources

Array = npt.NDArray[Any]
Embedding = npt.NDArray[np.float32]
Timestamps = npt.NDArray[np.float64]


def embed_into_arrays(
    embedder: Embedder, counts: Sequence[int], inputs: Callable[[int], Inputs], request: Request, *, unit: str
) -> list[Embedding]:
    """Embed several sources, each into an array of its own.

    Parameters
    ----------
    embedder : Embedder
        The network.
    counts : sequence of int
        How many embeddings each source makes.
    inputs : callable
        Returns the blocks of the network's inputs of a source, by its index, when they are asked for.
    request : Request
        Batch size, and whether to draw a progress bar.
    unit : str
        What the network's inputs are called.

    Raises
    ------
    OpenL3Error
        What a source raises.
    """
    results: list[Embedding] = [np.empty((count, embedder.embedding_size), np.float32) for count in counts]
    filled = [0] * len(counts)
    sources = ((index, inputs(index)) for index in range(len(counts)))
    with progress_bar("Embedding", total=sum(counts), unit=unit, enabled=request.verbose) as bar:
        for piece in embed_sources(embedder, sources, request.batch_size, request.workers):
            if piece.error:
                raise piece.error
            start = filled[piece.key]
            filled[piece.key] += len(piece.embeddings)
            results[piece.key][start : filled[piece.key]] = piece.embeddings
            bar.update(len(piece.embeddings))
    return results

"""Sets of embeddings for tests: seeded, as arrays and as the files that l3embed writes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[Any]

MADE = {
    "variant": "audio_mel256_music_512_kapre",
    "weights": "random:7",
    "runtime": "openvino",
    "version": "0.1",
}


def frames(count: int, dimension: int = 8, seed: int = 0, shift: float = 0.0) -> Frames:
    """Correlated embeddings in float32; sets of one dimension differ by chance alone, and by the shift."""
    mixing = np.random.default_rng(99).normal(size=(dimension, dimension)) / dimension**0.5
    drawn = np.random.default_rng(seed).normal(size=(count, dimension))
    embeddings: Frames = (drawn @ mixing + shift).astype(np.float32)
    return embeddings


def write_npz(path: Path, embedding: Frames, hop_s: float = 0.5, **others: Any) -> Path:
    """A file of embeddings as ``l3embed audio`` writes it; an argument of None leaves that array out."""
    arrays = {**MADE, "timestamps": hop_s * np.arange(len(embedding)), **others}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path, embedding=embedding, **{name: value for name, value in arrays.items() if value is not None}
    )
    return path


def write_set(folder: Path, files: Iterable[Frames], **others: Any) -> Path:
    """A folder of such files: ``0.npz``, ``1.npz`` and so on."""
    for number, embedding in enumerate(files):
        write_npz(folder / f"{number}.npz", embedding, **others)
    return folder


def apart(embeddings: Frames, files: int) -> list[Frames]:
    """Embeddings shared out to files, in order."""
    return np.array_split(embeddings, files)

"""Three recordings, as the stages hand their embeddings to what writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from l3embed.export import parquet
from l3embed.export.formats import Embedded
from l3embed.export.manifest import ManifestRow

DIMENSION = 8
MADE_WITH: dict[str, Any] = {
    "variant": "audio_mel256_music_512_kapre",
    "weights": "random:7",
    "packages": "keras 3.1, numpy 2",
}
FACTS: dict[str, Any] = {"dimension": DIMENSION, **MADE_WITH}
INPUTS = [
    ManifestRow("bells/a.wav", "audio", "bells", "1", "00ff", duration_s=2.5, frames=5, **FACTS),
    ManifestRow("rain/Глава 日本.flac", "audio", "rain", "2", "11ee", duration_s=20.0, frames=40, **FACTS),
    ManifestRow("loose.ogg", "audio", "", "", "22dd", duration_s=0.1, frames=1, **FACTS),
]
EMBEDDINGS = [
    np.random.default_rng(number).normal(1, 2, (row.frames, DIMENSION)).astype(np.float32)
    for number, row in enumerate(INPUTS)
]
AUDIO = "parquet/audio"
PARTS = f"{AUDIO}/part-*.parquet"

Array = npt.NDArray[Any]
One = Callable[..., list[Embedded]]


def embedded(folder: Path, row: ManifestRow, embeddings: Array, times_s: Array | None = None) -> Embedded:
    """An input as the stages hand it over."""
    number = len(list(folder.glob("*.npz")))
    item = Embedded(row, folder / f"{number}.npz", folder / f"{number}.npy")
    times = {} if times_s is None else {"timestamps": times_s}
    np.savez(item.embeddings, embedding=embeddings, **times)  # type: ignore[arg-type]
    if len(embeddings):
        exact = embeddings.astype(np.float64)
        np.save(item.moments, [exact.mean(axis=0), exact.std(axis=0)])
    return item


@pytest.fixture
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[Embedded]:
    """Three recordings."""
    folder = tmp_path_factory.mktemp("inputs")
    return [
        embedded(folder, row, embeddings, 0.5 * np.arange(len(embeddings)))
        for row, embeddings in zip(INPUTS, EMBEDDINGS, strict=True)
    ]


@pytest.fixture
def one(tmp_path_factory: pytest.TempPathFactory) -> One:
    """Makes a single input."""
    folder = tmp_path_factory.mktemp("one")
    return lambda *arguments: [embedded(folder, *arguments)]


def read(folder: Path, name: str = "audio") -> dict[str, list[Any]]:
    import pyarrow.dataset

    content: dict[str, list[Any]] = pyarrow.dataset.dataset(folder / "parquet" / name).to_table().to_pydict()
    return content


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups of 7 frames in float32, parts of 2 groups."""
    monkeypatch.setattr(parquet, "GROUP_BYTES", 7 * DIMENSION * 4 + 3)
    monkeypatch.setattr(parquet, "PART_GROUPS", 2)

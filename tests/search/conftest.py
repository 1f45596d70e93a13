"""Small folders of embeddings to search: exports as the pipeline writes them, and ``.npz`` files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from l3embed.export.formats import Embedded, RowLayout, Rows, format_writer
from l3embed.export.manifest import ManifestRow, mean_path, write_manifest, write_packed_manifest
from l3embed.variants import Modality

Array = npt.NDArray[Any]

DIMENSION = 12
HOP_S = 0.5
VARIANT = "audio_mel128_music_512_kapre"
WEIGHTS = "random:7"


def frames_of(files: int, seed: int = 0) -> list[Array]:
    """Embeddings of files with 3 to 6 frames, which share a large part, as those of one network do."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(3, 7, files)
    return [(30 + rng.normal(size=(count, DIMENSION))).astype(np.float32) for count in counts]


def rows_of(frames: Sequence[Array], labels: Sequence[str] | None = None, **facts: Any) -> list[ManifestRow]:
    """The manifest's rows: ``00.wav``, ``01.wav``, ..., of half a second each frame."""
    labels = labels or [""] * len(frames)
    common: dict[str, Any] = {"modality": "audio", "variant": VARIANT, "weights": WEIGHTS}
    facts = common | {"sample_rate_hz": 48_000.0} | facts
    return [
        ManifestRow(
            path=f"{number:02}.wav",
            label=label,
            frames=len(each),
            dimension=DIMENSION,
            duration_s=HOP_S * len(each),
            output=f"{number:02}.npz",
            **facts,
        )
        for number, (each, label) in enumerate(zip(frames, labels, strict=True))
    ]


def write_npz(path: Path, embeddings: Array, **others: Any) -> None:
    """An ``.npz`` as l3embed writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {"timestamps": HOP_S * np.arange(len(embeddings)), "variant": VARIANT}
    np.savez(path, embedding=embeddings, **(arrays | {"weights": WEIGHTS} | others))


def write_export(
    folder: Path, frames: Sequence[Array], rows: Sequence[ManifestRow] | None = None, formats: str = "npz"
) -> Path:
    """An export of sounds in one format: ``npz``, ``parquet``, ``parquet files``, or ``packed``."""
    rows = rows_of(frames) if rows is None else rows
    folder.mkdir(parents=True, exist_ok=True)
    for row, each in zip(rows, frames, strict=True):
        write_npz(folder / row.output, each)
    if formats.startswith(("parquet", "packed")):
        _write_parquet(folder, rows, Rows.FILES if formats.endswith("files") else Rows.FRAMES)
        rows = [ManifestRow(**{**vars(row), "output": ""}) for row in rows]
    if formats == "packed":
        (part,) = (folder / "parquet" / "audio").glob("*.parquet")
        named = part.relative_to(folder).as_posix()
        write_packed_manifest(folder, [ManifestRow(**{**vars(row), "output": named}) for row in rows])
    else:
        write_manifest(folder, rows)
    means = np.array([each.mean(axis=0, dtype=np.float64) for each in frames], np.float32)
    np.save(mean_path(folder, Modality(rows[0].modality)), means)
    return folder


def _write_parquet(folder: Path, rows: Sequence[ManifestRow], kind: Rows) -> None:
    items = []
    for row in rows:
        path = folder / row.output
        exact = np.load(path)["embedding"].astype(np.float64)
        np.save(path.with_suffix(".npy"), [exact.mean(axis=0), exact.std(axis=0)])
        items.append(Embedded(row, path, path.with_suffix(".npy")))
    format_writer("parquet")(folder, items, RowLayout(kind))
    for item in items:
        item.embeddings.unlink()
        item.moments.unlink()


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Indices that cannot lie beside their folders go where the test ends."""
    monkeypatch.setenv("L3EMBED_CACHE", str(tmp_path / "cache"))


def centred_cosines(vectors: Array, query: Array) -> Array:
    """The measure as it is told in words, in plain NumPy and double precision."""
    exact = vectors.astype(np.float64)
    centre = exact.mean(axis=0)
    others, own = exact - centre, query.astype(np.float64) - centre
    cosines: Array = others @ own / np.linalg.norm(others, axis=1) / np.linalg.norm(own)
    return cosines

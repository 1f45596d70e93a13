"""An export that is whole but for its card, of embeddings that were made up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from l3embed.disk.checksums import sha256
from l3embed.export import parquet
from l3embed.export.card.card_facts import Making, Weights
from l3embed.export.card.card_writing import write_card
from l3embed.export.card.study import Study
from l3embed.export.doubts import Doubt, write_doubts
from l3embed.export.formats import Embedded, RowLayout
from l3embed.export.manifest import ManifestRow, mean_path, write_manifest, write_mean_index
from l3embed.variants import DoubtKind, Modality

from .conftest import EMBEDDINGS, INPUTS, embedded

RANDOM = "random:7"
STUDY = Study("Bells and rain")
MAKING = Making(
    hop_s=0.5,
    center=True,
    code={"embed": "c0de"},
    doubts={DoubtKind.SILENT: 1},
    weights={modality: Weights(RANDOM, trained=False) for modality in Modality},
)
PICTURES = np.random.default_rng(9).normal(size=(2, 4)).astype(np.float32)
"""Of another dimension, as pictures' embeddings are."""

FAILED = ManifestRow("rain/cut|short.wav", "audio", status="failed", reason="It is <cut> short.")


def exported(folder: Path, layout: RowLayout = RowLayout(), **changes: Any) -> Path:  # noqa: B008 (it is frozen)
    """Write sounds, a picture and a failed sound as the stage does; changes are of the sounds' rows."""
    export, scratch = folder / "export", folder / "scratch"
    scratch.mkdir(parents=True)
    export.mkdir()
    made: dict[str, Any] = {"precision": "float32", "runtime": "ncnn", **changes}
    items = [
        embedded(scratch, replace(row, **made), numbers, 0.5 * np.arange(row.frames))
        for row, numbers in zip(INPUTS, EMBEDDINGS, strict=True)
    ]
    picture = ManifestRow(
        "video.mp4",
        "image",
        frames=2,
        dimension=4,
        variant="image_mel256_music_512",
        weights=RANDOM,
        precision="float32",
        runtime="ncnn",
        packages="numpy 2",
    )
    items.append(embedded(scratch, picture, PICTURES, np.array([0.0, 0.1])))
    parquet.write(export, items, layout)
    write_manifest(export, [*(item.row for item in items), FAILED])
    write_doubts(export, [Doubt("loose.ogg", Modality.AUDIO, "", DoubtKind.SILENT, "is silent")])
    for modality in Modality:
        _write_means(export, modality, [item for item in items if item.row.modality == modality.value])
    return export


def _write_means(export: Path, modality: Modality, items: list[Embedded]) -> None:
    means = np.stack([np.load(item.moments)[0] for item in items]).astype(np.float32)
    np.save(mean_path(export, modality), means)
    write_mean_index(export, modality, [item.row for item in items])


def carded(export: Path, study: Study = STUDY, making: Making = MAKING) -> Path:
    """Write an export's card, and return its folder."""
    write_card(export, study, making, sha256)
    return export

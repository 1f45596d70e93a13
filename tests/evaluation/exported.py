"""Exports as the pipeline writes them, without the pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l3embed.export.manifest import ManifestRow, mean_path, write_manifest
from l3embed.variants import Modality


def file_rows(
    labels: Sequence[str],
    *,
    contents: Sequence[object] | None = None,
    folds: Sequence[str] | None = None,
    modality: Modality = Modality.AUDIO,
) -> list[ManifestRow]:
    """One row a label; files with the same content are copies."""
    return [
        ManifestRow(
            path=f"{number:03}.wav",
            modality=modality.value,
            label=label,
            fold=folds[number] if folds else "",
            sha256=f"sha of {contents[number] if contents else number}",
        )
        for number, label in enumerate(labels)
    ]


def write_export(
    folder: Path,
    rows: Sequence[ManifestRow],
    means: npt.ArrayLike,
    modality: Modality = Modality.AUDIO,
) -> Path:
    """The manifest and the means of one modality."""
    folder.mkdir(parents=True, exist_ok=True)
    write_manifest(folder, rows)
    np.save(mean_path(folder, modality), np.asarray(means, np.float32))
    return folder

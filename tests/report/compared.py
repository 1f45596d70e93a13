"""Runs to compare, made up: exports whose neighbours are known by hand, and evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.disk.json_files import write_json
from l3embed.disk.seals import seal
from l3embed.disk.tables import write_csv, write_rows
from l3embed.evaluation.evaluation import Prediction
from l3embed.evaluation.file_format import METRICS_FILE, classes_path, predictions_path
from l3embed.export.doubts import Doubt, write_doubts
from l3embed.export.manifest import ManifestRow, mean_path, write_manifest
from l3embed.report.compared_runs import read_run
from l3embed.report.comparison import Comparison, compare_runs
from l3embed.variants import Modality

AUDIO = Modality.AUDIO

GROUPED = ("0.wav", "1.wav", "2.wav", "3.wav", "4.wav", "5.wav", "6.wav", "7.wav")
"""Eight files, so that three neighbours of each are looked at: the others of a group of four."""


def sound_row(path: str, label: str = "", **values: Any) -> ManifestRow:
    """A recording whose bytes nobody else has, unless told otherwise."""
    row = ManifestRow(path, "audio", label, sha256=f"sha of {path}", frames=1)
    return replace(row, variant="audio_mel128_music_512_kapre", weights="random:1", **values)


def sound_rows(paths: Sequence[str] = GROUPED) -> list[ManifestRow]:
    return [sound_row(path) for path in paths]


def in_groups(first: str, dimension: int = 2) -> npt.NDArray[np.float32]:
    """Embeddings of `GROUPED`: those named, by their digits, in one direction, and the others in another.

    Within a group all lie a little apart.
    """
    degrees = [(0 if str(number) in first else 90) + number for number in range(len(GROUPED))]
    vectors = np.zeros((len(GROUPED), dimension), np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return vectors


def write_run(
    folder: Path,
    rows: Sequence[ManifestRow],
    means: npt.ArrayLike | Mapping[Modality, npt.ArrayLike],
    doubts: Sequence[Doubt] | None = (),
) -> Path:
    """A run's folder, with what the stage ``export`` seals; without a list of doubts if that is None."""
    export = folder / "export"
    export.mkdir(parents=True, exist_ok=True)
    write_manifest(export, rows)
    for modality, own in (means if isinstance(means, Mapping) else {AUDIO: means}).items():
        np.save(mean_path(export, modality), np.asarray(own, np.float32))
        seal(mean_path(export, modality))
    if doubts is not None:
        write_doubts(export, doubts)
    return folder


def write_evaluation(
    folder: Path,
    predictions: Mapping[str, tuple[str, str]],
    classes: Sequence[tuple[str, int, float, float, float]],
    accuracy: float,
    unit: str = "file",
) -> None:
    """What was evaluated of sounds: path to (actual, predicted), rows of classes, and one figure."""
    evaluation = folder / "evaluation"
    evaluation.mkdir(exist_ok=True)
    rows = [Prediction(path, *words, fold="0", confidence=1.0) for path, words in predictions.items()]
    write_rows(predictions_path(evaluation, AUDIO), Prediction, rows)
    write_csv(classes_path(evaluation, AUDIO), ("label", "files", "recall", "precision", "f1"), classes)
    write_json(evaluation / METRICS_FILE, {"audio": {"linear_probe": {"accuracy": accuracy}, "unit": unit}})


def compared(a: Path, b: Path, **options: Any) -> Comparison:
    return compare_runs(read_run(a), read_run(b), **options)

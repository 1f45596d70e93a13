"""The files of an evaluation, which the stage writes, and the report, sweeps and DVC's plots read.

``metrics.json`` has each modality's figures, or the reason why there are none; two tables a modality have
what the linear probe took each file for, and how well it told each class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from math import nan
from pathlib import Path
from typing import Any

from l3embed.disk.json_files import read_whole_object
from l3embed.disk.seals import is_sealed, reading, seal
from l3embed.disk.tables import Row, column_names, read_rows, write_csv, write_rows
from l3embed.evaluation.classifiers import Classifier
from l3embed.evaluation.evaluation import FILE, Evaluation, Prediction
from l3embed.evaluation.reference_figures import (
    ReferenceDistances,
    distances_content,
    parse_distances,
)
from l3embed.evaluation.scores import ClassScore, Measure, Score, Scores, chances
from l3embed.variants import Modality

METRICS_FILE = "metrics.json"
STAGE = "evaluate"
"""Which stage writes all of it."""

ENDS = ("", "_low", "_high")
"""What follows a measure's name: for its value, and both ends of its interval."""

DISTANCES = "distances"
"""The key of the distances to a reference, in a modality's figures."""

DECIMALS = 6
"""Of the figures in the files, which are shares."""

HEADLINE = {
    "accuracy": (Classifier.LINEAR_PROBE, Measure.ACCURACY),
    "macro_f1": (Classifier.LINEAR_PROBE, Measure.MACRO_F1),
    "knn_accuracy": (Classifier.KNN, Measure.ACCURACY),
}
"""The few figures by which runs are compared."""


@dataclass(frozen=True)
class Figures:
    """What ``metrics.json`` says of one modality, as far as it does.

    Parameters
    ----------
    reason : str
        Why nothing was evaluated; empty if something was.
    scores : mapping of (Classifier, Measure) to Score
        What was reached.
    chances : mapping of Measure to float
        What always naming the largest class reaches.
    notes : tuple of str
        What the user should know: classes left out, copies, conflicts, ...
    unit : str
        What was predicted: ``file`` or ``window``.
    distances : ReferenceDistances or None
        How far the files are from a reference, if there is one.
    """

    reason: str = ""
    scores: Scores = field(default_factory=dict)
    chances: Mapping[Measure, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unit: str = FILE
    distances: ReferenceDistances | None = None


def predictions_path(folder: Path, modality: Modality) -> Path:
    """Return the table of what each file was taken for."""
    return folder / f"{modality.value}_predictions.csv"


def classes_path(folder: Path, modality: Modality) -> Path:
    """Return the table of how well each class was told."""
    return folder / f"{modality.value}_classes.csv"


def write_tables(folder: Path, evaluations: Mapping[Modality, Evaluation]) -> None:
    """Write both tables of each modality; without rows, where nothing was evaluated."""
    for modality, found in evaluations.items():
        write_rows(predictions_path(folder, modality), Prediction, found.predictions)
        probe = found.performances.get(Classifier.LINEAR_PROBE)
        rows = (map(_rounded, astuple(score)) for score in (probe.classes if probe else ()))
        write_csv(classes_path(folder, modality), column_names(ClassScore), rows)
        seal(predictions_path(folder, modality), classes_path(folder, modality))


Distances = Mapping[Modality, ReferenceDistances]
"""Of each modality that a reference has."""


def metrics_content(evaluations: Mapping[Modality, Evaluation], distances: Distances) -> dict[str, Any]:
    """Return what ``metrics.json`` holds."""
    return {
        modality.value: _content(found)
        | ({DISTANCES: distances_content(distances[modality])} if modality in distances else {})
        for modality, found in evaluations.items()
    }


def headlines(evaluations: Mapping[Modality, Evaluation], distances: Distances) -> dict[str, Any]:
    """Return the few figures of each modality that was evaluated, for DVC to compare experiments by."""
    found: dict[str, dict[str, Any]] = {}
    for modality, evaluation in evaluations.items():
        scores = {} if evaluation.reason else evaluation.scores
        figures = {name: scores[key].value for name, key in HEADLINE.items() if key in scores}
        if modality in distances:
            figures |= distances[modality].of_all
        if figures:
            found[modality.value] = {name: _rounded(figure) for name, figure in figures.items()}
    return found


def read_figures(folder: Path) -> dict[Modality, Figures]:
    """Read the figures of each modality that ``metrics.json`` knows; none if it is not there.

    Raises
    ------
    OpenL3Error
        If it is not as the stage has written it, as for the tables.
    """
    path = folder / METRICS_FILE
    if _is_missing(path):
        return {}
    with reading(path, STAGE):
        content = read_whole_object(path)
        return {modality: _parse(content[modality.value]) for modality in Modality if modality in content}


def read_predictions(folder: Path, modality: Modality) -> list[Prediction]:
    """Read what each file was taken for; nothing if the table is not there."""
    return _read_table(predictions_path(folder, modality), Prediction)


def read_classes(folder: Path, modality: Modality) -> list[ClassScore]:
    """Read how well each class was told; nothing if the table is not there."""
    return _read_table(classes_path(folder, modality), ClassScore)


def _read_table(path: Path, kind: type[Row]) -> list[Row]:
    if _is_missing(path):
        return []
    with reading(path, STAGE):
        return read_rows(path, kind)


def _is_missing(path: Path) -> bool:
    """Tell whether there never was such a file."""
    return not path.exists() and not is_sealed(path)


def _content(found: Evaluation) -> dict[str, Any]:
    if found.reason:
        return {"files": found.files, "reason": found.reason, "notes": list(found.notes)}
    content: dict[str, Any] = {
        "files": found.files,
        "classes": len(found.labels),
        "folds": found.folds,
        "chance": _rounded(found.chance),
        "notes": list(found.notes),
    }
    if found.unit != FILE:
        content["unit"] = found.unit
    for (kind, measure), score in found.scores.items():
        figures = {f"{measure.value}{end}": _rounded(x) for end, x in zip(ENDS, astuple(score), strict=True)}
        content.setdefault(kind.value, {}).update(figures)
    return content


def _parse(content: Mapping[str, Any]) -> Figures:
    scores = {
        (kind, measure): Score(*(float(found.get(f"{measure.value}{end}", nan)) for end in ENDS))
        for kind in Classifier
        for measure in Measure
        if measure.value in (found := content.get(kind.value, {}))
    }
    known = chances(content["chance"], content["classes"]) if "chance" in content else {}
    notes, unit = tuple(content.get("notes", ())), content.get("unit", FILE)
    distances = parse_distances(content[DISTANCES]) if DISTANCES in content else None
    return Figures(content.get("reason", ""), scores, known, notes, unit, distances)


def read_file_predictions(folder: Path) -> dict[Modality, list[Prediction]]:
    """Read what each file was taken for, of each modality; nothing where windows were predicted."""
    units = {modality: figures.unit for modality, figures in read_figures(folder).items()}
    return {
        modality: read_predictions(folder, modality) if units.get(modality, FILE) == FILE else []
        for modality in Modality
    }


def _rounded(figure: Any) -> Any:
    return round(figure, DECIMALS) if isinstance(figure, float) else figure

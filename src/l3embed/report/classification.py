"""How well labels can be read off the embeddings, as the evaluation found."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.report.overview import read_figures
from l3embed.variants import Modality

CLASSIFIERS = {"linear_probe": "Linear probe", "knn": "Nearest neighbours"}
"""As the evaluation names them, and as the page does."""

MEASURES = {"accuracy": "accuracy", "macro_f1": "macro F1"}
MOST_MATRIX_CLASSES = 60
"""From here on a confusion matrix cannot be read on a page."""

MOST_CONFUSIONS = 10

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Score:
    """One figure with its interval, and what is reached without looking: from 0 to 1."""

    classifier: str
    measure: str
    value: float
    low: float | None
    high: float | None
    chance: float | None


@dataclass(frozen=True)
class ClassScore:
    """How well one class was told from the others."""

    label: str
    files: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Confusion:
    """Files of one class that were taken for another, of all files of the class."""

    actual: str
    predicted: str
    count: int
    files: int


@dataclass(frozen=True)
class Classification:
    """What the evaluation says of one modality.

    Parameters
    ----------
    modality : Modality
        Which network's embeddings.
    reason : str
        Why nothing was evaluated; empty if something was.
    scores : tuple of Score
        Of each classifier, by each measure.
    labels : tuple of str
        The classes, in the order of the matrix.
    matrix : tuple of tuple of int
        Files of each actual class (row) by predicted class (column).
    classes : tuple of ClassScore
        In the same order.
    confusions : tuple of Confusion
        The most frequent ones.
    """

    modality: Modality
    reason: str
    scores: tuple[Score, ...] = ()
    labels: tuple[str, ...] = ()
    matrix: tuple[tuple[int, ...], ...] = ()
    classes: tuple[ClassScore, ...] = ()
    confusions: tuple[Confusion, ...] = ()

    @property
    def files(self) -> int:
        """Files that were predicted."""
        return sum(map(sum, self.matrix))


def classifications(evaluation: Path) -> list[Classification]:
    """Return what the evaluation says of each modality that it knows; nothing if it was never run."""
    figures = read_figures(evaluation / "metrics.json")
    return [
        _classification(modality, figures[modality.value], evaluation)
        for modality in Modality
        if isinstance(figures.get(modality.value), dict)
    ]


def _classification(modality: Modality, figures: dict[str, Any], evaluation: Path) -> Classification:
    pairs = _read_pairs(evaluation / f"{modality.value}_predictions.csv")
    if not pairs:
        return Classification(modality, str(figures.get("reason") or "there are no predictions"))
    labels = sorted({label for pair in pairs for label in pair})
    places = {label: place for place, label in enumerate(labels)}
    matrix = np.zeros((len(labels), len(labels)), np.int64)
    for (actual, predicted), count in Counter(pairs).items():
        matrix[places[actual], places[predicted]] = count
    return Classification(
        modality=modality,
        reason="",
        scores=tuple(_scores(figures, matrix)),
        labels=tuple(labels),
        matrix=tuple(map(tuple, matrix.tolist())),
        classes=tuple(_class_scores(labels, matrix)),
        confusions=tuple(_confusions(labels, matrix)),
    )


def _read_pairs(path: Path) -> list[tuple[str, str]]:
    """Return the actual and the predicted class of each file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [(row["actual"], row["predicted"]) for row in csv.DictReader(file)]


def _class_scores(labels: Sequence[str], matrix: Counts) -> Iterator[ClassScore]:
    """Yield the figures of each class; those that nothing was divided by are 0."""
    right, files, taken = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    precisions, recalls = right / np.maximum(taken, 1), right / np.maximum(files, 1)
    f1s = 2 * right / np.maximum(files + taken, 1)
    columns = (files, precisions, recalls, f1s)
    yield from map(ClassScore, labels, *(column.tolist() for column in columns))


def _scores(figures: dict[str, Any], matrix: Counts) -> Iterator[Score]:
    """Yield what the metrics hold, next to what always naming the largest class reaches."""
    files = matrix.sum(axis=1)
    largest = float(files.max() / files.sum())
    classes = int(np.count_nonzero(files))
    chances = {"accuracy": largest, "macro_f1": 2 * largest / (1 + largest) / classes}
    for key, name in CLASSIFIERS.items():
        found = figures.get(key)
        for measure, words in MEASURES.items():
            if isinstance(found, dict) and isinstance(found.get(measure), int | float):
                low, high = found.get(f"{measure}_low"), found.get(f"{measure}_high")
                yield Score(name, words, found[measure], low, high, chances[measure])


def _confusions(labels: Sequence[str], matrix: Counts) -> list[Confusion]:
    counts, files = matrix.copy(), matrix.sum(axis=1)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:MOST_CONFUSIONS]
    places = zip(*np.unravel_index(order, counts.shape), strict=True)
    return [
        Confusion(labels[row], labels[column], int(counts[row, column]), int(files[row]))
        for row, column in places
        if counts[row, column]
    ]

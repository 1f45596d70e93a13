"""The page's section on classification: how well labels can be read off, as the evaluation found."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l3embed.evaluation.classifiers import Classifier
from l3embed.evaluation.evaluation import FILE
from l3embed.evaluation.file_format import Figures, read_classes, read_figures, read_predictions
from l3embed.evaluation.scores import ClassScore, Measure, Score
from l3embed.variants import Modality

CLASSIFIERS = {Classifier.LINEAR_PROBE: "Linear probe", Classifier.KNN: "Nearest neighbours"}
MEASURES = {Measure.ACCURACY: "accuracy", Measure.MACRO_F1: "macro F1"}
MOST_MATRIX_CLASSES = 60
"""From here on a confusion matrix cannot be read on a page."""

MOST_CONFUSIONS = 10

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ScoreLine:
    """A classifier's score by a measure, in the page's words, and what is reached without looking."""

    classifier: str
    measure: str
    score: Score
    chance: float | None


@dataclass(frozen=True)
class Confusion:
    """Files of one class that were taken for another, of all files of the class."""

    actual: str
    predicted: str
    count: int
    files: int


@dataclass(frozen=True)
class Classification:
    """What the evaluation says of one modality, or the reason why it says nothing."""

    modality: Modality
    reason: str
    scores: tuple[ScoreLine, ...] = ()
    labels: tuple[str, ...] = ()
    matrix: tuple[tuple[int, ...], ...] = ()  # files of each actual class (row) by predicted class (column)
    classes: tuple[ClassScore, ...] = ()  # by the linear probe; none if the evaluation does not tell
    confusions: tuple[Confusion, ...] = ()  # the most frequent ones
    notes: tuple[str, ...] = ()  # sentences without a full stop: what was left out, copies, conflicts
    unit: str = FILE  # what was predicted: files, or windows

    @property
    def are_files(self) -> bool:
        """Whether files were predicted, which a cell of the matrix can list."""
        return self.unit == FILE

    @property
    def files(self) -> int:
        """Files that were predicted."""
        return sum(map(sum, self.matrix))


def classifications(evaluation: Path) -> list[Classification]:
    """Return what the evaluation says of each modality that it knows; nothing if it was never run."""
    found = read_figures(evaluation)
    return [_classification(modality, figures, evaluation) for modality, figures in found.items()]


def _classification(modality: Modality, figures: Figures, evaluation: Path) -> Classification:
    from sklearn.metrics import confusion_matrix

    predictions = read_predictions(evaluation, modality)
    if not predictions:
        return Classification(modality, figures.reason or "there are no predictions", notes=figures.notes)
    actual, predicted = zip(*((row.actual, row.predicted) for row in predictions), strict=True)
    labels = sorted({*actual, *predicted})
    matrix: Counts = confusion_matrix(actual, predicted, labels=labels)
    return Classification(
        modality=modality,
        reason="",
        scores=tuple(
            ScoreLine(CLASSIFIERS[kind], MEASURES[measure], score, figures.chances.get(measure))
            for (kind, measure), score in figures.scores.items()
        ),
        labels=tuple(labels),
        matrix=tuple(map(tuple, matrix.tolist())),
        classes=tuple(read_classes(evaluation, modality)),
        confusions=tuple(_confusions(labels, matrix)),
        notes=figures.notes,
        unit=figures.unit,
    )


def _confusions(labels: list[str], matrix: Counts) -> list[Confusion]:
    counts, files = matrix.copy(), matrix.sum(axis=1)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:MOST_CONFUSIONS]
    places = zip(*np.unravel_index(order, counts.shape), strict=True)
    return [
        Confusion(labels[row], labels[column], int(counts[row, column]), int(files[row]))
        for row, column in places
        if counts[row, column]
    ]

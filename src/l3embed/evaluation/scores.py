"""How good predictions are, and how far that can be told from the files at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from l3embed.evaluation.classifiers import Classifier
from l3embed.evaluation.folds import Positions, Split

Floats = npt.NDArray[np.float64]
Numbers = Floats | Positions

LOW_PERCENT = 2.5
HIGH_PERCENT = 97.5
"""The interval is the middle 95 % of the resamples."""

RESAMPLES_AT_ONCE = 100
"""Keeps the weights of 10,000 files at 8 MB."""


class Measure(str, Enum):
    """What tells how good predictions are; the values are names in the metrics."""

    ACCURACY = "accuracy"
    MACRO_F1 = "macro_f1"


@dataclass(frozen=True)
class Score:
    """A figure from 0 to 1, and its 95 % interval: NaN if it is not known."""

    value: float
    low: float
    high: float

    @property
    def has_interval(self) -> bool:
        """Whether the interval is known."""
        return self.low <= self.high


Scores: TypeAlias = Mapping[tuple[Classifier, Measure], Score]


@dataclass(frozen=True)
class ClassScore:
    """How well one class was told from the others; precision is 0 if nothing was taken for it."""

    label: str
    files: int
    recall: float
    precision: float
    f1: float


@dataclass(frozen=True)
class Performance:
    """What a classifier made of files that it had not learnt from.

    Parameters
    ----------
    predicted : array of int
        Class of each file, (N,): positions among the labels.
    confusion : array of int
        Files of each actual class (row) that were taken for each class (column).
    accuracy : Score
        Share of the files whose class was predicted.
    macro_f1 : Score
        Mean of the classes' F1.
    classes : tuple of ClassScore
        In the order of the labels.
    """

    predicted: Positions
    confusion: Positions
    accuracy: Score
    macro_f1: Score
    classes: tuple[ClassScore, ...]


def score_predictions(split: Split, predicted: Positions, resamples: int, seed: int) -> Performance:
    """Measure predictions, with percentile bootstrap intervals.

    Whole groups of copies are drawn with replacement, since copies say the same thing twice. The intervals
    hold for these trained classifiers and other such files; that other files would also have trained
    other classifiers is not in them. Where all predictions are right, so they are in each resample, and the
    interval has no width.

    Parameters
    ----------
    split : Split
        The files and their classes.
    predicted : array of int
        Class of each file, (N,): positions in the split's labels.
    resamples : int
        How many to draw.
    seed : int
        Which ones.
    """
    size = len(split.labels)
    confusion = np.bincount(split.actual * size + predicted, minlength=size * size).reshape(size, size)
    hits, files, taken = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    accuracies, macro_f1s = _resampled(split, predicted, resamples, seed)
    f1 = _f1(hits, files, taken)
    rows = zip(split.labels, files, hits / files, hits / np.maximum(taken, 1), f1, strict=True)
    return Performance(
        predicted=predicted,
        confusion=confusion,
        accuracy=_score(hits.sum() / files.sum(), accuracies),
        macro_f1=_score(f1.mean(), macro_f1s),
        classes=tuple(ClassScore(label, int(count), *map(float, figures)) for label, count, *figures in rows),
    )


def chances(largest: float, classes: int) -> dict[Measure, float]:
    """Return what always naming the largest class reaches, by that class's share of the files.

    It finds the whole class, by as much precision as the share, and nothing of the others.
    """
    return {Measure.ACCURACY: largest, Measure.MACRO_F1: 2 * largest / (1 + largest) / classes}


def _f1(hits: Numbers, files: Numbers, taken: Numbers) -> Floats:
    """Return the harmonic mean of recall and precision; NaN where a class is neither actual nor predicted."""
    either: Floats = np.asarray(files + taken, np.float64)
    f1 = np.full(either.shape, np.nan)
    np.divide(2.0 * hits, either, out=f1, where=either > 0)
    return f1


def _score(value: float, resampled: Floats) -> Score:
    low, high = np.percentile(resampled, (LOW_PERCENT, HIGH_PERCENT))
    return Score(float(value), float(low), float(high))


def _resampled(split: Split, predicted: Positions, resamples: int, seed: int) -> tuple[Floats, Floats]:
    """Return accuracy and macro F1 of each resample, over the classes that are in it."""
    from scipy.sparse import csr_array

    shape = (int(split.groups.max()) + 1, len(split.labels))

    def count(classes: Positions, chosen: npt.NDArray[np.bool_] | slice = slice(None)) -> csr_array:
        """Count the files of each group (row) by class."""
        places = (split.groups[chosen], classes[chosen])
        return csr_array((np.ones(len(places[0])), places), shape=shape)

    counts = (count(split.actual, split.actual == predicted), count(split.actual), count(predicted))
    accuracies, macro_f1s = [], []
    for weights in _weights(shape[0], resamples, seed):
        hits, files, taken = (weights @ each for each in counts)
        accuracies.append(hits.sum(axis=1) / files.sum(axis=1))
        macro_f1s.append(np.nanmean(_f1(hits, files, taken), axis=1))
    return np.concatenate(accuracies), np.concatenate(macro_f1s)


def _weights(groups: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield how often each group is in each resample, (resamples, groups), some resamples at a time."""
    random = np.random.default_rng(seed)
    shares = np.full(groups, 1 / groups)
    for start in range(0, resamples, RESAMPLES_AT_ONCE):
        size = min(RESAMPLES_AT_ONCE, resamples - start)
        yield random.multinomial(groups, shares, size=size).astype(np.float64)

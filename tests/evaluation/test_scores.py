"""Scores of predictions, and how certain they are."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import f1_score

from l3embed.evaluation.folds import Folds, Split
from l3embed.evaluation.scores import Performance, score_predictions

RESAMPLES = 4000


def score(
    actual: list[int], predicted: list[int], *, groups: list[int] | None = None, resamples: int = RESAMPLES
) -> Performance:
    size = len(actual)
    labels = tuple("abcdef"[: max(actual) + 1])
    numbers = np.arange(size) if groups is None else np.array(groups)
    folds = Folds(("1",), np.zeros(size, np.intp))
    split = Split(np.arange(size), labels, np.array(actual), numbers, folds, ())
    return score_predictions(split, np.array(predicted), resamples, seed=0)


ACTUAL = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
PREDICTED = [0, 0, 0, 1, 1, 1, 0, 2, 1, 1]


def test_the_confusion_matrix_has_actual_classes_in_rows() -> None:
    assert score(ACTUAL, PREDICTED).confusion.tolist() == [[3, 1, 0], [1, 2, 0], [0, 2, 1]]


def test_classes_have_recall_precision_and_f1() -> None:
    found = [astuple(each) for each in score(ACTUAL, PREDICTED).classes]
    assert found == [
        ("a", 4, pytest.approx(3 / 4), pytest.approx(3 / 4), pytest.approx(3 / 4)),
        ("b", 3, pytest.approx(2 / 3), pytest.approx(2 / 5), pytest.approx(1 / 2)),
        ("c", 3, pytest.approx(1 / 3), pytest.approx(1), pytest.approx(1 / 2)),
    ]


def test_accuracy_and_macro_f1_are_those_of_all_files() -> None:
    found = score(ACTUAL, PREDICTED)
    assert found.accuracy.value == pytest.approx(6 / 10)
    assert found.macro_f1.value == pytest.approx((3 / 4 + 1 / 2 + 1 / 2) / 3)


@pytest.mark.filterwarnings("error")
def test_a_class_that_nothing_was_taken_for_scores_0() -> None:
    found = score([0, 0, 1, 1], [0, 0, 0, 0])
    assert astuple(found.classes[1]) == ("b", 2, 0.0, 0.0, 0.0)
    assert found.macro_f1.value == pytest.approx((2 / 3 + 0) / 2)


@pytest.mark.parametrize(("files", "right"), [(50, 40), (400, 220), (400, 392)])
def test_the_accuracys_interval_is_the_binomials(files: int, right: int) -> None:
    found = score([0, 1] * (files // 2), [0, 1] * (right // 2) + [1, 0] * ((files - right) // 2)).accuracy
    low, high = binom.ppf([0.025, 0.975], files, right / files) / files
    deviation = np.sqrt(right / files * (1 - right / files) / files)
    assert found.low == pytest.approx(low, abs=0.15 * deviation)
    assert found.high == pytest.approx(high, abs=0.15 * deviation)


def test_copies_do_not_make_a_score_more_certain() -> None:
    once = score([0, 1] * 20, [0, 1] * 14 + [1, 0] * 6).accuracy
    copied = score([0, 1] * 20 * 9, ([0, 1] * 14 + [1, 0] * 6) * 9, groups=list(range(40)) * 9).accuracy
    assert copied == once


def test_the_macro_f1s_interval_is_that_of_scored_resamples() -> None:
    """The rarest class is missing from some resamples, which are then scored without it."""
    random = np.random.default_rng(7)
    actual = random.choice(4, size=60, p=[0.55, 0.25, 0.17, 0.03])
    predicted = np.where(random.random(60) < 0.6, actual, random.integers(3, size=60))
    drawn = [random.integers(60, size=60) for _ in range(1000)]
    expected = np.percentile(
        [f1_score(actual[each], predicted[each], average="macro") for each in drawn], (2.5, 97.5)
    )
    found = score(actual.tolist(), predicted.tolist()).macro_f1
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.015)


def test_resamples_need_not_come_in_hundreds() -> None:
    found = score(ACTUAL, PREDICTED, resamples=1)
    assert found.accuracy.low == found.accuracy.high
    assert score(ACTUAL, PREDICTED, resamples=250).accuracy.low < 0.6

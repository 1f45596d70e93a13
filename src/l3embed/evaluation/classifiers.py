"""The two classifiers that an embedding is judged by: one that draws planes, one that looks at neighbours."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.evaluation.folds import Positions, Split

Floats = npt.NDArray[np.float64]

PROBE_STRENGTH = 10.0
"""Inverse strength of the probe's penalty, for standardised embeddings divided by the root of their length.

Dividing gives embeddings of 512 and 6144 numbers the same mean square, 1, so that neither length is favoured
by how strongly it is held back.
"""

PROBE_TOLERANCE = 1e-3
"""Largest slope of the mean loss at which the probe is trained: predictions do not change any more."""

PROBE_ITERATIONS = 1000
"""Far more than the penalty lets it need: 15 to 40."""


class Classifier(str, Enum):
    """What predicts classes from embeddings; the values are names in the metrics."""

    LINEAR_PROBE = "linear_probe"
    KNN = "knn"


def predict_held_out(
    kind: Classifier,
    embeddings: npt.NDArray[np.float32],
    split: Split,
    neighbours: int,
    after_fold: Callable[[], object],
) -> tuple[Positions, Floats]:
    """Predict each file's class by a classifier that was trained without the file's fold.

    Parameters
    ----------
    kind : Classifier
        Which one.
    embeddings : array of float32
        Of the files that take part, (N, D).
    split : Split
        Their classes and folds.
    neighbours : int
        How many neighbours the nearest ones are.
    after_fold : callable
        Called when a fold is done.

    Returns
    -------
    (array of int, array of float)
        What each file was taken for, (N,), and the probability that the classifier gave to that, (N,).
    """
    from threadpoolctl import threadpool_limits

    predicted, confidence = np.empty_like(split.actual), np.ones(len(split.actual))
    # The solver's many small products are no faster on several threads, and much slower next to other jobs.
    with threadpool_limits(1):
        for learnt, held_out in split.parts():
            classes = split.actual[learnt]
            # Where folds are few and classes share copies, one class may be all that there is to learn.
            if (classes == classes[0]).all():
                predicted[held_out] = classes[0]
            else:
                model = _model(kind, len(learnt), embeddings.shape[1], neighbours)
                probabilities = model.fit(embeddings[learnt], classes).predict_proba(embeddings[held_out])
                predicted[held_out] = model.classes_[probabilities.argmax(axis=1)]
                confidence[held_out] = probabilities.max(axis=1)
            after_fold()
    return predicted, confidence


def _model(kind: Classifier, files: int, dimension: int, neighbours: int) -> Any:
    """Return a classifier to train on a number of files, by which it also standardises."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if kind is Classifier.LINEAR_PROBE:
        # The division is left to the penalty: the same planes, in a third of the iterations.
        strength = PROBE_STRENGTH / dimension
        model = LogisticRegression(C=strength, tol=PROBE_TOLERANCE, max_iter=PROBE_ITERATIONS)
    else:
        # Near neighbours have more of a say, which also settles ties.
        count = min(neighbours, files)
        model = KNeighborsClassifier(count, weights="distance", metric="cosine", algorithm="brute")
    return make_pipeline(StandardScaler(), model)

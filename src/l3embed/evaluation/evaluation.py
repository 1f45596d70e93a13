"""How well the classes of a dataset can be told from its embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l3embed.evaluation.classifiers import Classifier, predict_held_out
from l3embed.evaluation.folds import FoldOptions, Split, Unsplit, split_files
from l3embed.evaluation.labelled_windows import labelled_windows
from l3embed.evaluation.mislabelled import notes_on_copies
from l3embed.evaluation.scores import Measure, Performance, Scores, score_predictions
from l3embed.export.manifest import ManifestRow, read_means
from l3embed.export.manifest_table import ManifestTable
from l3embed.export.sampling import MOST_FILES, draw
from l3embed.progress import progress_bar, say
from l3embed.variants import Modality, check_at_least

FILE, WINDOW = "file", "window"
"""What is predicted."""
MOST_NUMBERS = 10_000 * 6144
"""Numbers of packed embeddings that are evaluated on: 0.25 GB, which classifiers need ten times."""


LEAST = {"folds": 2, "min_class_files": 2, "neighbours": 1, "seed": 0}
"""The least that options may be, by their names."""


@dataclass(frozen=True)
class EvaluationOptions:
    """How to evaluate, by the names of the settings' group ``evaluation``.

    Parameters
    ----------
    folds : int
        Parts of the dataset, from 2 on, each of which is held out once; the labels' own folds go first.
    min_class_files : int or None
        Different files that a class needs, from 2 on; None: as many as there are folds, unless too many
        files would be left out.
    neighbours : int
        Files, from 1 on, that the nearest neighbours' classifier looks at.
    seed : int
        Which folds and which resamples.
    resamples : int
        Of the files, for the intervals.

    Raises
    ------
    OpenL3Error
        If a value is not allowed.
    """

    folds: int = 5
    min_class_files: int | None = None
    neighbours: int = 5
    seed: int = 0
    resamples: int = 1000

    def __post_init__(self) -> None:
        for name, least in LEAST.items():
            value = getattr(self, name)
            check_at_least(f"evaluation.{name}", least if value is None else value, least)


@dataclass(frozen=True)
class Prediction:
    """What the linear probe took a held-out file for, and the probability that it gave to that."""

    path: str
    actual: str
    predicted: str
    fold: str
    confidence: float


@dataclass(frozen=True)
class Evaluation:
    """What was found for one modality.

    Parameters
    ----------
    files : int
        Files that were predicted; if there is a reason, files that have embeddings.
    reason : str
        Why nothing was evaluated; empty if something was.
    labels : tuple of str
        The classes, sorted.
    folds : int
        How many there were.
    chance : float
        Accuracy of always naming the largest class.
    performances : mapping of Classifier to Performance
        Of each classifier.
    predictions : tuple of Prediction
        One a file, in the manifest's order.
    notes : tuple of str
        What the user should know, in sentences without a full stop: what was left out, copies, conflicts.
    unit : str
        What was predicted, ``file`` or ``window``: where parts of sounds have labels, each window is, and
        those of one file are held out together.
    """

    files: int
    reason: str = ""
    labels: tuple[str, ...] = ()
    folds: int = 0
    chance: float = 0.0
    performances: Mapping[Classifier, Performance] = field(default_factory=dict)
    predictions: tuple[Prediction, ...] = ()
    notes: tuple[str, ...] = ()
    unit: str = FILE

    @property
    def scores(self) -> Scores:
        """What each classifier reached, by each measure."""
        return {
            (kind, measure): getattr(found, measure.value)
            for kind, found in self.performances.items()
            for measure in Measure
        }


def evaluate(export: Path, options: EvaluationOptions) -> dict[Modality, Evaluation]:
    """Cross-validate a linear probe and nearest neighbours on the mean embeddings of an export.

    A file has one mean, so that its frames are never learnt from and predicted at once; copies of a file
    are held out together. What can't be evaluated has a reason in place of figures.

    Raises
    ------
    OpenL3Error
        If there is no export.
    """
    evaluations = {modality: _evaluate_modality(export, modality, options) for modality in Modality}
    for modality, found in evaluations.items():
        for note in found.notes:
            say(f"evaluate: {modality.value}: {note}")
    return evaluations


def _evaluate_modality(export: Path, modality: Modality, options: EvaluationOptions) -> Evaluation:
    rows, means, drawn = _drawn(*read_means(export, modality))
    windows = labelled_windows(export, rows) if modality is Modality.AUDIO else None
    if windows and windows.reason:
        return Evaluation(len(rows), windows.reason)
    if windows:
        found = _evaluated(modality, windows.rows, windows.embeddings, options, are_files=False)
        return replace(found, notes=(*windows.notes, *found.notes), unit=WINDOW)
    found = _evaluated(modality, rows, means, options)
    return replace(found, notes=(*drawn, *found.notes))


def _evaluated(
    modality: Modality,
    rows: Sequence[ManifestRow],
    means: npt.NDArray[np.float32],
    options: EvaluationOptions,
    *,
    are_files: bool = True,
) -> Evaluation:
    """Evaluate rows that have labels: files by their means, or windows, of which one file has several."""
    split = split_files(rows, FoldOptions(options.folds, options.min_class_files, options.seed))
    if isinstance(split, Unsplit):
        return Evaluation(len(rows), split.reason, notes=split.notes)
    embeddings = means[split.rows]
    is_finite = np.isfinite(embeddings).all(axis=1)
    if not is_finite.all():
        example = rows[split.rows[np.argmin(is_finite)]].path
        return Evaluation(len(rows), f"the embedding of {example} is not finite", notes=split.notes)
    performances, confidence = _measure(modality, embeddings, split, options)
    probe = performances[Classifier.LINEAR_PROBE]
    return Evaluation(
        files=len(split.rows),
        labels=split.labels,
        folds=len(split.folds.names),
        chance=float(np.bincount(split.actual).max() / len(split.actual)),
        performances=performances,
        predictions=_predictions(rows, split, probe, confidence),
        notes=(*split.notes, *(notes_on_copies(rows, split, probe.predicted) if are_files else ())),
    )


def _drawn(
    rows: Sequence[ManifestRow], means: npt.NDArray[np.float32]
) -> tuple[Sequence[ManifestRow], npt.NDArray[np.float32], tuple[str, ...]]:
    """Return the files to evaluate on: of a packed export not more than fit into memory, and a note then."""
    if not isinstance(rows, ManifestTable):
        return rows, means, ()
    sample = draw(rows, min(MOST_FILES, MOST_NUMBERS // max(1, means.shape[1])))
    notes = (f"evaluated on {sample.words}",) if sample.words else ()
    return sample.rows(rows), means[sample.places(rows)] if notes else means, notes


def _measure(
    modality: Modality, embeddings: npt.NDArray[np.float32], split: Split, options: EvaluationOptions
) -> tuple[dict[Classifier, Performance], npt.NDArray[np.float64]]:
    """Return what each classifier made of the files, and how sure the linear probe was of each."""
    performances, confidences = {}, {}
    fits = len(Classifier) * len(split.folds.names)
    with progress_bar(f"Evaluating {modality.value}", total=fits, unit="fit") as bar:
        for kind in Classifier:
            predicted, confidences[kind] = predict_held_out(
                kind, embeddings, split, options.neighbours, bar.update
            )
            performances[kind] = score_predictions(split, predicted, options.resamples, options.seed)
    return performances, confidences[Classifier.LINEAR_PROBE]


def _predictions(
    rows: Sequence[ManifestRow],
    split: Split,
    performance: Performance,
    confidence: npt.NDArray[np.float64],
) -> tuple[Prediction, ...]:
    columns = (split.rows, split.actual, performance.predicted, split.folds.numbers, confidence.round(4))
    return tuple(
        Prediction(
            rows[row].path,
            split.labels[actual],
            split.labels[predicted],
            split.folds.names[fold],
            float(sureness),
        )
        for row, actual, predicted, fold, sureness in zip(*columns, strict=True)
    )

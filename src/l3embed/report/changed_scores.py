"""What changed in how well classes can be told: figures, classes, and single files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from l3embed.evaluation.classifiers import Classifier
from l3embed.evaluation.evaluation import FILE, WINDOW, Prediction
from l3embed.evaluation.file_format import Figures, read_classes, read_figures, read_predictions
from l3embed.evaluation.labelled_windows import AT
from l3embed.evaluation.scores import ClassScore, Measure, Score
from l3embed.report.compared_runs import Run
from l3embed.report.file_matching import Pair
from l3embed.variants import Modality


@dataclass(frozen=True)
class ScoreChange:
    """What a classifier reached by a measure in each run; None where that was not evaluated."""

    classifier: Classifier
    measure: Measure
    a: Score | None
    b: Score | None

    @property
    def difference(self) -> float | None:
        """By how much the second run is better; None if that cannot be told."""
        return self.b.value - self.a.value if self.a and self.b else None


@dataclass(frozen=True)
class ClassChange:
    """How well the linear probe told one class in each run; None where there is no such class."""

    label: str
    a: ClassScore | None
    b: ClassScore | None

    @property
    def recall_difference(self) -> float | None:
        """By how much more of the class is found; None if that cannot be told."""
        return self.b.recall - self.a.recall if self.a and self.b else None

    @property
    def f1_difference(self) -> float | None:
        """By how much its F1 is higher; None if that cannot be told."""
        return self.b.f1 - self.a.f1 if self.a and self.b else None


@dataclass(frozen=True)
class Judgement:
    """What the linear probe took one file, or one window, for in each run."""

    a: Prediction
    b: Prediction

    @property
    def hits(self) -> tuple[bool, bool]:
        """Whether that was right, by the label that the file has in that run."""
        return self.a.actual == self.a.predicted, self.b.actual == self.b.predicted


@dataclass(frozen=True)
class ScoreChanges:
    """What changed in one modality.

    Parameters
    ----------
    reasons : (str, str)
        Why there are no figures of each run; empty if there are some.
    scores : tuple of ScoreChange
        By classifier and measure.
    classes : tuple of ClassChange
        By label; those whose F1 fell most first.
    judgements : tuple of Judgement
        Of the files, or windows, that were evaluated in both runs.
    units : (str, str)
        What was evaluated in each run, ``file`` or ``window``; the same for both, if one has no figures.
    """

    reasons: tuple[str, str]
    scores: tuple[ScoreChange, ...]
    classes: tuple[ClassChange, ...]
    judgements: tuple[Judgement, ...]
    units: tuple[str, str] = (FILE, FILE)

    @property
    def unit(self) -> str:
        """What was evaluated in both runs; nothing, if that was not the same."""
        a, b = self.units
        return a if a == b else ""

    def judged(self, *, a: bool, b: bool) -> list[Judgement]:
        """Return the files or windows that are right, or wrong, in each run."""
        return [each for each in self.judgements if each.hits == (a, b)]

    @property
    def chance(self) -> float | None:
        """How often files would part as unevenly as they did, or more, if both runs were equally good.

        That is McNemar's exact test; None if no file changed sides, and of windows, since those of one file
        are too much alike to count one by one.
        """
        if self.unit != FILE:
            return None
        lost, won = len(self.judged(a=True, b=False)), len(self.judged(a=False, b=True))
        if not lost + won:
            return None
        from scipy.stats import binomtest

        return float(binomtest(won, lost + won).pvalue)


def compare_scores(a: Run, b: Run, pairs: Sequence[Pair], modality: Modality) -> ScoreChanges:
    """Compare what was evaluated of one modality in two runs, as far as either was.

    Raises
    ------
    OpenL3Error
        If an evaluation is damaged.
    """
    figures = _figures(a, modality), _figures(b, modality)
    units = [each.unit for each in figures if each.scores] or [FILE]
    predictions = _predictions(a, modality), _predictions(b, modality)
    keys = [key for key in _all_scores() if any(key in each.scores for each in figures)]
    scores = tuple(ScoreChange(*key, *(each.scores.get(key) for each in figures)) for key in keys)
    return ScoreChanges(
        reasons=(figures[0].reason, figures[1].reason),
        scores=scores,
        classes=_class_changes(_classes(a, modality), _classes(b, modality)),
        judgements=_judgements(*predictions, pairs, units[0]) if units[0] == units[-1] else (),
        units=(units[0], units[-1]),
    )


def _all_scores() -> list[tuple[Classifier, Measure]]:
    return [(kind, measure) for kind in Classifier for measure in Measure]


def _figures(run: Run, modality: Modality) -> Figures:
    if run.evaluation is None:
        return Figures("it is not known, since only the export was named, which is not called 'export'")
    found = read_figures(run.evaluation)
    return found.get(modality, Figures(f"there is no evaluation in {run.evaluation}"))


def _classes(run: Run, modality: Modality) -> Mapping[str, ClassScore]:
    scores = read_classes(run.evaluation, modality) if run.evaluation else []
    return {score.label: score for score in scores}


def _predictions(run: Run, modality: Modality) -> Mapping[str, Prediction]:
    predictions = read_predictions(run.evaluation, modality) if run.evaluation else []
    return {prediction.path: prediction for prediction in predictions}


def _class_changes(a: Mapping[str, ClassScore], b: Mapping[str, ClassScore]) -> tuple[ClassChange, ...]:
    changes = [ClassChange(label, a.get(label), b.get(label)) for label in sorted({*a, *b})]
    # Classes of one run alone come last.
    return tuple(sorted(changes, key=lambda each: (each.f1_difference is None, each.f1_difference or 0.0)))


def _judgements(
    a: Mapping[str, Prediction], b: Mapping[str, Prediction], pairs: Sequence[Pair], unit: str
) -> tuple[Judgement, ...]:
    names = ((pair.a.path, pair.b.path) for pair in pairs)
    if unit == WINDOW:
        # Of the files that both runs have, the windows at the same times.
        in_b = dict(names)
        parts = ((name, *name.rpartition(AT)) for name in a)
        names = ((name, f"{in_b[path]}{AT}{time}") for name, path, _, time in parts if path in in_b)
    return tuple(Judgement(a[mine], b[other]) for mine, other in names if mine in a and other in b)

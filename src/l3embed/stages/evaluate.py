"""Stage ``evaluate``: how well the classes can be told from the embeddings, as metrics and tables."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from l3embed.disk.tables import write_csv, write_json
from l3embed.evaluation.classifiers import Classifier
from l3embed.evaluation.evaluation import Evaluation, EvaluationOptions, evaluate
from l3embed.evaluation.scores import Performance, Score
from l3embed.variants import Modality

METRICS_FILE = "metrics.json"
PREDICTION_COLUMNS = ("path", "actual", "predicted", "fold")
CLASS_COLUMNS = ("label", "files", "recall", "precision", "f1")
NAMES = {Classifier.LINEAR_PROBE: "linear probe", Classifier.KNN: "k-NN"}
DECIMALS = 6
"""Of the figures in the files, which are shares."""


def run(export: Path, options: EvaluationOptions, output: Path, metrics: Path) -> str:
    """Evaluate an export, and return the stage's summary.

    Parameters
    ----------
    export : Path
        Folder of the embeddings.
    options : EvaluationOptions
        How to evaluate them.
    output : Path
        Folder of all that was found out.
    metrics : Path
        File of the few figures by which experiments are compared.

    Raises
    ------
    OpenL3Error
        If there is no export.
    """
    evaluations = evaluate(export, options)
    output.mkdir(parents=True, exist_ok=True)
    for modality, evaluation in evaluations.items():
        _write_tables(evaluation, modality, output)
    write_json(output / METRICS_FILE, {key.value: _metrics(found) for key, found in evaluations.items()})
    write_json(
        metrics, {key.value: _headline(found) for key, found in evaluations.items() if not found.reason}
    )
    return "evaluate: " + "; ".join(f"{key.value}: {_summary(found)}" for key, found in evaluations.items())


def _write_tables(evaluation: Evaluation, modality: Modality, output: Path) -> None:
    predictions = ([getattr(row, name) for name in PREDICTION_COLUMNS] for row in evaluation.predictions)
    write_csv(output / f"{modality.value}_predictions.csv", PREDICTION_COLUMNS, predictions)
    probe = evaluation.performances.get(Classifier.LINEAR_PROBE)
    classes = (_rounded(asdict(score)).values() for score in (probe.classes if probe else ()))
    write_csv(output / f"{modality.value}_classes.csv", CLASS_COLUMNS, classes)


def _metrics(evaluation: Evaluation) -> dict[str, Any]:
    if evaluation.reason:
        return {"files": evaluation.files, "reason": evaluation.reason}
    figures: dict[str, Any] = {
        "files": evaluation.files,
        "classes": len(evaluation.labels),
        "folds": evaluation.folds,
        "chance": round(evaluation.chance, DECIMALS),
    }
    for kind, performance in evaluation.performances.items():
        figures[kind.value] = _flat("accuracy", performance.accuracy) | _flat(
            "macro_f1", performance.macro_f1
        )
    return figures


def _headline(evaluation: Evaluation) -> dict[str, float]:
    probe, knn = (evaluation.performances[kind] for kind in (Classifier.LINEAR_PROBE, Classifier.KNN))
    figures = (probe.accuracy.value, probe.macro_f1.value, knn.accuracy.value)
    return _rounded(dict(zip(("accuracy", "macro_f1", "knn_accuracy"), figures, strict=True)))


def _flat(name: str, score: Score) -> dict[str, float]:
    return _rounded({name: score.value, f"{name}_low": score.low, f"{name}_high": score.high})


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        key: round(figure, DECIMALS) if isinstance(figure, float) else figure
        for key, figure in figures.items()
    }


def _summary(evaluation: Evaluation) -> str:
    if evaluation.reason:
        return evaluation.reason
    figures = [f"{NAMES[kind]} {_percent(found)}" for kind, found in evaluation.performances.items()]
    return (
        f"{evaluation.files} files in {len(evaluation.labels)} classes: {', '.join(figures)}, "
        f"chance {100 * evaluation.chance:.1f} %"
    )


def _percent(performance: Performance) -> str:
    found = performance.accuracy
    return f"{100 * found.value:.1f} % ({100 * found.low:.1f} to {100 * found.high:.1f})"

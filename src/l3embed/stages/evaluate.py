"""Stage ``evaluate``: how well the classes can be told from the embeddings, as metrics and tables."""

from __future__ import annotations

from pathlib import Path

from l3embed.disk.json_files import write_json
from l3embed.evaluation.classifiers import Classifier
from l3embed.evaluation.evaluation import Evaluation, EvaluationOptions, evaluate
from l3embed.evaluation.file_format import METRICS_FILE, headlines, metrics_content, write_tables
from l3embed.evaluation.scores import Score

NAMES = {Classifier.LINEAR_PROBE: "linear probe", Classifier.KNN: "k-NN"}


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
    write_tables(output, evaluations)
    write_json(output / METRICS_FILE, metrics_content(evaluations))
    write_json(metrics, headlines(evaluations))
    return "evaluate: " + "; ".join(f"{key.value}: {_summary(found)}" for key, found in evaluations.items())


def _summary(evaluation: Evaluation) -> str:
    if evaluation.reason:
        return evaluation.reason
    figures = [f"{NAMES[kind]} {_percent(found.accuracy)}" for kind, found in evaluation.performances.items()]
    return (
        f"{evaluation.files} files in {len(evaluation.labels)} classes: {', '.join(figures)}, "
        f"chance {100 * evaluation.chance:.1f} %"
    )


def _percent(score: Score) -> str:
    return f"{100 * score.value:.1f} % ({100 * score.low:.1f} to {100 * score.high:.1f})"

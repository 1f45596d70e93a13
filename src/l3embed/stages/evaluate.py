"""Stage ``evaluate``: how well the classes can be told from the embeddings, as metrics and tables."""

from __future__ import annotations

from pathlib import Path

from l3embed.disk.json_files import write_json
from l3embed.disk.seals import seal
from l3embed.evaluation.classifiers import Classifier
from l3embed.evaluation.evaluation import Evaluation, EvaluationOptions, evaluate
from l3embed.evaluation.file_format import METRICS_FILE, headlines, metrics_content, write_tables
from l3embed.evaluation.reference_figures import ReferenceDistances
from l3embed.evaluation.scores import Score
from l3embed.progress import counted, say
from l3embed.stages.output_folder import Layout
from l3embed.stages.reference_distances import measure_reference

NAMES = {Classifier.LINEAR_PROBE: "linear probe", Classifier.KNN: "k-NN"}


def run(options: EvaluationOptions, layout: Layout, reference: Path | None = None) -> str:
    """Evaluate the export, and return the stage's summary; its metrics are what experiments are compared by.

    Parameters
    ----------
    options : EvaluationOptions
        How classes are told.
    layout : Layout
        Where the export lies.
    reference : Path or None
        What distances are measured to, if any are.

    Raises
    ------
    OpenL3Error
        If there is no export, or it cannot be compared with the reference.
    """
    export = layout.folder("export")
    distances = {} if reference is None else measure_reference(export, reference, options.seed)
    for modality, told in distances.items():
        for note in told.notes:
            say(f"evaluate: {modality.value}: {note}")
    evaluations = evaluate(export, options)
    output = layout.folder("evaluation")
    output.mkdir(parents=True, exist_ok=True)
    write_tables(output, evaluations)
    write_json(output / METRICS_FILE, metrics_content(evaluations, distances))
    seal(output / METRICS_FILE)
    write_json(layout.metrics_of("evaluate"), headlines(evaluations, distances))
    return "evaluate: " + "; ".join(
        f"{key.value}: {_summary(found)}{_to_reference(distances.get(key))}"
        for key, found in evaluations.items()
    )


def _to_reference(found: ReferenceDistances | None) -> str:
    """Return the distances of all files, to follow the rest."""
    told = ", ".join(
        f"{name.upper()} {value:,.4g}" for name, value in (found.of_all if found else {}).items()
    )
    return f", {told} to the reference" if told else ""


def _summary(evaluation: Evaluation) -> str:
    if evaluation.reason:
        return evaluation.reason
    figures = [f"{NAMES[kind]} {_percent(found.accuracy)}" for kind, found in evaluation.performances.items()]
    files = counted(evaluation.files, evaluation.unit)
    classes = counted(len(evaluation.labels), "class", "classes")
    return f"{files} in {classes}: {', '.join(figures)}, chance {100 * evaluation.chance:.1f} %"


def _percent(score: Score) -> str:
    return f"{100 * score.value:.1f} % ({100 * score.low:.1f} to {100 * score.high:.1f})"

"""A comparison as an object for JSON: all of it, where the text and the page name the first of many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from math import isfinite
from typing import Any

from l3embed.evaluation.evaluation import Prediction
from l3embed.evaluation.scores import ClassScore, Score
from l3embed.export.doubts import Doubt
from l3embed.export.manifest import ManifestRow
from l3embed.report.changed_neighbours import NeighbourChanges
from l3embed.report.changed_scores import Judgement, ScoreChanges
from l3embed.report.comparison import Comparison, DoubtChanges
from l3embed.report.file_matching import Matching, Pair

DECIMALS = 6
"""Of shares, as in the evaluation's files."""


def comparison_content(comparison: Comparison) -> dict[str, Any]:
    """Return what changed, with paths as they are in the second run, where a file is in both."""
    return {
        "a": {"name": comparison.a.name, "files": comparison.counts[0]},
        "b": {"name": comparison.b.name, "files": comparison.counts[1]},
        "left_out": list(comparison.left_out),
        "files": _files(comparison.files)
        | {"failed": _failures(comparison.failed), "recovered": _failures(comparison.recovered)},
        "settings": [asdict(each) for each in comparison.settings],
        "modalities": {
            each.modality.value: {
                "neighbours": _neighbours(each.neighbours),
                "evaluation": _scores(each.scores),
            }
            for each in comparison.modalities
        },
        "doubts": _doubts(comparison.doubts),
    }


def _files(files: Matching) -> dict[str, Any]:
    return {
        "both": len(files.pairs),
        "added": [file.path for file in files.added],
        "removed": [file.path for file in files.removed],
        "renamed": [{"a": pair.a.path, "b": pair.b.path} for pair in files.renamed],
        "relabelled": [
            {"path": pair.b.path, "a": pair.a.label, "b": pair.b.label} for pair in files.relabelled
        ],
        "rewritten": [pair.b.path for pair in files.rewritten],
    }


def _failures(rows: Iterable[ManifestRow]) -> list[dict[str, str]]:
    return [{"path": row.path, "modality": row.modality, "reason": row.reason} for row in rows]


def _neighbours(changes: NeighbourChanges) -> dict[str, Any]:
    numbers = changes.same_numbers
    shares = changes.shares.tolist()
    return {
        "files": changes.files,
        "compared": len(changes.pairs),
        "not_finite": list(changes.not_finite),
        "neighbours": changes.count,
        "mean_kept": _rounded(changes.shares.mean()) if changes.count else None,
        "by_chance": _rounded(changes.by_chance) if changes.count else None,
        "kept": _kept(changes.pairs, shares) if changes.count else {},
        "same_numbers": asdict(numbers) if numbers else None,
    }


def _kept(pairs: Iterable[Pair], shares: Iterable[float]) -> dict[str, float]:
    return {pair.b.path: round(share, DECIMALS) for pair, share in zip(pairs, shares, strict=True)}


def _scores(scores: ScoreChanges) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for each in scores.scores:
        figures.setdefault(each.classifier.value, {})[each.measure.value] = {
            "a": _score(each.a),
            "b": _score(each.b),
            "difference": _rounded(each.difference),
        }
    return {
        "reasons": dict(zip("ab", scores.reasons, strict=True)),
        "scores": figures,
        "classes": [
            {
                "label": each.label,
                "a": _class_score(each.a),
                "b": _class_score(each.b),
                "accuracy_difference": _rounded(each.recall_difference),
                "f1_difference": _rounded(each.f1_difference),
            }
            for each in scores.classes
        ],
        "unit": scores.unit or None,
        "files": len(scores.judgements),
        "right_in_a_alone": _judgements(scores.judged(a=True, b=False)),
        "right_in_b_alone": _judgements(scores.judged(a=False, b=True)),
        "probability_if_equal": scores.chance,
    }


def _score(score: Score | None) -> dict[str, float | None] | None:
    return {name: _rounded(value) for name, value in asdict(score).items()} if score else None


def _class_score(score: ClassScore | None) -> dict[str, float | None] | None:
    if score is None:
        return None
    return {
        "files": score.files,
        "accuracy": _rounded(score.recall),
        "precision": _rounded(score.precision),
        "f1": _rounded(score.f1),
    }


def _judgements(judgements: Iterable[Judgement]) -> list[dict[str, Any]]:
    return [{"path": each.b.path, "a": _prediction(each.a), "b": _prediction(each.b)} for each in judgements]


def _prediction(found: Prediction) -> dict[str, str]:
    return {"actual": found.actual, "predicted": found.predicted}


def _doubts(doubts: DoubtChanges) -> dict[str, Any]:
    return {
        "missing": list(doubts.missing),
        "came": [_doubt(doubt) for doubt in doubts.came],
        "went": [_doubt(doubt) for doubt in doubts.went],
        "both": doubts.kept,
    }


def _doubt(doubt: Doubt) -> dict[str, str]:
    return {
        "path": doubt.path,
        "modality": doubt.modality.value,
        "kind": doubt.kind.value,
        "words": doubt.words,
    }


def _rounded(value: float | None) -> float | None:
    """Return a figure for JSON, which has none that are unknown."""
    return round(float(value), DECIMALS) if value is not None and isfinite(value) else None

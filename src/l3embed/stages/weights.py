"""Stage ``weights``: the networks' weight files, verified, in the project's own folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from l3embed.variants import WeightSet
from l3embed.weights.manifest import copy_weights
from l3embed.weights.source import WeightsSource
from l3embed.weights.store import locate_weights


def run(weight_sets: Sequence[WeightSet], source: WeightsSource, output: Path) -> str:
    """Fetch, generate or find weights, copy them to `output`, and return the stage's summary."""
    words = []
    for weight_set in weight_sets:
        weights = copy_weights(locate_weights(weight_set, source), output)
        words.append(f"{weights.path} ({weights.identity}{'' if weights.trained else ', untrained'})")
    return f"weights: {', '.join(words)}"

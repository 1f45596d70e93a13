"""Stage ``weights``: the model's weight file, verified, in the project's own folder."""

from __future__ import annotations

from pathlib import Path

from l3embed.variants import WeightSet
from l3embed.weights.manifest import copy_weights
from l3embed.weights.source import WeightsSource
from l3embed.weights.store import locate_weights


def run(weight_set: WeightSet, source: WeightsSource, output: Path) -> str:
    """Fetch, generate or find the weights, copy them to `output`, and return the stage's summary."""
    weights = copy_weights(locate_weights(weight_set, source), output)
    return f"weights: {weights.path} ({weights.identity}{'' if weights.trained else ', untrained'})"

"""Stage ``weights``: the networks' weight files, verified, in the project's own folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from l3embed.variants import WeightSet
from l3embed.weights.directory import copy_weights
from l3embed.weights.locating import locate_in_silence, warn_of_untrained
from l3embed.weights.source import WeightsSource


def run(weight_sets: Sequence[WeightSet], source: WeightsSource, output: Path) -> str:
    """Fetch, generate or find weights, copy them to `output`, and return the stage's summary."""
    files = [copy_weights(locate_in_silence(weight_set, source), output) for weight_set in weight_sets]
    warn_of_untrained("weights", files)
    named = (f"{file.path} ({file.identity}{'' if file.trained else ', untrained'})" for file in files)
    return f"weights: {', '.join(named)}"

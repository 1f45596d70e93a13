"""Stage ``weights``: the networks' weight files, verified, in the project's own folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from l3embed.disk.seals import reading, seal
from l3embed.errors import OpenL3Error
from l3embed.variants import WeightSet
from l3embed.weights.directory import MANIFEST_NAME, copy_weights, read_weights_manifest
from l3embed.weights.locating import locate_in_silence, warn_of_untrained
from l3embed.weights.source import WeightsSource


def run(weight_sets: Sequence[WeightSet], source: WeightsSource, output: Path) -> str:
    """Fetch, generate or find weights, copy them to `output`, and return the stage's summary."""
    _forget_damaged(output / MANIFEST_NAME)
    files = [copy_weights(locate_in_silence(weight_set, source), output) for weight_set in weight_sets]
    seal(output / MANIFEST_NAME)
    warn_of_untrained("weights", files)
    named = (f"{file.path} ({file.identity}{'' if file.trained else ', untrained'})" for file in files)
    return f"weights: {', '.join(named)}"


def _forget_damaged(manifest: Path) -> None:
    """Remove what an earlier run has written, if nobody can read it any more."""
    try:
        with reading(manifest, "weights"):
            read_weights_manifest(manifest.parent)
    except OpenL3Error:
        manifest.unlink(missing_ok=True)

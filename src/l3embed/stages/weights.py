"""Stage ``weights``: the networks' weight files, verified, in the project's own folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from l3embed.disk.seals import reading, seal
from l3embed.errors import OpenL3Error
from l3embed.variants import Modality, WeightSet
from l3embed.weights.directory import MANIFEST_NAME, copy_weights, read_weights_manifest
from l3embed.weights.locating import locate_in_silence, warn_of_untrained
from l3embed.weights.source import WeightsSource

LACKED = {
    Modality.AUDIO: "neither sounds nor videos",
    Modality.IMAGE: "neither pictures nor videos",
}
"""What a dataset has none of if a network is not needed."""


def run(
    weight_sets: Sequence[WeightSet],
    source: WeightsSource,
    output: Path,
    left_out: Sequence[Modality] = (),
) -> str:
    """Fetch, generate or find weights, copy them to `output`, and return the stage's summary.

    It also names the modalities whose weights are left out, since the dataset has no files for them.
    """
    _forget_damaged(output / MANIFEST_NAME)
    files = [copy_weights(locate_in_silence(weight_set, source), output) for weight_set in weight_sets]
    seal(output / MANIFEST_NAME)
    warn_of_untrained("weights", files)
    named = (f"{file.path} ({file.identity}{'' if file.trained else ', untrained'})" for file in files)
    others = "".join(
        f"; none for {modality.value}: the dataset has {LACKED[modality]}" for modality in left_out
    )
    return f"weights: {', '.join(named)}{others}"


def _forget_damaged(manifest: Path) -> None:
    """Remove what an earlier run has written, if nobody can read it any more."""
    try:
        with reading(manifest, "weights"):
            read_weights_manifest(manifest.parent)
    except OpenL3Error:
        manifest.unlink(missing_ok=True)

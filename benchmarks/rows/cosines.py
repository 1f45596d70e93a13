"""How far bfloat16 is from float32, window by window, on the inputs of the reference."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from benchmarks.report import Check, Report
from benchmarks.sizes import Sizes
from l3embed import get_audio_embedding
from l3embed.errors import OpenL3Warning
from l3embed.runtimes.processor import has_bfloat16
from l3embed.variants import InputRepr
from l3embed.verification.carried import REFERENCE

REFERENCE_FOLDERS = (Path(__file__).parents[2] / "tests" / "data" / "reference", REFERENCE)
GOAL = 0.9999
DIGITS = 6
HOP_S = 0.1
WHAT = "bfloat16: cosine to float32, smallest of all windows of the reference's recordings"


def measure(sizes: Sizes, folder: Path) -> Report:
    """Embed the reference's recordings in both precisions, by all three representations."""
    if not has_bfloat16():
        return Report([_check(None, "this processor has no instructions for bfloat16")])
    suffixes = (".wav", ".flac", ".ogg", ".mp3")
    inputs = (path for folder in REFERENCE_FOLDERS for path in (folder / "inputs").iterdir())
    paths = sorted((path for path in inputs if path.suffix in suffixes), key=lambda path: path.name)
    recordings: list[tuple[Any, int]] = [
        soundfile.read(path) for path in paths[: sizes.reference_inputs or None]
    ]
    figures: dict[str, Any] = {}
    windows = 0
    for input_repr in InputRepr:
        found = [_cosines(samples, rate_hz, input_repr) for samples, rate_hz in recordings]
        windows += sum(map(len, found))
        # Cut, not rounded: what is shown must not be above what was measured.
        figures[input_repr.value] = float(
            np.floor(min(each.min() for each in found) * 10**DIGITS) / 10**DIGITS
        )
    how = f"{windows} windows of {len(recordings)} recordings, hop {HOP_S}; " + ", ".join(
        f"{name} {cosine:.{DIGITS}f}" for name, cosine in figures.items()
    )
    return Report([_check(min(figures.values()), how)], figures)


def _check(got: float | None, how: str) -> Check:
    return Check(WHAT, GOAL, got, "", at_least=True, how=how, label="bfloat16, smallest cosine to float32")


def _cosines(samples: Any, sample_rate_hz: int, input_repr: InputRepr) -> npt.NDArray[np.float64]:
    """Return the cosine between both embeddings of each window."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OpenL3Warning)
        exact, quick = (
            get_audio_embedding(
                samples,
                sample_rate_hz,
                input_repr=input_repr.value,
                hop_size=HOP_S,
                verbose=False,
                weights="random",
                precision=precision,
            )[0].astype(np.float64)
            for precision in ("float32", "bfloat16")
        )
    lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(quick, axis=1)
    cosines: npt.NDArray[np.float64] = (exact * quick).sum(axis=1) / lengths
    return cosines

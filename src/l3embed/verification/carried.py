"""Figures of the reference with the seeded weights, which the package carries: nothing is fetched.

They are some of what openl3 0.4.2 computed, unchanged, with the seeded weights; the repository's
``tests/data/reference`` holds the others, and ``index.json`` says how each was computed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from l3embed.decoding.audio import open_audio
from l3embed.inputs.windows import Framing
from l3embed.variants import SAMPLE_RATE_HZ, ContentType, Frontend, InputRepr, Media, Modality
from l3embed.verification.cases import (
    RESAMPLED_AUDIO,
    SAME_AUDIO,
    SAME_IMAGE,
    VIDEO_FRAMES,
    Case,
    Computation,
    Suite,
)
from l3embed.weights.random import DEFAULT_SEED
from l3embed.weights.source import RandomWeights

REFERENCE = Path(__file__).parents[1] / "reference"

FOOTNOTE = (
    f"The figures are openl3 0.4.2's with the same weights (random:{DEFAULT_SEED}); nothing was fetched."
)


def carried_suite() -> Suite:
    """Return the cases that the package carries."""
    return Suite(carried_cases(), REFERENCE.joinpath, RandomWeights(), FOOTNOTE)


def carried_cases() -> tuple[Case, ...]:
    """Return the cases of the index whose figures are here."""
    entries = json.loads((REFERENCE / "outputs" / "index.json").read_text(encoding="utf-8"))
    present = [entry for entry in entries if (REFERENCE / _expected(entry)).is_file()]
    return tuple(case for entry in present for case in _cases(entry))


def _expected(entry: dict[str, Any]) -> str:
    return f"outputs/{entry['case']}.npz"


def _cases(entry: dict[str, Any]) -> list[Case]:
    computation = _computation(entry)
    name, expected = entry["case"], _expected(entry)
    if computation.media is Media.AUDIO:
        return [Case(name, computation, Modality.AUDIO, expected, _audio_tolerance(computation.file))]
    if computation.media is Media.IMAGE:
        return [Case(name, computation, Modality.IMAGE, expected, SAME_IMAGE)]
    tolerances = {Modality.AUDIO: RESAMPLED_AUDIO, Modality.IMAGE: VIDEO_FRAMES}
    return [
        Case(f"{name}__{part.value}", computation, part, expected, tolerance, array_prefix=f"{part.value}_")
        for part, tolerance in tolerances.items()
    ]


def _computation(entry: dict[str, Any]) -> Computation:
    """Turn what the index says into options; what it does not say is as in the release."""
    return Computation(
        Media(entry["kind"]),
        f"inputs/{entry['file']}",
        InputRepr(entry["input_repr"]),
        ContentType(entry["content_type"]),
        audio_size=entry.get("audio_embedding_size") or entry["embedding_size"],
        image_size=entry.get("image_embedding_size") or entry["embedding_size"],
        frontend=Frontend(entry.get("frontend", Frontend.KAPRE)),
        framing=Framing(entry.get("hop_size", entry.get("audio_hop_size", 0.1)), entry.get("center", True)),
    )


def _audio_tolerance(file: str) -> float:
    with open_audio(REFERENCE / file) as audio:
        return SAME_AUDIO if audio.sample_rate_hz == SAMPLE_RATE_HZ else RESAMPLED_AUDIO

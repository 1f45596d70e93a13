"""Comparing figures, and which windows of a video's sound can be compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from l3embed.inputs.windows import Framing
from l3embed.variants import Media, Modality
from l3embed.verification.cases import Case, Computation
from l3embed.verification.compare import Verdict, compare

STORED: Any = np.array([[1.0, -2.0], [0.5, 0.0]], dtype=np.float32)
TIMES = np.array([0.0, 0.1])


def case(**options: Any) -> Case:
    return Case("a", Computation(Media.AUDIO, "a.wav"), Modality.AUDIO, "a.npz", 1e-2, **options)


def verdict(ours: Any, times: Any = TIMES) -> tuple[Verdict, float | None, str]:
    result = compare(
        case(), {"embedding": ours, "timestamps": times}, {"embedding": STORED, "timestamps": TIMES}
    )
    return result.verdict, result.difference, result.note


def test_the_difference_is_relative_to_the_largest_magnitude() -> None:
    results = [verdict(STORED.astype(float) + difference) for difference in (0.01, 0.03)]
    assert [found for found, _, _ in results] == [Verdict.OK, Verdict.OUT]
    assert [difference for _, difference, _ in results] == pytest.approx([0.005, 0.015])


def test_nan_is_out() -> None:
    found, difference, _ = verdict(np.full_like(STORED, np.nan))
    assert found is Verdict.OUT
    assert difference is not None
    assert np.isnan(difference)


def test_another_shape_is_out() -> None:
    assert verdict(STORED[:1]) == (Verdict.OUT, None, "the shape is (1, 2) instead of (2, 2)")


def test_other_times_are_out() -> None:
    assert verdict(STORED, TIMES + 0.02)[::2] == (Verdict.OUT, "the timestamps differ by up to 0.02 s")
    assert verdict(STORED, TIMES[:1])[::2] == (Verdict.OUT, "there are 1 timestamps instead of 2")


def test_times_may_have_been_stored_in_single_precision() -> None:
    assert verdict(STORED, TIMES.astype(np.float32))[0] is Verdict.OK


def test_stored_times_are_not_missed() -> None:
    result = compare(case(), {"embedding": STORED}, {"embedding": STORED})
    assert result.verdict is Verdict.OK


@pytest.mark.parametrize(
    ("rate_hz", "cut_hz"), [(29.97, 29), (30000 / 1001, 29), (30.0, 30), (25.0, 25), (12.0, 12)], ids=str
)
def test_times_at_a_rate_that_was_cut(rate_hz: float, cut_hz: int) -> None:
    # To the microsecond, which makes 29.999994 frames a second of 30.
    embedding: Any = np.ones((51, 2), dtype=np.float32)
    ours = {"embedding": embedding, "timestamps": np.round(np.arange(51) / rate_hz, 6)}
    stored = {"embedding": embedding, "timestamps": np.arange(51) / cut_hz}
    assert compare(case(rate_was_cut=True), ours, stored).verdict is Verdict.OK
    assert (compare(case(), ours, stored).verdict is Verdict.OK) == (rate_hz == cut_hz)


@pytest.mark.parametrize(
    ("framing", "trusted_s", "windows"),
    [
        pytest.param(Framing(0.1, center=True), 0.5, 1, id="defaults"),
        pytest.param(Framing(0.5, center=False), 0.5, 0, id="linear"),
        pytest.param(Framing(0.1, center=True), 0.7, 3, id="centred"),
        pytest.param(Framing(0.5, center=False), 1.0, 1, id="not centred"),
        pytest.param(Framing(0.1, center=True), 0.25, 0, id="too little"),
    ],
)
def test_windows_that_end_within_the_trusted_sound(framing: Framing, trusted_s: float, windows: int) -> None:
    computation = Computation(Media.VIDEO, "a.mp4", framing=framing)
    assert (
        Case("a", computation, Modality.AUDIO, "a.npz", 1e-2, trusted_s=trusted_s).trusted_windows == windows
    )

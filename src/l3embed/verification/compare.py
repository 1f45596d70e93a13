"""What came out here against what the reference stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.progress import counted
from l3embed.verification.cases import Case

Arrays = Mapping[str, npt.NDArray[Any]]

TIMESTAMP_TOLERANCE = 1e-6
"""Of timestamps, in seconds or relative to them if they are larger: some were stored in single precision."""

BAD_SOUND = "moviepy 1.0, which the figures were computed with, corrupts the sound of a video"


class Verdict(str, Enum):
    """What a comparison came to."""

    OK = "ok"
    OUT = "out"
    NOT_COMPARED = "not compared"
    FAILED = "failed"

    @property
    def is_bad(self) -> bool:
        """Whether something is wrong."""
        return self in (Verdict.OUT, Verdict.FAILED)


@dataclass(frozen=True)
class Comparison:
    """What a case came to.

    Parameters
    ----------
    case : Case
        The case.
    verdict : Verdict
        What it came to.
    difference : float or None
        Largest difference over largest magnitude, of the embeddings that were compared.
    note : str
        Why, or what was left out.
    """

    case: Case
    verdict: Verdict
    difference: float | None = None
    note: str = ""


def compare(case: Case, ours: Arrays, stored: Arrays) -> Comparison:
    """Compare embeddings, ``(T, D)``, and timestamps, ``(T,)``, if they were stored.

    Of an embedding of sound that the reference read wrongly, only the trusted windows are compared.
    """
    found, expected = ours["embedding"], stored["embedding"]
    if found.shape != expected.shape:
        return Comparison(case, Verdict.OUT, None, f"the shape is {found.shape} instead of {expected.shape}")
    note = ""
    if (count := case.trusted_windows) is not None:
        found, expected = found[:count], expected[:count]
        note = f"the first {count} of {counted(len(stored['embedding']), 'window')} alone: {BAD_SOUND}"
    difference = relative_difference(found, expected)
    if not difference <= case.tolerance:  # so that NaN is out as well
        return Comparison(case, Verdict.OUT, difference, note)
    if "timestamps" in stored:
        wrong = _wrong_timestamps(case, ours["timestamps"], stored["timestamps"])
        if wrong:
            return Comparison(case, Verdict.OUT, difference, wrong)
    return Comparison(case, Verdict.OK, difference, note)


def relative_difference(found: npt.NDArray[Any], expected: npt.NDArray[Any]) -> float:
    """Return the largest difference over the largest magnitude of what was expected."""
    exact = expected.astype(np.float64)
    return float(np.abs(found - exact).max() / np.abs(exact).max())


def _wrong_timestamps(case: Case, found: npt.NDArray[Any], expected: npt.NDArray[Any]) -> str:
    """Say how timestamps differ, or nothing if they do not."""
    if found.shape != expected.shape:
        return f"there are {len(found)} timestamps instead of {len(expected)}"
    ours = _at_cut_rate(found) if case.rate_was_cut else found
    difference_s = np.abs(ours - expected.astype(np.float64))
    if (difference_s <= TIMESTAMP_TOLERANCE * np.maximum(1, expected)).all():
        return ""
    return f"the timestamps differ by up to {difference_s.max():.3g} s"


def _at_cut_rate(timestamps: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the timestamps of frames as the reference has them, which cuts 29.97 frames a second to 29."""
    if len(timestamps) < 2:
        return timestamps
    rate_hz = (len(timestamps) - 1) / (timestamps[-1] - timestamps[0])
    # 30 frames a second are 29.999... as soon as their times have been rounded.
    times: npt.NDArray[Any] = np.arange(len(timestamps)) / int(rate_hz + 1e-3)
    return times

"""What is found out about a recording, an image or a video while it is read, and the doubts that follow."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Warning
from l3embed.variants import Modality

DOUBTS = {
    "is_silent": "is silent: all of its samples are zero.",
    "is_short": "is shorter than one window (1 second): it is padded with zeros.",
    "is_black": "is all black: all of its values are zero.",
}
"""What is likely to be a mistake, though it can be embedded, by the name of the finding."""

LACKS = {
    Modality.AUDIO: "has no sound: it gets embeddings of its frames only.",
    Modality.IMAGE: "has no frames: it gets embeddings of its sound only.",
}
"""What is said of a video that has nothing for one of the networks."""


@dataclass
class Findings:
    """What is found out about one input; what does not concern its kind stays as it is here.

    Parameters
    ----------
    duration_s, sample_rate_hz : float or None
        Of the recording or the video, and of its sound as it was decoded.
    channels : int or None
        Of its sound as it was decoded.
    is_silent, is_short, is_black : bool
        Whether all samples are zero, they fill no window, or all values of an image are zero.
    frame_times_s : np.ndarray or None
        When the frames of a video are shown, ``(frames,)``.
    """

    duration_s: float | None = None
    sample_rate_hz: float | None = None
    channels: int | None = None
    is_silent: bool = False
    is_short: bool = False
    is_black: bool = False
    frame_times_s: npt.NDArray[np.float64] | None = None

    def facts(self) -> dict[str, Any]:
        """Return it as the store keeps it: without the times, which are kept as an array."""
        facts = asdict(self)
        del facts["frame_times_s"]
        return facts

    def warn(self, name: str) -> None:
        """Warn of what is likely to be a mistake, naming the input."""
        for words in doubts(name, vars(self)):
            warn(words)


def doubts(name: str, facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each finding that is likely to be a mistake."""
    return (f"{name} {words}" for finding, words in DOUBTS.items() if facts[finding])


def warn(words: str) -> None:
    """Warn of an input."""
    warnings.warn(words, OpenL3Warning, stacklevel=4)

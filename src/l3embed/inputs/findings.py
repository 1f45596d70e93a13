"""What is found out about a recording, an image or a video while it is read, and the doubts that follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.errors import warn
from l3embed.variants import DoubtKind, Modality

DAMAGE = "damage"

DOUBTS = {
    DoubtKind.DAMAGED: (DAMAGE, "{}; what is there is used."),
    DoubtKind.SILENT: ("is_silent", "is silent: all of its samples are zero."),
    DoubtKind.BLACK: ("is_black", "is all black: all of its values are zero."),
    DoubtKind.SHORT: ("is_short", "is shorter than one window (1 second): it is padded with zeros."),
    DoubtKind.TURNED: (
        "has_orientation",
        "has an EXIF orientation, and is not turned, as OpenL3 has it: exif_rotation would turn it.",
    ),
}
"""What is likely to be a mistake, though it can be embedded: the finding, and words behind the name."""

TOLD_ONCE = {DoubtKind.TURNED}
"""Doubts about a camera's whole output, which would be told of each picture in the same words."""

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
    damage : str
        What is wrong with the file, in words that follow its name; nothing, if it is what it says.
    has_orientation : bool
        Whether a picture asks to be turned, and was not.
    """

    duration_s: float | None = None
    sample_rate_hz: float | None = None
    channels: int | None = None
    is_silent: bool = False
    is_short: bool = False
    is_black: bool = False
    frame_times_s: npt.NDArray[np.float64] | None = None
    damage: str = ""
    has_orientation: bool = False

    def facts(self) -> dict[str, Any]:
        """Return it as the store keeps it: without the times, which are kept as an array."""
        facts = asdict(self)
        del facts["frame_times_s"]
        return facts

    def warn(self, name: str, told: set[DoubtKind] | None = None) -> None:
        """Warn of what is likely to be a mistake, naming the input.

        Parameters
        ----------
        name : str
            Of the input.
        told : set of DoubtKind, optional
            What has been told of others, and need not be again; is added to.
        """
        told = set() if told is None else told
        for kind, words in doubts(vars(self)):
            if kind not in told:
                warn(f"{name} {words}")
        told |= {kind for kind, _ in doubts(vars(self)) if kind in TOLD_ONCE}


def doubts(facts: Mapping[str, Any]) -> Iterator[tuple[DoubtKind, str]]:
    """Yield what is likely to be a mistake, with words that follow the input's name."""
    return (
        (kind, words.format(facts[finding])) for kind, (finding, words) in DOUBTS.items() if facts[finding]
    )

"""What is compared: stored figures of the reference, how they are computed, and how near is near enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from l3embed.errors import OpenL3Error
from l3embed.inputs.windows import Framing
from l3embed.runtimes.base import Placement
from l3embed.variants import (
    CENTER_PAD_SAMPLES,
    SAMPLE_RATE_HZ,
    WINDOW_SAMPLES,
    AudioSize,
    ContentType,
    Frontend,
    ImageSize,
    InputRepr,
    Media,
    Modality,
)
from l3embed.weights.source import WeightsSource

SAME_AUDIO = 1e-5
"""Tolerance for embeddings of audio at 48 kHz: largest difference over largest magnitude, as all here."""

SAME_IMAGE = 1e-5
"""Tolerance for embeddings of images."""

RESAMPLED_AUDIO = 1e-2
"""Tolerance for embeddings of resampled audio: the reference's own rounding moves them this far.

The sound of videos as well: ffmpeg decodes and resamples it, and not to the bit alike in all its versions.
"""

VIDEO_FRAMES = 1e-4
"""Tolerance for embeddings of video frames, whose decoding is not the same to the bit everywhere."""


@dataclass(frozen=True)
class Computation:
    """One file to embed, and how; options that do not concern its kind have no effect.

    Parameters
    ----------
    media : Media
        What kind of file it is.
    file : str
        Its path, relative to wherever the suite's files are.
    input_repr, content_type, audio_size, image_size, frontend : as `l3embed.variants` has them
        Which models.
    framing : Framing
        How sound is cut into windows.
    """

    media: Media
    file: str
    input_repr: InputRepr = InputRepr.MEL256
    content_type: ContentType = ContentType.MUSIC
    audio_size: AudioSize = 6144
    image_size: ImageSize = 8192
    frontend: Frontend = Frontend.KAPRE
    framing: Framing = field(default_factory=Framing)


@dataclass(frozen=True)
class Case:
    """Stored figures of the reference, and what has to come out the same.

    Parameters
    ----------
    name : str
        What users call it.
    computation : Computation
        How the figures are computed.
    modality : Modality
        Which of a computation's embeddings they are: a video has both.
    expected : str
        Path of the stored figures, like the computation's.
    tolerance : float
        Largest difference over largest magnitude that is taken for the same.
    array_prefix : str
        What precedes the names of the stored arrays, ``embedding`` and ``timestamps``.
    trusted_s : float or None
        How much of the beginning of the sound the reference read correctly; None: all of it.
    rate_was_cut : bool
        Whether the reference computed the timestamps with a frame rate that it cut to an integer.
    """

    name: str
    computation: Computation
    modality: Modality
    expected: str
    tolerance: float
    array_prefix: str = ""
    trusted_s: float | None = None
    rate_was_cut: bool = False

    @property
    def trusted_windows(self) -> int | None:
        """How many windows, from the first on, hold nothing but sound that was read correctly; None: all."""
        if self.trusted_s is None:
            return None
        framing = self.computation.framing
        pad = CENTER_PAD_SAMPLES if framing.center else 0
        latest_start = round(self.trusted_s * SAMPLE_RATE_HZ) + pad - WINDOW_SAMPLES
        return max(0, latest_start // framing.hop_samples + 1)


@dataclass(frozen=True)
class Suite:
    """Cases, and where their files and weights come from.

    Parameters
    ----------
    cases : tuple of Case
        In the order in which they are run.
    locate : callable
        Returns where a case's file is on this machine; raises `OpenL3Error` if it cannot be had.
    weights : WeightsSource
        The weights that the stored figures were computed with.
    footnote : str
        What a reader of the results should know.
    placement : Placement
        Where the networks are to run.
    """

    cases: tuple[Case, ...]
    locate: Callable[[str], Path]
    weights: WeightsSource
    footnote: str
    placement: Placement = field(default_factory=Placement)

    def only(self, names: Sequence[str]) -> Suite:
        """Return a suite of the cases with these names, or of all if there are none.

        Raises
        ------
        OpenL3Error
            If there is no case of a name.
        """
        known = [case.name for case in self.cases]
        for name in names:
            if name not in known:
                raise OpenL3Error(f"There is no case {name!r} here. There are: {', '.join(known)}.")
        chosen = tuple(case for case in self.cases if not names or case.name in names)
        return replace(self, cases=chosen)

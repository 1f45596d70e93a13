"""A section of a recording or video: cut out exactly, as if it were the file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from l3embed.decoding.checks import PADDING_S
from l3embed.decoding.recording import Recording
from l3embed.decoding.video import Frames, Times, VideoFile
from l3embed.errors import OpenL3Error

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Section:
    """Which seconds of a file count, from its beginning.

    Parameters
    ----------
    start_s : float
        Where it begins.
    end_s : float or None
        Where it ends; None for the end of the file.

    Raises
    ------
    OpenL3Error
        If it begins before 0, or does not end behind its beginning.
    """

    start_s: float = 0.0
    end_s: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start_s) and self.start_s >= 0):
            raise OpenL3Error(f"start_s must be a number of seconds from 0 on; got {self.start_s:g}.")
        if self.end_s is not None and not (math.isfinite(self.end_s) and self.end_s > self.start_s):
            raise OpenL3Error(
                f"end_s must be a number of seconds above start_s, {self.start_s:g}; got {self.end_s:g}."
            )

    @property
    def parameters(self) -> dict[str, str | int | float | bool]:
        """What decides about results, besides the file."""
        end = {} if self.end_s is None else {"end_s": self.end_s}
        return {"start_s": self.start_s, **end}

    def samples(self, sample_rate_hz: float) -> tuple[int, int | None]:
        """Return its first sample and the one behind its last; None for the file's end."""
        end = None if self.end_s is None else round(self.end_s * sample_rate_hz)
        return round(self.start_s * sample_rate_hz), end

    def length_s(self, file_s: float | None) -> float | None:
        """Return how long it is in a file of a length; None if neither says."""
        ends = [end for end in (self.end_s, file_s) if end is not None]
        return max(0.0, min(ends) - self.start_s) if ends else None

    def behind(self, file_s: float) -> OpenL3Error:
        """Return the error that there is nothing of it in a file of a length."""
        return OpenL3Error(f"The section begins at {self.start_s:g} s, and the file ends at {file_s:.2f} s.")

    def shortage(self, file_s: float) -> str:
        """Return what is wrong if a file ends before it does: words that follow its name."""
        if self.end_s is None or self.end_s - file_s <= PADDING_S:
            return ""
        return f"ends at {file_s:.2f} s, before its section does at {self.end_s:g} s"


class CutRecording:
    """A section of open sound: a `l3embed.decoding.recording.Recording`.

    What is before it is not decoded where the reader can go to a sample and give the same ones
    (`l3embed.decoding.audio.EXACT_SUBTYPES`); what is behind it never is. So of damage behind it nothing is
    known.
    """

    def __init__(self, recording: Recording, section: Section) -> None:
        self._recording, self._section = recording, section
        self.sample_rate_hz, self.channels = recording.sample_rate_hz, recording.channels
        self.damage = ""

    def blocks(self) -> Iterator[Samples]:
        """Yield its samples in blocks, shape ``(N, channels)``.

        Raises
        ------
        OpenL3Error
            If the file ends before it, or nothing can be decoded.
        """
        first, last = self._section.samples(self.sample_rate_hz)
        skip: Callable[[int], int] = getattr(self._recording, "skip", lambda samples: 0)
        place = skip(first)
        has_begun = False
        with closing(cast("Any", self._recording.blocks())) as blocks:
            for block in blocks:
                part = block[max(0, first - place) : None if last is None else max(0, last - place)]
                place += len(block)
                if len(part):
                    has_begun = True
                    yield part
                if last is not None and place >= last:
                    break
            else:
                file_s = place / self.sample_rate_hz
                if not has_begun:
                    raise self._section.behind(file_s)
                self.damage = self._recording.damage or self._section.shortage(file_s)
        if not has_begun:
            raise OpenL3Error("The section is shorter than a sample.")


class CutFrames:
    """The frames of an open video that are shown within a section.

    All before it are decoded, since ffmpeg goes to key frames only; none behind it.

    Attributes
    ----------
    times_s : np.ndarray
        When those that the last pass has yielded are shown, in seconds from the section's beginning.
    """

    def __init__(self, video: VideoFile, section: Section) -> None:
        self._video, self._section = video, section
        self.times_s: Times = np.empty(0)
        self.damage = ""

    def frames(self) -> Iterator[Frames]:
        """Yield the frames in blocks, ``(n, height, width, 3)``. Every call starts from the beginning.

        Raises
        ------
        OpenL3Error
            If there are none.
        """
        section, kept = self._section, []
        end_s = math.inf if section.end_s is None else section.end_s
        with closing(cast("Any", self._video.frames())) as blocks:
            for block in blocks:
                times_s = self._video.frame_times_s[-len(block) :]
                is_within = (times_s >= section.start_s) & (times_s < end_s)
                if is_within.any():
                    kept.append(times_s[is_within] - section.start_s)
                    yield block[is_within]
                if times_s[-1] >= end_s:
                    break
            else:
                self.damage = self._video.damage
        if not kept:
            raise OpenL3Error(f"No frame of the video is shown within its section: {self._described}.")
        self.times_s = np.concatenate(kept)

    @property
    def _described(self) -> str:
        times_s = self._video.frame_times_s
        last = f", the last frame at {times_s[-1]:.2f} s" if len(times_s) else ""
        end_s = self._section.end_s
        return f"{self._section.start_s:g} to {'the end' if end_s is None else f'{end_s:g} s'}{last}"

"""How a folder's sounds were cut into windows, and what of a file a window looks at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from l3embed.inputs.windows import Framing
from l3embed.search.asked import Part
from l3embed.search.embedded_inputs import Input, SearchedFolder, Times
from l3embed.variants import SAMPLE_RATE_HZ, WINDOW_SAMPLES, Modality

Places = npt.NDArray[np.intp]

WINDOW_S = WINDOW_SAMPLES / SAMPLE_RATE_HZ

MOST_LOOKED_AT = 20
"""Inputs that are looked at for one with two frames, which tell the hop."""


def framing_of(source: SearchedFolder, frame_counts: Sequence[int] | None) -> Framing:
    """Return how a folder's sounds were cut, from the times of its frames and the lengths of its files.

    The hop is the time from one frame to the next; where no file has two, OpenL3's. Windows are taken to be
    centred, as they are by default, unless more files have as many as they would otherwise.

    Raises
    ------
    OpenL3Error
        If the folder holds whole files alone, so that nothing tells the hop.
    """
    hop_s = _hop_s(source)
    framings = [Framing(hop_s, center=center) for center in (True, False)]
    if frame_counts is None:
        return framings[0]
    return max(framings, key=lambda framing: _fits(source.inputs, frame_counts, framing))


def _hop_s(source: SearchedFolder) -> float:
    places = range(min(MOST_LOOKED_AT, len(source.inputs)))
    for frames in source.frames(places):
        if len(frames.times_s) > 1:
            return float(frames.times_s[1] - frames.times_s[0])
    return Framing().hop_s


def _fits(inputs: Sequence[Input], counts: Sequence[int], framing: Framing) -> int:
    """Return how many files have as many frames as a framing gives them."""
    known = [(each.duration_s, count) for each, count in zip(inputs, counts, strict=True) if each.duration_s]
    return sum(framing.frames(round(seconds * SAMPLE_RATE_HZ)) == count for seconds, count in known)


def window_of(time_s: float, each: Input, modality: Modality, framing: Framing) -> tuple[float, float]:
    """Return from when to when the network looked at a file for the embedding of a time, in seconds."""
    if modality is Modality.IMAGE:
        return time_s, time_s
    begin_s = time_s - (WINDOW_S / 2 if framing.center else 0)
    end_s = begin_s + WINDOW_S
    return max(0.0, begin_s), end_s if each.duration_s is None else min(end_s, max(time_s, each.duration_s))


def frames_in(part: Part, times_s: Times, modality: Modality, framing: Framing) -> Places:
    """Return which frames a part consists of: those whose windows have their middles in it, ``(n,)``.

    Of a part between two middles, the frame whose middle is nearest to the part's own, if its window has any
    of it.
    """
    centred = modality is Modality.IMAGE or framing.center
    middles = times_s if centred else times_s + WINDOW_S / 2
    found: Places = np.flatnonzero((middles >= part.begin_s) & (middles <= part.end_s))
    if len(found) or not len(middles):
        return found
    nearest = int(np.argmin(np.abs(middles - (part.begin_s + part.end_s) / 2)))
    reach_s = 0.0 if modality is Modality.IMAGE else WINDOW_S / 2
    is_near = part.begin_s < middles[nearest] + reach_s and part.end_s > middles[nearest] - reach_s
    return np.array([nearest]) if is_near else found

"""Samples to the windows that the audio network looks at: downmix, resample, centre, pad, frame.

Everything works on blocks as they come, and nothing is held longer than a window needs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error
from l3embed.inputs.resampling import Resampler
from l3embed.variants import CENTER_PAD_SAMPLES, SAMPLE_RATE_HZ, WINDOW_SAMPLES

LOWEST_SAMPLE_RATE_HZ = 1000

Samples = npt.NDArray[np.float64]
Windows = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Framing:
    """How audio is cut into windows of one second.

    Parameters
    ----------
    hop_s : float
        Seconds from one window to the next.
    center : bool
        Whether half a second of zeros goes in front, so that timestamps are the windows' centres.
    """

    hop_s: float = 0.1
    center: bool = True

    def __post_init__(self) -> None:
        if self.hop_samples < 1:
            raise OpenL3Error(
                f"hop_size must be at least one sample, 1/{SAMPLE_RATE_HZ} of a second; got {self.hop_s}."
            )

    @property
    def hop_samples(self) -> int:
        """The hop at 48 kHz, cut to an integer as the reference does."""
        # 0.29 s is 13,919 samples, not 13,920, because 0.29 * 48000 falls short in binary: the
        # reference's windows lie there, and so do ours.
        return int(self.hop_s * SAMPLE_RATE_HZ)

    @property
    def parameters(self) -> dict[str, float | bool]:
        """What decides about the windows of a recording, as recipes have it."""
        return {"hop_s": float(self.hop_s), "center": self.center}

    def timestamps_s(self, frames: int, first: int = 0) -> npt.NDArray[np.float64]:
        """Return the times of `frames` windows from number `first` on, in seconds, shape ``(frames,)``."""
        return np.arange(first, first + frames, dtype=np.float64) * self.hop_s

    def frames(self, samples: int) -> int:
        """Return how many windows `samples` samples at 48 kHz make (without the zeros in front)."""
        padded = samples + (CENTER_PAD_SAMPLES if self.center else 0)
        return 1 + ceil(max(0, padded - WINDOW_SAMPLES) / self.hop_samples)


def downmix(block: npt.NDArray[np.generic]) -> Samples:
    """Average the channels of a block: ``(N,)`` or ``(N, channels)`` to ``(N,)`` in double precision.

    Raises
    ------
    OpenL3Error
        If the block has other dimensions, or samples that are not finite numbers.
    """
    if block.ndim not in (1, 2):
        raise OpenL3Error(f"Audio must have shape (samples,) or (samples, channels); got {block.shape}.")
    if not (np.issubdtype(block.dtype, np.number) or block.dtype == np.bool_) or np.iscomplexobj(block):
        raise OpenL3Error(f"Audio must be an array of real numbers; got the type {block.dtype}.")
    mono = block.astype(np.float64) if block.ndim == 1 else _mean_of_channels(block)
    if not np.isfinite(mono).all():
        raise OpenL3Error("Audio must hold finite numbers; got NaN or infinite samples.")
    return mono


def _mean_of_channels(block: npt.NDArray[Any]) -> Samples:
    """Average the channels, one after the other: NumPy's mean goes along short rows, ten times as slow."""
    channels = block.shape[1]
    total = block[:, 0].astype(np.float64) if channels else np.full(len(block), np.nan)
    for channel in range(1, channels):
        total += block[:, channel]
    total /= channels
    return total


def check_sample_rate(name: str, sample_rate_hz: float) -> None:
    """Check that a rate is one of sound: a few samples at 1 Hz would make hours of it.

    Raises
    ------
    OpenL3Error
        If it is too low.
    """
    if sample_rate_hz < LOWEST_SAMPLE_RATE_HZ:
        raise OpenL3Error(f"{name} must be at least {LOWEST_SAMPLE_RATE_HZ} Hz; got {sample_rate_hz:g} Hz.")


class MonoStream:
    """Blocks of samples at any rate and of any channel count to 48 kHz mono, and what was heard in them."""

    def __init__(self, sample_rate_hz: float) -> None:
        check_sample_rate("The sample rate", sample_rate_hz)
        self._resampler = None if sample_rate_hz == SAMPLE_RATE_HZ else Resampler(sample_rate_hz)
        self.samples_in = 0
        self.samples_out = 0
        self.is_silent = True

    def feed(self, block: npt.NDArray[np.generic]) -> Samples:
        """Take a block, shape ``(N,)`` or ``(N, channels)``, and return what can be resampled by now."""
        mono = downmix(block)
        self.samples_in += mono.size
        self.is_silent = self.is_silent and not block.any()
        return self._count(self._resampler.feed(mono) if self._resampler else mono)

    def finish(self) -> Samples:
        """Return the last samples.

        Raises
        ------
        OpenL3Error
            If all the blocks together were empty, or too short to leave a sample at 48 kHz.
        """
        rest = self._count(self._resampler.finish() if self._resampler else np.empty(0))
        if self.samples_in == 0:
            raise OpenL3Error("The audio is empty: it has no samples.")
        if self.samples_out == 0:
            raise OpenL3Error(f"The audio is too short: its {self.samples_in} samples make none at 48 kHz.")
        return rest

    @property
    def is_short(self) -> bool:
        """Whether the audio, once finished, was shorter than one window."""
        return self.samples_out < WINDOW_SAMPLES

    def _count(self, samples: Samples) -> Samples:
        self.samples_out += samples.size
        return samples


class Framer:
    """Blocks of 48 kHz mono samples to windows of one second."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._pending: list[npt.NDArray[np.floating]] = []
        self._pending_samples = 0
        self._skip_samples = 0
        self._samples = 0
        self._windows_out = 0
        if framing.center:
            self._append(np.zeros(CENTER_PAD_SAMPLES))

    def feed(self, block: npt.NDArray[np.floating]) -> Windows:
        """Take samples, shape ``(N,)``, and return the windows that they complete, ``(n, 48000)``.

        The windows are views into one buffer: copy what is to be kept or changed.
        """
        self._samples += block.size
        self._append(block)
        if self._pending_samples < WINDOW_SAMPLES:
            return np.empty((0, WINDOW_SAMPLES))
        return self._cut()

    def finish(self) -> Windows:
        """Return the last windows, filled up with zeros so that every sample was in one."""
        missing = self._framing.frames(self._samples) - self._windows_out
        reach = (missing - 1) * self._framing.hop_samples + WINDOW_SAMPLES + self._skip_samples
        self._append(np.zeros(max(0, reach - self._pending_samples)))
        return self._cut()[: max(missing, 0)]

    def _append(self, block: npt.NDArray[np.floating]) -> None:
        # Hops longer than a window leave samples out: they are dropped as soon as they come.
        dropped = min(self._skip_samples, block.size)
        self._skip_samples -= dropped
        self._pending.append(block[dropped:])
        self._pending_samples += block.size - dropped

    def _cut(self) -> Windows:
        """Cut the complete windows off the front of the pending samples."""
        hop = self._framing.hop_samples
        samples = np.concatenate(self._pending)
        if samples.size < WINDOW_SAMPLES:
            return np.empty((0, WINDOW_SAMPLES))
        windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW_SAMPLES)[::hop]
        self._windows_out += len(windows)
        used = len(windows) * hop
        self._pending, self._pending_samples = [], 0
        self._skip_samples = max(0, used - samples.size)
        self._append(samples[used:].copy())
        return windows

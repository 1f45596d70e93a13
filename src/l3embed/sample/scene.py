"""The place where the sounds of one clip are mixed, and the parts that several instruments are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Samples: TypeAlias = NDArray[np.float64]

PEAK = 10 ** (-3 / 20)
"""The largest absolute sample of a clip: -3 dBFS, room for a lossy codec's overshoot."""

FADE_IN_S = 0.004
FADE_OUT_S = 0.09


@dataclass
class Scene:
    """One clip while it is being made.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance.
    sample_rate_hz : int
        Samples a second.
    duration_s : float
        Length of the clip in seconds.
    channels : int
        1 or 2.
    character : float
        From 0 to 1: where this clip lies among those of its class (low to high, slow to fast, thin to dense).
    """

    rng: np.random.Generator
    sample_rate_hz: int
    duration_s: float
    channels: int
    character: float
    samples: Samples = field(init=False)
    """What was mixed so far, of shape (samples, channels)."""

    def __post_init__(self) -> None:
        self.samples = np.zeros((round(self.duration_s * self.sample_rate_hz), self.channels))

    @property
    def highest_hz(self) -> float:
        """The highest frequency that the instruments use: a little below half the sample rate."""
        return 0.46 * self.sample_rate_hz

    def between(self, low: float, high: float) -> float:
        """Return the value that the clip's character stands for, on a logarithmic scale from low to high."""
        return float(low * (high / low) ** self.character)

    def times_s(self, duration_s: float) -> Samples:
        """Return the times, in seconds from 0, of the samples of a sound that lasts duration_s."""
        return np.arange(round(duration_s * self.sample_rate_hz)) / self.sample_rate_hz

    def noise(self, duration_s: float, low_hz: float, high_hz: float) -> Samples:
        """Return noise between two frequencies (12 dB an octave outside), with a root mean square of 1."""
        count = max(round(duration_s * self.sample_rate_hz), 16)
        size = fft.next_fast_len(count, real=True)
        spectrum = fft.rfft(self.rng.standard_normal(size))
        frequency_hz = np.maximum(fft.rfftfreq(size, 1 / self.sample_rate_hz), 1.0)
        spectrum /= np.sqrt((1 + (low_hz / frequency_hz) ** 4) * (1 + (frequency_hz / high_hz) ** 4))
        spectrum[0] = 0
        noise = fft.irfft(spectrum, size)[:count]
        return np.asarray(noise / np.sqrt(np.mean(noise**2)))

    def ringing(self, frequency_hz: float, decay_s: float, count: int) -> Samples:
        """Return a struck mode: count samples of a sine that falls by a factor of e in decay_s."""
        step = np.exp((2j * np.pi * frequency_hz - 1 / decay_s) / self.sample_rate_hz)
        return np.asarray(np.cumprod(np.full(count, step)).imag)

    def add(self, sound: Samples, onset_s: float = 0.0, pan: float | Samples = 0.0) -> None:
        """Mix in a sound; what reaches beyond the end of the clip is cut.

        Parameters
        ----------
        sound : numpy.ndarray
            Of shape (samples,).
        onset_s : float
            When it starts, in seconds.
        pan : float or numpy.ndarray
            From -1 (left) to 1 (right), at constant power; one value, or one a sample for a source that
            moves. A clip with one channel has no sides.
        """
        start = round(onset_s * self.sample_rate_hz)
        sound = sound[: max(len(self.samples) - start, 0)]
        place = self.samples[start : start + len(sound)]
        if self.channels == 1:
            place[:, 0] += sound
            return
        angle = (np.asarray(pan) + 1) * np.pi / 4
        angle = angle[: len(sound)] if angle.ndim else angle
        place[:, 0] += np.cos(angle) * sound
        place[:, 1] += np.sin(angle) * sound

    def add_room(self, level: float, decay_s: float) -> None:
        """Let the clip ring in a room: an echo that falls by 60 dB in decay_s, another one on each side."""
        time_s = self.times_s(decay_s)
        size = fft.next_fast_len(len(self.samples) + len(time_s), real=True)
        for channel in range(self.channels):
            echo = self.noise(decay_s, 150, 4500)[: len(time_s)] * 10 ** (-3 * time_s / decay_s)
            echo *= np.minimum(time_s / 0.012, 1)  # the direct sound comes first
            echo *= level / np.sqrt(np.sum(echo**2))
            spectrum = fft.rfft(self.samples[:, channel], size) * fft.rfft(echo, size)
            self.samples[:, channel] += fft.irfft(spectrum, size)[: len(self.samples)]

    def finished(self) -> Samples:
        """Return the clip, of shape (samples, channels), faded in and out and brought to its peak level."""
        samples = self.samples - self.samples.mean(axis=0)
        for fade_s, side in ((FADE_IN_S, slice(None)), (FADE_OUT_S, slice(None, None, -1))):
            count = round(fade_s * self.sample_rate_hz)
            ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(count) / count)
            samples[side][:count] *= ramp[:, np.newaxis]
        return np.asarray(samples * (PEAK / np.abs(samples).max()))


def tone(frequency_hz: Samples, sample_rate_hz: int) -> Samples:
    """Return a sine whose frequency, one value a sample, may glide."""
    return np.sin(2 * np.pi * np.cumsum(frequency_hz) / sample_rate_hz)

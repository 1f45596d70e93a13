"""Windows that are hard on a spectrogram: ``(48000,)`` each, in double precision."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from conftest import noise

from l3embed.variants import SAMPLE_RATE_HZ, WINDOW_SAMPLES

Window = npt.NDArray[np.float64]


def _sine(frequency_hz: float) -> Window:
    times_s = np.arange(WINDOW_SAMPLES) / SAMPLE_RATE_HZ
    sine: Window = np.sin(2 * np.pi * frequency_hz * times_s)
    return sine


def _impulse() -> Window:
    window = np.zeros(WINDOW_SAMPLES)
    window[WINDOW_SAMPLES // 3] = 1.0
    return window


SIGNALS: dict[str, Window] = {
    "noise": noise(1),
    "silence": np.zeros(WINDOW_SAMPLES),
    "sine": _sine(440.0),
    "impulse": _impulse(),
    "very quiet": 1e-6 * noise(1),
    "clipped": np.clip(5 * _sine(997.0), -1, 1),
}

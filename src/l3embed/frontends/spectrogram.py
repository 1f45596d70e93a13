"""Windows of samples to spectrograms on the CPU: what both frontends have in common.

The Fourier transform is part of the definition: spectrograms reach down to where a transform in single
precision rounds, and numbers there are those of the algorithm. SciPy's agrees with TensorFlow's to the bit.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from l3embed.frontends.decibel import magnitudes_to_decibels
from l3embed.frontends.mel import mel_bands
from l3embed.variants import SPECTROGRAM_HOP_SAMPLES, SpectrogramShape

FRAMES_AT_ONCE = 32
"""Frames that are transformed together: what lies in between stays in the processor's cache, and in memory
that is used over and over. Larger arrays are asked of the system each time, which then clears them."""

Window = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Plan:
    """How a frontend computes a spectrogram.

    Parameters
    ----------
    shape : SpectrogramShape
        Which.
    taper : np.ndarray [shape=(fft_samples,)]
        The window function; its precision is that of the computation.
    padding : tuple[int, int]
        Zeros before and behind the samples.
    """

    shape: SpectrogramShape
    taper: Window
    padding: tuple[int, int]


def spectrograms(windows: npt.NDArray[np.floating], plan: Plan) -> npt.NDArray[np.floating]:
    """Compute the spectrograms of windows, ``(n, samples)`` to ``(n, frequency, time, 1)``, in decibels."""
    shape, before = plan.shape, plan.padding[0]
    result = np.empty((len(windows), *shape.input_shape), plan.taper.dtype)
    padded = np.zeros(windows.shape[1] + sum(plan.padding), plan.taper.dtype)
    magnitudes = np.empty((shape.frames, shape.fft_samples // 2 + 1), plan.taper.dtype)
    for number, window in enumerate(windows):
        padded[before : before + len(window)] = window
        _fill_magnitudes(magnitudes, padded, plan)
        filtered = _mel(magnitudes, shape) if shape.is_mel else magnitudes
        result[number, :, :, 0] = magnitudes_to_decibels(filtered[np.newaxis])[0].T
    return result


def _fill_magnitudes(magnitudes: Window, padded: Window, plan: Plan) -> None:
    """Compute the magnitudes of one window, ``(time, frequency)``."""
    from scipy.fft import rfft

    shape = plan.shape
    frames = np.lib.stride_tricks.sliding_window_view(padded, shape.fft_samples)[::SPECTROGRAM_HOP_SAMPLES]
    for start in range(0, shape.frames, FRAMES_AT_ONCE):
        some = slice(start, min(start + FRAMES_AT_ONCE, shape.frames))
        np.abs(rfft(frames[some] * plan.taper), out=magnitudes[some])


def _mel(magnitudes: Window, shape: SpectrogramShape) -> Window:
    mel = np.empty((shape.frames, shape.bins), magnitudes.dtype)
    for band in mel_bands(shape.fft_samples, shape.bins):
        np.matmul(magnitudes[:, band.bins], band.weights, out=mel[:, band.filters])
    return mel

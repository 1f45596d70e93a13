"""Windows of samples to spectrograms on the CPU: what both frontends have in common.

The Fourier transform is part of the definition: spectrograms reach down to where a transform in single
precision rounds, and numbers there are those of the algorithm. SciPy's agrees with TensorFlow's to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from l3embed.frontends.decibel import magnitudes_to_decibels
from l3embed.frontends.mel import mel_bands
from l3embed.variants import SPECTROGRAM_HOP_SAMPLES, SpectrogramShape

Window = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Recipe:
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


def spectrograms(windows: npt.NDArray[np.floating], recipe: Recipe) -> npt.NDArray[np.floating]:
    """Compute the spectrograms of windows, ``(n, samples)`` to ``(n, frequency, time, 1)``, in decibels."""
    shape = recipe.shape
    result = np.empty((len(windows), *shape.input_shape), recipe.taper.dtype)
    before, behind = recipe.padding
    padded = np.zeros(before + windows.shape[1] + behind, recipe.taper.dtype)
    # One window at a time, since what is computed on the way then stays in the processor's cache.
    for number, window in enumerate(windows):
        padded[before : before + len(window)] = window
        decibels = magnitudes_to_decibels(_magnitudes(padded, recipe)[np.newaxis])[0]
        result[number, :, :, 0] = decibels.T
    return result


def _magnitudes(padded: Window, recipe: Recipe) -> npt.NDArray[np.floating]:
    """Return the magnitudes of one window, shape ``(time, frequency)``."""
    from scipy.fft import rfft

    shape = recipe.shape
    frames = np.lib.stride_tricks.sliding_window_view(padded, shape.fft_samples)[::SPECTROGRAM_HOP_SAMPLES]
    magnitudes: npt.NDArray[np.floating] = np.abs(rfft(frames[: shape.frames] * recipe.taper))
    if not shape.is_mel:
        return magnitudes
    mel = np.empty((shape.frames, shape.bins), magnitudes.dtype)
    for band in mel_bands(shape.fft_samples, shape.bins):
        np.matmul(magnitudes[:, band.bins], band.weights, out=mel[:, band.filters])
    return mel

"""The librosa frontend: the numbers of the functions of librosa that the reference calls."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from l3embed.frontends import spectrogram
from l3embed.variants import SPECTROGRAMS, InputRepr


def spectrograms(windows: npt.NDArray[np.floating], input_repr: InputRepr) -> npt.NDArray[np.floating]:
    """Compute the spectrograms of windows, in double precision.

    Parameters
    ----------
    windows : np.ndarray [shape=(batch, 48000)]
        Samples at 48 kHz. Give float64 for the reference's numbers, since bins at rounding level depend
        on it.
    input_repr : InputRepr
        Which spectrogram.

    Returns
    -------
    np.ndarray [shape=(batch, frequency, time, 1)]
        Decibels, from -80 to 0, in the windows' precision.
    """
    precision = np.result_type(windows.dtype, np.float32)
    return spectrogram.spectrograms(windows, _plan(input_repr, precision))


@cache
def _plan(input_repr: InputRepr, precision: np.dtype[np.floating]) -> spectrogram.Plan:
    shape = SPECTROGRAMS[input_repr]
    periods = np.arange(shape.fft_samples) / shape.fft_samples
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * periods)
    # The reference pads mel spectrograms at both ends, and linear ones not at all.
    padding = (shape.fft_samples // 2, shape.fft_samples // 2) if shape.is_mel else (0, 0)
    return spectrogram.Plan(shape, hann.astype(precision), padding)

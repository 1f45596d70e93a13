"""The kapre frontend on the CPU: the numbers of kapre's layers, without TensorFlow."""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from l3embed.frontends import spectrogram
from l3embed.variants import (
    SPECTROGRAM_HOP_SAMPLES,
    SPECTROGRAMS,
    WINDOW_SAMPLES,
    InputRepr,
    SpectrogramShape,
)

WINDOWS_FILE = "hann_windows.npz"


def hann_window(samples: int) -> npt.NDArray[np.float32]:
    """Return the periodic Hann window of 512 or 2048 samples that the reference's TensorFlow computes.

    It is kept as data, because a cosine that rounds otherwise (another library's, or a GPU's) moves
    bins at rounding level by up to 5 dB, and embeddings by up to 0.8 %.
    """
    file = resources.files(__package__).joinpath(WINDOWS_FILE)
    with file.open("rb") as stream, np.load(stream) as windows:
        window: npt.NDArray[np.float32] = windows[f"hann_{samples}"]
        return window


def spectrograms(windows: npt.NDArray[np.floating], input_repr: InputRepr) -> npt.NDArray[np.floating]:
    """Compute the spectrograms of windows, as kapre's layers do, in single precision.

    Parameters
    ----------
    windows : np.ndarray [shape=(batch, 48000)]
        Samples at 48 kHz; rounded to float32, as they reach the reference's layers.
    input_repr : InputRepr
        Which spectrogram.

    Returns
    -------
    np.ndarray [shape=(batch, frequency, time, 1)]
        Decibels, from -80 to 0, in float32.
    """
    return spectrogram.spectrograms(windows, _plan(input_repr))


def padded_samples(shape: SpectrogramShape) -> int:
    """Return how many samples a window has with the zeros at its end, if any.

    The reference pads mel spectrograms only: every sample begins a frame.
    """
    reach = (shape.frames - 1) * SPECTROGRAM_HOP_SAMPLES + shape.fft_samples
    return max(WINDOW_SAMPLES, reach)


@cache
def _plan(input_repr: InputRepr) -> spectrogram.Plan:
    shape = SPECTROGRAMS[input_repr]
    padding = (0, padded_samples(shape) - WINDOW_SAMPLES)
    return spectrogram.Plan(shape, hann_window(shape.fft_samples), padding)

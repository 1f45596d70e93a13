"""The librosa frontend: spectrograms on the CPU, in double precision, before the model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from l3embed.frontends.decibel import magnitudes_to_decibels
from l3embed.variants import SAMPLE_RATE_HZ, SPECTROGRAM_HOP_SAMPLES, SPECTROGRAMS, InputRepr


def spectrograms(windows: npt.NDArray[np.floating], input_repr: InputRepr) -> npt.NDArray[np.floating]:
    """Compute the spectrograms of windows.

    Parameters
    ----------
    windows : np.ndarray [shape=(batch, 48000)]
        Samples at 48 kHz. Their precision is that of the Fourier transform: give float64 for the
        reference's numbers, since bins at rounding level depend on it.
    input_repr : InputRepr
        Which spectrogram.

    Returns
    -------
    np.ndarray [shape=(batch, frequency, time, 1)]
        Decibels, from -80 to 0.
    """
    import librosa

    shape = SPECTROGRAMS[input_repr]
    # The reference pads mel spectrograms at both ends, and linear ones not at all.
    magnitudes = np.abs(
        librosa.stft(
            windows, n_fft=shape.fft_samples, hop_length=SPECTROGRAM_HOP_SAMPLES, center=shape.is_mel
        )
    )
    if shape.is_mel:
        magnitudes = librosa.feature.melspectrogram(
            S=magnitudes, sr=SAMPLE_RATE_HZ, n_fft=shape.fft_samples, n_mels=shape.bins, power=1.0
        )
    return magnitudes_to_decibels(magnitudes)[..., np.newaxis]

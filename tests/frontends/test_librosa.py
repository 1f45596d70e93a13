"""The librosa frontend against the functions of librosa that it stands for, in double precision."""

from __future__ import annotations

import librosa as original
import numpy as np
import numpy.typing as npt
import pytest

from frontends.signals import SIGNALS, Window
from l3embed.frontends import librosa
from l3embed.variants import InputRepr

EACH_INPUT_REPR = pytest.mark.parametrize("input_repr", InputRepr, ids=lambda choice: choice.value)
MEL_FILTERS = {InputRepr.MEL128: 128, InputRepr.MEL256: 256}


def magnitudes_of_librosa(window: Window, input_repr: InputRepr) -> npt.NDArray[np.float64]:
    if input_repr is InputRepr.LINEAR:
        linear: npt.NDArray[np.float64] = np.abs(
            original.stft(window, n_fft=512, hop_length=242, center=False)
        )
        return linear
    magnitudes = np.abs(original.stft(window, n_fft=2048, hop_length=242, center=True))
    mel: npt.NDArray[np.float64] = original.feature.melspectrogram(
        S=magnitudes, sr=48_000, n_mels=MEL_FILTERS[input_repr]
    )
    return mel


def decibels(magnitudes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """As the reference has them: of magnitudes, below their maximum, floored at -80."""
    levels = 10 * np.log10(np.maximum(magnitudes, 1e-10))
    floored: npt.NDArray[np.float64] = np.maximum(levels - levels.max(), -80.0)
    return floored


@EACH_INPUT_REPR
@pytest.mark.parametrize("name", SIGNALS)
def test_decibels_are_those_of_librosa_s_functions(name: str, input_repr: InputRepr) -> None:
    expected = decibels(magnitudes_of_librosa(SIGNALS[name], input_repr))

    spectrogram = librosa.spectrograms(SIGNALS[name][np.newaxis], input_repr)

    assert spectrogram.dtype == np.float64
    assert spectrogram.shape == (1, *expected.shape, 1)
    np.testing.assert_allclose(spectrogram[0, :, :, 0], expected, rtol=0, atol=1e-6)


@EACH_INPUT_REPR
def test_a_spectrogram_does_not_depend_on_the_other_windows(input_repr: InputRepr) -> None:
    windows = np.stack(list(SIGNALS.values()))

    together = librosa.spectrograms(windows, input_repr)

    for window, spectrogram in zip(windows, together, strict=True):
        np.testing.assert_array_equal(librosa.spectrograms(window[np.newaxis], input_repr)[0], spectrogram)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["single", "double"])
def test_the_precision_is_the_windows_own(dtype: type[np.floating]) -> None:
    window = SIGNALS["noise"][np.newaxis].astype(dtype)

    assert librosa.spectrograms(window, InputRepr.LINEAR).dtype == dtype

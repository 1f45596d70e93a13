"""The kapre frontend in NumPy against kapre's layers in TensorFlow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from frontends.signals import SIGNALS
from l3embed.frontends import kapre, kapre_layers
from l3embed.variants import SPECTROGRAMS, InputRepr

EACH_INPUT_REPR = pytest.mark.parametrize("input_repr", InputRepr, ids=lambda choice: choice.value)


def spectrograms_of_the_layers(
    windows: npt.NDArray[np.float64], input_repr: InputRepr
) -> npt.NDArray[np.float32]:
    import tensorflow as tf

    with tf.device("CPU"):
        layer = kapre_layers.spectrogram_layer(input_repr)
        return np.asarray(layer(windows[:, np.newaxis].astype(np.float32)))


@EACH_INPUT_REPR
@pytest.mark.parametrize("name", SIGNALS)
def test_decibels_are_those_of_kapre_s_layers(name: str, input_repr: InputRepr) -> None:
    window = SIGNALS[name][np.newaxis]

    spectrogram = kapre.spectrograms(window, input_repr)

    assert spectrogram.dtype == np.float32
    expected = spectrograms_of_the_layers(window, input_repr)
    np.testing.assert_allclose(spectrogram, expected, rtol=0, atol=1e-4)


@EACH_INPUT_REPR
def test_a_spectrogram_does_not_depend_on_the_other_windows(input_repr: InputRepr) -> None:
    windows = np.stack(list(SIGNALS.values()))

    together = kapre.spectrograms(windows, input_repr)

    for window, spectrogram in zip(windows, together, strict=True):
        np.testing.assert_array_equal(kapre.spectrograms(window[np.newaxis], input_repr)[0], spectrogram)


@EACH_INPUT_REPR
def test_no_windows_make_no_spectrograms(input_repr: InputRepr) -> None:
    spectrograms = kapre.spectrograms(np.empty((0, 48_000)), input_repr)

    assert spectrograms.shape == (0, *SPECTROGRAMS[input_repr].input_shape)


def test_single_and_double_precision_are_the_same_once_rounded() -> None:
    window = SIGNALS["noise"][np.newaxis]

    np.testing.assert_array_equal(
        kapre.spectrograms(window, InputRepr.MEL128),
        kapre.spectrograms(window.astype(np.float32), InputRepr.MEL128),
    )

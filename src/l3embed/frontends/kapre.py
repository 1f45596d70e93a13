"""The kapre frontend: spectrograms as layers of the model, on whatever device the model runs on."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.frontends.decibel import magnitude_tensors_to_decibels
from l3embed.variants import SAMPLE_RATE_HZ, SPECTROGRAM_HOP_SAMPLES, SPECTROGRAMS, InputRepr

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


@cache
def _layer_classes() -> dict[str, Any]:
    """Return the layers that kapre does not have as they are needed here, made when first asked for."""
    import kapre
    import keras
    import tensorflow as tf

    @keras.saving.register_keras_serializable(package="l3embed")
    class StoredWindowSTFT(kapre.STFT):  # type: ignore[misc]
        """kapre's STFT with the stored window."""

        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            window = hann_window(self.n_fft)
            self.window_fn = lambda frame_length, dtype: tf.cast(window, dtype)

    @keras.saving.register_keras_serializable(package="l3embed")
    class WindowDecibels(keras.layers.Layer):  # type: ignore[misc]
        """Magnitudes to decibels below the maximum of each window."""

        def call(self, magnitudes: Any) -> Any:
            return magnitude_tensors_to_decibels(magnitudes)

    return {"stft": StoredWindowSTFT, "decibels": WindowDecibels}


def spectrogram_layers(input_repr: InputRepr) -> list[Any]:
    """Return Keras layers from samples, ``(batch, 1, 48000)``, to decibels, ``(batch, bins, frames, 1)``."""
    import kapre
    import keras

    shape = SPECTROGRAMS[input_repr]
    custom = _layer_classes()
    layers = [
        custom["stft"](
            n_fft=shape.fft_samples,
            hop_length=SPECTROGRAM_HOP_SAMPLES,
            pad_end=shape.is_mel,  # the reference pads mel spectrograms only
            input_data_format="channels_first",
            output_data_format="channels_last",
            name="stft",
        ),
        kapre.Magnitude(name="magnitude"),
    ]
    if shape.is_mel:
        filterbank = {
            "sample_rate": SAMPLE_RATE_HZ,
            "n_freq": shape.fft_samples // 2 + 1,
            "n_mels": shape.bins,
            "f_min": 0.0,
            "f_max": SAMPLE_RATE_HZ / 2,
            "htk": False,
            "norm": "slaney",
        }
        layers.append(
            kapre.ApplyFilterbank(
                type="mel", filterbank_kwargs=filterbank, data_format="channels_last", name="mel"
            )
        )
    return [
        *layers,
        custom["decibels"](name="decibels"),
        keras.layers.Permute((2, 1, 3), name="frequency_first"),
    ]

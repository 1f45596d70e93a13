"""The kapre frontend as layers of a Keras model, on whatever device the model runs on."""

from __future__ import annotations

from functools import cache
from typing import Any

from l3embed.frontends.decibel import magnitude_tensors_to_decibels
from l3embed.frontends.kapre import hann_window
from l3embed.variants import SAMPLE_RATE_HZ, SPECTROGRAM_HOP_SAMPLES, SPECTROGRAMS, InputRepr


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

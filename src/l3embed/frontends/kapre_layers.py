"""The kapre frontend as layers of a Keras model, on whatever device the model runs on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial, reduce
from typing import Any

from l3embed.frontends.decibel import magnitude_tensors_to_decibels
from l3embed.frontends.kapre import hann_window
from l3embed.variants import (
    SAMPLE_RATE_HZ,
    SPECTROGRAM_HOP_SAMPLES,
    SPECTROGRAMS,
    InputRepr,
    SpectrogramShape,
)


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

    @keras.saving.register_keras_serializable(package="l3embed")
    class Spectrogram(keras.layers.Layer):  # type: ignore[misc]
        """Samples to decibels, in one layer, as programs written for openl3 expect of a model's second."""

        def __init__(self, input_repr: str, **options: Any) -> None:
            super().__init__(**options)
            self.input_repr = InputRepr(input_repr)
            steps = _steps(SPECTROGRAMS[self.input_repr])
            # Out of Keras's sight: it would ask for each to be built and saved, and none has weights.
            self._compute: Callable[[Any], Any] = partial(reduce, lambda tensor, step: step(tensor), steps)

        def call(self, samples: Any) -> Any:
            return self._compute(samples)

        @property
        def output_shape(self) -> tuple[int | None, ...]:
            """``(None, frequency, time, 1)``, by the name that Keras 2 had for it."""
            return tuple(self.output.shape)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "input_repr": self.input_repr.value}

    return {"stft": StoredWindowSTFT, "decibels": WindowDecibels, "spectrogram": Spectrogram}


def spectrogram_layer(input_repr: InputRepr) -> Any:
    """Return a Keras layer from samples, ``(batch, 1, 48000)``, to decibels, ``(batch, bins, frames, 1)``."""
    return _layer_classes()["spectrogram"](input_repr.value, name="spectrogram")


def _steps(shape: SpectrogramShape) -> list[Any]:
    """Return the layers that a spectrogram is made by, one after the other."""
    import kapre
    import keras

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

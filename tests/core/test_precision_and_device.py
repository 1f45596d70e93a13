"""What changes the numbers is opt-in and says so; what does not change them is free to choose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import NEEDS_BFLOAT16, noise

from l3embed import OpenL3Error, get_audio_embedding, get_image_embedding, models

OPTIONS: dict[str, Any] = {"input_repr": "mel128", "embedding_size": 512, "hop_size": 1.0, "verbose": 0}


@NEEDS_BFLOAT16
def test_bfloat16_is_off_by_no_more_than_it_says() -> None:
    exact, _ = get_audio_embedding(noise(1.0), 48_000, **OPTIONS)

    embedding, _ = get_audio_embedding(noise(1.0), 48_000, precision="bfloat16", **OPTIONS)

    assert embedding.dtype == np.float32
    difference = np.abs(embedding - exact).max() / np.abs(exact).max()
    assert 1e-5 < difference < 1e-2  # other numbers, and no others than stated
    norms = np.linalg.norm(embedding, axis=1) * np.linalg.norm(exact, axis=1)
    assert ((embedding * exact).sum(axis=1) / norms).min() > 0.9999


def test_a_model_of_less_precision_has_it_in_its_name() -> None:
    model = models.load_audio_embedding_model("mel128", "music", 512, precision="bfloat16")

    assert models.model_origin(model).variant == "audio_mel128_music_512_kapre_bfloat16"


def test_the_cpu_can_be_chosen() -> None:
    automatic, _ = get_audio_embedding(noise(1.0), 48_000, **OPTIONS)

    embedding, _ = get_audio_embedding(noise(1.0), 48_000, device="cpu", **OPTIONS)

    np.testing.assert_allclose(embedding, automatic, atol=1e-5 * np.abs(automatic).max())


def test_a_gpu_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])

    with pytest.raises(OpenL3Error, match="device is gpu, and TensorFlow finds none"):
        get_audio_embedding(noise(1.0), 48_000, device="gpu", **OPTIONS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "tpu"}, "device must be one of auto, cpu, gpu; got 'tpu'"),
        (
            {"precision": "int4"},
            "precision must be one of float32, tf32, bfloat16, float16, int8; got 'int4'",
        ),
    ],
    ids=["device", "precision"],
)
def test_unknown_words_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OpenL3Error, match=message):
        get_image_embedding(np.zeros((224, 224, 3)), **options)

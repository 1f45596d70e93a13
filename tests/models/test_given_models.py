"""Keras models given as `model=`: l3embed's own run in any runtime, others as they are.

The networks are slim.
"""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from conftest import CPU_RUNTIME, EACH_RUNTIME, noise

from l3embed import (
    OpenL3Error,
    get_audio_embedding,
    get_image_embedding,
    models,
    preprocess_audio,
    process_audio_file,
)
from l3embed.models.running import model_network
from l3embed.runtimes.base import Placement
from l3embed.variants import Device, Frontend, FrontendName

ON_CPU: dict[str, Any] = {"device": "cpu", "verbose": 0}
SAME_NUMBERS = 1e-5


def load_audio_model(weights: Path, frontend: FrontendName = "kapre") -> Any:
    return models.load_audio_embedding_model("mel128", "music", 512, frontend, weights=str(weights))


def embed(model: Any, **options: Any) -> npt.NDArray[np.float32]:
    embedding: npt.NDArray[np.float32]
    embedding, _ = get_audio_embedding(noise(1.5), 48_000, model, hop_size=0.5, **ON_CPU, **options)
    return embedding


def predict(model: Any) -> npt.NDArray[np.float32]:
    windows = preprocess_audio(noise(1.5), 48_000, hop_size=0.5)
    embedding: npt.NDArray[np.float32] = model.predict(windows.astype(np.float32), verbose=0)
    return embedding


def relative_difference(ours: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> float:
    assert ours.shape == theirs.shape
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


@EACH_RUNTIME
def test_a_model_of_l3embed_s_gives_in_every_runtime_what_it_predicts(
    runtime: str, slim_weights: Path
) -> None:
    model = load_audio_model(slim_weights)

    assert relative_difference(embed(model, runtime=runtime), predict(model)) <= SAME_NUMBERS


def test_a_model_that_takes_spectrograms_does_as_well(slim_weights: Path) -> None:
    model = load_audio_model(slim_weights, "librosa")
    spectrograms = preprocess_audio(noise(1.5), 48_000, hop_size=0.5, input_repr="mel128")

    embedding = embed(model, frontend="librosa")

    expected = model.predict(spectrograms.astype(np.float32), verbose=0)
    assert relative_difference(embedding, expected) <= SAME_NUMBERS


def test_an_image_model_does_as_well(slim_weights: Path) -> None:
    model = models.load_image_embedding_model("mel256", "music", 512, weights=str(slim_weights))
    pixels = np.random.default_rng(0).uniform(-1, 1, (2, 224, 224, 3)).astype(np.float32)

    embedding = get_image_embedding(pixels, model=model, **ON_CPU)

    assert relative_difference(embedding, model.predict(pixels, verbose=0)) <= SAME_NUMBERS


@pytest.mark.parametrize(
    ("runtime", "expected"),
    [("auto", CPU_RUNTIME), ("keras", "keras")],
    ids=["auto", "keras"],
)
def test_a_model_of_l3embed_s_runs_where_it_was_asked_to(
    runtime: str, expected: str, slim_weights: Path
) -> None:
    model = load_audio_model(slim_weights)

    network = model_network(model, Placement(Device.CPU, runtime))

    assert network.embedder.runtime == expected


def test_new_weights_count_from_the_next_call_on(slim_weights: Path) -> None:
    model = load_audio_model(slim_weights)
    before = embed(model)
    layer = model.get_layer("block4_conv1")
    kernel, bias = layer.get_weights()

    layer.set_weights([2 * kernel, bias + 1])
    try:
        after = embed(model)
        expected = predict(model)
    finally:
        layer.set_weights([kernel, bias])

    assert relative_difference(after, expected) <= SAME_NUMBERS
    assert relative_difference(after, before) > 0.01
    np.testing.assert_array_equal(embed(model), before)


def test_changed_weights_are_not_given_out_for_those_that_were_loaded(slim_weights: Path) -> None:
    model = load_audio_model(slim_weights)
    on_cpu = Placement(Device.CPU)
    as_loaded = model_network(model, on_cpu).origin
    layer = model.get_layer("block4_conv1")
    kernel, bias = layer.get_weights()

    layer.set_weights([2 * kernel, bias])
    try:
        changed = model_network(model, on_cpu).origin
    finally:
        layer.set_weights([kernel, bias])

    assert as_loaded == models.model_origin(model)
    assert changed.variant == as_loaded.variant
    assert changed.weights.startswith("changed:")


def test_unchanged_weights_are_built_into_a_network_once(slim_weights: Path) -> None:
    model = load_audio_model(slim_weights)
    on_cpu = Placement(Device.CPU)

    assert model_network(model, on_cpu).embedder is model_network(model, on_cpu).embedder


@EACH_RUNTIME
def test_a_model_is_kept_by_nobody_but_its_user(runtime: str, slim_weights: Path) -> None:
    path = slim_weights / "openl3_audio_mel128_music.h5"
    model = models.load_audio_embedding_model_from_path(path, "mel128", 512)
    embed(model, runtime=runtime)
    still_there = weakref.ref(model)

    del model
    gc.collect()

    assert still_there() is None


def test_a_foreign_model_runs_in_keras(tiny_model: Any) -> None:
    network = model_network(tiny_model, Placement(Device.CPU))

    assert network.embedder.runtime == "keras"
    assert relative_difference(embed(tiny_model), predict(tiny_model)) <= SAME_NUMBERS


def test_a_foreign_model_that_takes_spectrograms_gets_librosa_s() -> None:
    import keras

    inputs = keras.Input((128, 199, 1))
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))
    spectrograms = preprocess_audio(noise(1.5), 48_000, hop_size=0.5, input_repr="mel128")

    embedding = embed(model, frontend="librosa")

    assert relative_difference(embedding, spectrograms.mean(axis=(1, 2))) <= SAME_NUMBERS


def test_only_networks_of_sound_have_a_frontend(slim_weights: Path) -> None:
    images = models.load_image_embedding_model("mel256", "music", 512, weights=str(slim_weights))
    on_cpu = Placement(Device.CPU)

    assert model_network(images, on_cpu).frontend is None
    assert model_network(load_audio_model(slim_weights, "librosa"), on_cpu).frontend is Frontend.LIBROSA


def test_a_foreign_model_in_openvino_is_an_error_that_tells_what_to_do(tiny_model: Any) -> None:
    with pytest.raises(
        OpenL3Error, match=r"it runs in Keras\. Use runtime keras or auto, or load it with l3embed\.models"
    ):
        embed(tiny_model, runtime="openvino")


@EACH_RUNTIME
def test_an_output_says_which_runtime_made_it(
    runtime: str, slim_weights: Path, tmp_path: Path, write_wav: Any
) -> None:
    path = write_wav("a.wav")

    process_audio_file(str(path), model=load_audio_model(slim_weights), runtime=runtime, hop_size=1, **ON_CPU)

    with np.load(tmp_path / "a.npz") as arrays:
        assert str(arrays["runtime"]) == runtime
        assert str(arrays["variant"]) == "audio_mel128_music_512_kapre"

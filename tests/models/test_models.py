"""Models: shapes, weights, and the pieces that they are put together from."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from conftest import noise, run_child

import l3embed as openl3
from l3embed import OpenL3Error, models
from l3embed.frontends import kapre
from l3embed.frontends.decibel import magnitudes_to_decibels
from l3embed.frontends.kapre import hann_window
from l3embed.networks.layers import trained_layers
from l3embed.runtimes.keras import KerasEmbedder, model_embedder
from l3embed.variants import (
    AudioSize,
    ContentTypeName,
    FrontendName,
    InputRepr,
    InputReprName,
    Modality,
    WeightSet,
)
from l3embed.weights.file import read_layers

VARIANT: tuple[InputReprName, ContentTypeName, AudioSize] = ("mel128", "music", 512)
INPUT_SHAPES: dict[InputReprName, tuple[int, ...]] = {
    "linear": (257, 197, 1),
    "mel128": (128, 199, 1),
    "mel256": (256, 199, 1),
}


@pytest.fixture
def weights_read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The weight files that are read from disk, one after the other."""
    read: list[Path] = []

    def note(path: Path, weight_set: WeightSet) -> Any:
        read.append(path)
        return read_layers(path, weight_set)

    monkeypatch.setattr("l3embed.models.built.read_layers", note)
    monkeypatch.setattr("l3embed.models.running.read_layers", note)
    return read


@pytest.fixture
def zero_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A path that counts as a file of weights, all of them zero: models are made of it in no time."""
    zeros = [
        [np.zeros(shape, np.float32) for shape in layer.weight_shapes.values()]
        for layer in trained_layers(Modality.AUDIO)
    ]
    monkeypatch.setattr("l3embed.models.built.read_layers", lambda *_: zeros)
    path = tmp_path / "weights.h5"
    path.touch()
    return path


def test_a_model_is_read_from_disk_once_a_process(weights_read: list[Path]) -> None:
    first = openl3.models.load_audio_embedding_model(*VARIANT, weights="random:7")
    again = openl3.models.load_audio_embedding_model(*VARIANT, frontend="kapre", weights="random:7")
    for _ in range(2):
        openl3.get_audio_embedding(noise(1), 48_000, None, *VARIANT, hop_size=1, weights="random:7")
    assert first is again
    assert len(weights_read) == 2  # for the Keras model, and for the network that runs without one


def test_other_weights_make_another_model(weights_read: list[Path]) -> None:
    one = openl3.models.load_audio_embedding_model(*VARIANT, weights="random:7")
    other = openl3.models.load_audio_embedding_model(*VARIANT, weights="random:8")
    assert one is not other
    assert any((a != b).any() for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


@pytest.mark.parametrize("frontend", ["kapre", "librosa"])
@pytest.mark.parametrize("embedding_size", [6144, 512])
@pytest.mark.parametrize("input_repr", list(INPUT_SHAPES))
def test_shapes(
    input_repr: InputReprName, embedding_size: AudioSize, frontend: FrontendName, zero_weights: Path
) -> None:
    model = openl3.models.load_audio_embedding_model_from_path(
        str(zero_weights), input_repr, embedding_size, frontend
    )
    expected = (1, 48_000) if frontend == "kapre" else INPUT_SHAPES[input_repr]
    assert model.input_shape == (None, *expected)
    assert model.output_shape == (None, embedding_size)


@pytest.mark.parametrize("input_repr", list(INPUT_SHAPES))
def test_the_second_layer_of_a_model_with_kapre_inside_gives_the_spectrogram(
    input_repr: InputReprName, zero_weights: Path
) -> None:
    import keras

    model = openl3.models.load_audio_embedding_model_from_path(str(zero_weights), input_repr, 512)
    window = noise(1)[np.newaxis].astype(np.float32)

    spectrogram = keras.Model(model.input, model.layers[1].output)(window[:, np.newaxis])

    assert model.layers[1].output_shape == (None, *INPUT_SHAPES[input_repr])
    expected = kapre.spectrograms(window, InputRepr(input_repr))
    np.testing.assert_allclose(spectrogram, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("input_repr", list(INPUT_SHAPES))
def test_the_frontend_is_all_that_models_differ_in(input_repr: InputReprName, zero_weights: Path) -> None:
    """Behind the spectrogram, kapre's and librosa's have the same layers, as those of all representations."""
    variants: list[tuple[InputReprName, FrontendName]]
    variants = [(input_repr, "kapre"), (input_repr, "librosa"), ("mel256", "kapre")]
    with_kapre, with_librosa, of_mel256 = (
        openl3.models.load_audio_embedding_model_from_path(str(zero_weights), of, 512, frontend).layers
        for of, frontend in variants
    )
    assert [(type(layer), layer.output.shape) for layer in with_kapre[2:]] == [
        (type(layer), layer.output.shape) for layer in with_librosa[1:]
    ]
    assert [type(layer) for layer in with_kapre] == [type(layer) for layer in of_mel256]


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_model_can_be_saved_and_loaded(name: str, zero_weights: Path, tmp_path: Path) -> None:
    import keras

    model = openl3.models.load_audio_embedding_model_from_path(str(zero_weights), "mel128", 512)
    model.get_layer("audio_embedding_layer").bias.assign(np.arange(512))
    window = noise(1)[np.newaxis, np.newaxis].astype(np.float32)

    model.save(tmp_path / name)

    loaded = keras.models.load_model(tmp_path / name)
    assert loaded.layers[1].output_shape == (None, 128, 199, 1)
    np.testing.assert_array_equal(loaded(window), model(window))


def test_the_network_in_its_own_words(zero_weights: Path) -> None:
    """Filters, kernels and pooling, as reference.md and the published weight files have them."""
    import keras

    model = openl3.models.load_audio_embedding_model_from_path(str(zero_weights), "mel256", 6144, "librosa")
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    pools = [layer for layer in model.layers if isinstance(layer, keras.layers.MaxPooling2D)]
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert [layer.filters for layer in convolutions] == [64, 64, 128, 128, 256, 256, 512, 512]
    assert {(layer.kernel_size, layer.padding) for layer in convolutions} == {((3, 3), "same")}
    assert [(layer.pool_size, layer.padding) for layer in pools] == [((2, 2), "valid")] * 3 + [
        ((8, 8), "same")
    ]
    assert [layer.epsilon for layer in norms] == [1e-3] * 8
    assert model.layers[-3].name == "audio_embedding_layer"


def test_a_model_from_a_path_is_the_one_from_the_cache() -> None:
    path = openl3.models.get_audio_embedding_model_path("mel128", "music")
    loaded = openl3.models.load_audio_embedding_model_from_path(path, "mel128", 512)
    cached = openl3.models.load_audio_embedding_model("mel128", "music", 512)
    assert loaded is not cached
    for ours, theirs in zip(loaded.get_weights(), cached.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (models.get_audio_embedding_model_path, "openl3_audio_mel256_env.h5"),
        (models.get_image_embedding_model_path, "openl3_image_mel256_env.h5"),
    ],
    ids=["audio", "image"],
)
def test_weight_files_lie_in_a_folder_named_openl3(function: Callable[[str, str], str], name: str) -> None:
    """As programs written for openl3 expect of them."""
    path = Path(function("mel256", "env"))
    assert path.is_file()
    assert path.is_relative_to(os.environ["L3EMBED_CACHE"])
    assert path.parts[-2:] == ("openl3", name)


def test_the_rate_of_the_samples_is_a_name_of_core() -> None:
    assert openl3.core.TARGET_SR == 48_000


def test_a_path_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        OpenL3Error, match=r"model_path must be the path of a weight file .*missing\.h5 is none"
    ):
        openl3.models.load_audio_embedding_model_from_path(tmp_path / "missing.h5", "mel128", 512)


def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.h5"
    path.write_text("no weights")
    with pytest.raises(OpenL3Error, match="must be an HDF5 file with the weights"):
        openl3.models.load_audio_embedding_model_from_path(path, "mel128", 512)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        pytest.param(models.get_audio_embedding_model_path, ("mel64", "music"), id="path"),
        pytest.param(models.load_audio_embedding_model_from_path, ("a.h5", "mel64", 512), id="from a path"),
    ],
)
def test_an_unknown_representation_is_refused(
    function: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    with pytest.raises(OpenL3Error, match="input_repr must be one of linear, mel128, mel256; got 'mel64'"):
        function(*arguments)


def decibels_by_formula(
    magnitudes: npt.NDArray[np.float64], smallest: float = 1e-10, dynamic_range_db: float = 80.0
) -> npt.NDArray[np.float64]:
    """One window at a time, in double precision."""
    rows = []
    for window in magnitudes:
        decibels = 10 * np.log10(np.maximum(window, smallest))
        rows.append(np.maximum(decibels - decibels.max(), -dynamic_range_db))
    return np.array(rows)


@pytest.mark.parametrize("shape", [(3, 5), (2, 4, 3, 1)], ids=str)
def test_decibels(shape: tuple[int, ...]) -> None:
    magnitudes = 10 ** np.random.default_rng(0).uniform(-12, 2, shape)
    decibels = openl3.models.kapre_v0_1_4_magnitude_to_decibel(magnitudes.astype(np.float32))
    np.testing.assert_allclose(decibels, decibels_by_formula(magnitudes), rtol=0, atol=1e-4)
    # The librosa frontend's, on arrays, is the same in double precision.
    np.testing.assert_allclose(magnitudes_to_decibels(magnitudes), decibels_by_formula(magnitudes), atol=1e-9)


def test_decibels_of_one_axis_are_below_its_own_maximum() -> None:
    magnitudes = np.array([1.0, 100.0, 1e-10, 10.0], np.float32)
    decibels = openl3.models.kapre_v0_1_4_magnitude_to_decibel(magnitudes)
    np.testing.assert_allclose(decibels, [-20.0, 0.0, -80.0, -10.0], rtol=0, atol=1e-5)


def test_decibels_with_another_floor() -> None:
    magnitudes = np.array([[1.0, 1e-3, 1e-6]])
    decibels = openl3.models.kapre_v0_1_4_magnitude_to_decibel(magnitudes, amin=1e-4, dynamic_range=35.0)
    np.testing.assert_allclose(decibels, [[0.0, -30.0, -35.0]], atol=1e-9)
    with_another_reference = openl3.models.kapre_v0_1_4_magnitude_to_decibel(
        magnitudes, ref_value=10.0, amin=1e-4, dynamic_range=35.0
    )
    np.testing.assert_array_equal(with_another_reference, decibels)


def test_silence_is_zero_decibels_everywhere() -> None:
    """Below its own maximum, there is nothing to be below: so the networks see silence."""
    decibels = openl3.models.kapre_v0_1_4_magnitude_to_decibel(np.zeros((1, 4), np.float32))
    np.testing.assert_array_equal(decibels, np.zeros((1, 4)))


@pytest.mark.parametrize("samples", [512, 2048])
def test_the_stored_hann_window_is_tensorflows(samples: int) -> None:
    import tensorflow as tf

    with tf.device("CPU"):
        np.testing.assert_array_equal(hann_window(samples), tf.signal.hann_window(samples, periodic=True))


def test_an_embedder_is_compiled_once_a_model(tiny_model: Any) -> None:
    assert model_embedder(tiny_model) is model_embedder(tiny_model)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_the_model_embedder_keeps_its_contract(batch_size: int, tiny_model: Any) -> None:
    embedder = KerasEmbedder(tiny_model)
    batch = np.random.default_rng(0).normal(size=(batch_size, 1, 48_000)).astype(np.float32)
    embeddings = embedder.embed(batch)
    assert (embedder.input_shape, embedder.embedding_size) == ((1, 48_000), 4)
    assert embeddings.shape == (batch_size, 4)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(embeddings, tiny_model.predict(batch, verbose=0), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("l3embed.models.load_audio_embedding_model('mel128', 'music', 512)", id="model"),
        pytest.param(
            "l3embed.get_audio_embedding(numpy.zeros(9), 48_000, frontend='kapre_graph', device='cpu')",
            id="kapre in the graph",
        ),
    ],
)
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_another_keras_backend_is_refused(backend: str, code: str) -> None:
    """Whether it is installed or not."""
    command = [sys.executable, "-c", f"import l3embed, numpy; {code}"]
    done = run_child(command, env={**os.environ, "KERAS_BACKEND": backend}, status=1)
    assert done.stderr.splitlines()[-1] == (
        f"l3embed.errors.OpenL3Error: l3embed runs Keras on TensorFlow; KERAS_BACKEND is '{backend}'. "
        "Set KERAS_BACKEND=tensorflow before Keras is imported."
    )

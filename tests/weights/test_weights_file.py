"""Reading the arrays of a weight file."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from l3embed.errors import OpenL3Error
from l3embed.variants import ALL_WEIGHT_SETS, WeightSet
from l3embed.weights.file import read_layers
from l3embed.weights.random import write_random_weights

IMAGE = ALL_WEIGHT_SETS[-1]


@pytest.fixture(scope="module")
def audio_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "audio.h5"
    write_random_weights(path, ALL_WEIGHT_SETS[0], 1)
    return path


@pytest.fixture
def spoilt(audio_file: Path, tmp_path: Path) -> Path:
    """A copy to be spoilt."""
    return Path(shutil.copy(audio_file, tmp_path / "spoilt.h5"))


def fails(path: Path, weight_set: WeightSet) -> str:
    with pytest.raises(OpenL3Error) as caught:
        read_layers(path, weight_set)
    message = str(caught.value)
    assert message.startswith(
        f"{path} must be an HDF5 file with the weights of the {weight_set.modality.value}"
    )
    return message


def test_arrays_come_in_the_files_order(audio_file: Path, weight_set: WeightSet) -> None:
    layers = read_layers(audio_file, weight_set)
    with h5py.File(audio_file) as root:
        first_kernel = root["conv2d_1/conv2d_1/kernel:0"][()]
        last_bias = root["audio_embedding_layer/audio_embedding_layer/bias:0"][()]
    assert [len(layer) for layer in layers] == [4, 2] * 8
    np.testing.assert_array_equal(layers[1][0], first_kernel)
    np.testing.assert_array_equal(layers[-1][1], last_bias)
    assert {array.dtype for layer in layers for array in layer} == {np.dtype(np.float32)}


def test_layers_without_weights_are_skipped(spoilt: Path, audio_file: Path, weight_set: WeightSet) -> None:
    with h5py.File(spoilt, "r+") as root:
        root.create_group("max_pooling2d_1").attrs["weight_names"] = np.array([], dtype="S1")
        names = list(root.attrs["layer_names"])
        root.attrs["layer_names"] = np.array([*names[:3], b"max_pooling2d_1", *names[3:]])
    np.testing.assert_array_equal(
        read_layers(spoilt, weight_set)[-1][0], read_layers(audio_file, weight_set)[-1][0]
    )


def test_the_other_network_is_told(audio_file: Path) -> None:
    assert "it holds the weights of an audio network" in fails(audio_file, IMAGE)


def test_a_missing_file_is_told(tmp_path: Path, weight_set: WeightSet) -> None:
    assert "reading it failed" in fails(tmp_path / "missing.h5", weight_set)


def test_what_is_not_hdf5_is_told(tmp_path: Path, weight_set: WeightSet) -> None:
    path = tmp_path / "text.h5"
    path.write_text("no HDF5")
    assert "reading it failed" in fails(path, weight_set)


def test_a_truncated_file_is_told(spoilt: Path, weight_set: WeightSet) -> None:
    spoilt.write_bytes(spoilt.read_bytes()[:1_000_000])
    assert "reading it failed" in fails(spoilt, weight_set)


def test_an_hdf5_file_of_another_kind_is_told(tmp_path: Path, weight_set: WeightSet) -> None:
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as root:
        root["numbers"] = [1.0]
    assert "reading it failed" in fails(path, weight_set)


def test_a_missing_array_is_told(spoilt: Path, weight_set: WeightSet) -> None:
    with h5py.File(spoilt, "r+") as root:
        del root["conv2d_1/conv2d_1/kernel:0"]
    assert "reading it failed" in fails(spoilt, weight_set)


def test_a_missing_layer_is_told(spoilt: Path, weight_set: WeightSet) -> None:
    with h5py.File(spoilt, "r+") as root:
        root.attrs["layer_names"] = root.attrs["layer_names"][:-1]
    assert "it has 15 layers with weights instead of 16" in fails(spoilt, weight_set)


def test_a_wrong_shape_is_told(spoilt: Path, weight_set: WeightSet) -> None:
    with h5py.File(spoilt, "r+") as root:
        del root["conv2d_1/conv2d_1/bias:0"]
        root["conv2d_1/conv2d_1/bias:0"] = np.zeros(65, np.float32)
    message = fails(spoilt, weight_set)
    assert "layer 2 with weights has arrays of the shapes [(3, 3, 1, 64), (65,)]" in message


def test_words_for_numbers_are_told(spoilt: Path, weight_set: WeightSet) -> None:
    with h5py.File(spoilt, "r+") as root:
        del root["conv2d_1/conv2d_1/bias:0"]
        root["conv2d_1/conv2d_1/bias:0"] = np.array([b"zero"] * 64)
    assert "reading it failed" in fails(spoilt, weight_set)

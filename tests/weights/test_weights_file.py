"""Reading the arrays of a weight file."""

import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from l3embed.errors import OpenL3Error
from l3embed.variants import ALL_WEIGHT_SETS, WeightSet
from l3embed.weights.file import WeightFile, describe_weights, read_layers
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
        root.create_group("max_pooling2d_1").attrs["weight_names"] = []  # of floats, as Keras 2 has it
        names = list(root.attrs["layer_names"])
        root.attrs["layer_names"] = np.array([*names[:3], b"max_pooling2d_1", *names[3:]])
    np.testing.assert_array_equal(
        read_layers(spoilt, weight_set)[-1][0], read_layers(audio_file, weight_set)[-1][0]
    )


def test_the_other_network_is_told(audio_file: Path) -> None:
    assert "It holds the weights of an audio network" in fails(audio_file, IMAGE)


def test_a_missing_file_is_told(tmp_path: Path, weight_set: WeightSet) -> None:
    assert "It could not be read" in fails(tmp_path / "missing.h5", weight_set)


def test_what_is_not_hdf5_is_told(tmp_path: Path, weight_set: WeightSet) -> None:
    path = tmp_path / "text.h5"
    path.write_text("no HDF5")
    assert "It could not be read" in fails(path, weight_set)


def test_a_truncated_file_is_told(spoilt: Path, weight_set: WeightSet) -> None:
    spoilt.write_bytes(spoilt.read_bytes()[:1_000_000])
    assert "It could not be read" in fails(spoilt, weight_set)


def test_an_hdf5_file_of_another_kind_is_told(tmp_path: Path, weight_set: WeightSet) -> None:
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as root:
        root["numbers"] = [1.0]
    assert "It could not be read" in fails(path, weight_set)


def test_a_missing_array_is_told(spoilt: Path, weight_set: WeightSet) -> None:
    with h5py.File(spoilt, "r+") as root:
        del root["conv2d_1/conv2d_1/kernel:0"]
    assert "Its /conv2d_1/conv2d_1 must hold kernel:0" in fails(spoilt, weight_set)


def test_a_missing_layer_is_told(spoilt: Path, weight_set: WeightSet) -> None:
    with h5py.File(spoilt, "r+") as root:
        root.attrs["layer_names"] = root.attrs["layer_names"][:-1]
    assert "It has 15 layers with weights instead of 16" in fails(spoilt, weight_set)


def test_a_wrong_shape_is_told(spoilt: Path, weight_set: WeightSet) -> None:
    with h5py.File(spoilt, "r+") as root:
        del root["conv2d_1/conv2d_1/bias:0"]
        root["conv2d_1/conv2d_1/bias:0"] = np.zeros(65, np.float32)
    message = fails(spoilt, weight_set)
    assert "Its layer 2 with weights has arrays of the shapes [(3, 3, 1, 64), (65,)]" in message


BIAS = "conv2d_1/conv2d_1/bias:0"


def replace_bias(root: h5py.File, **options: Any) -> None:
    del root[BIAS]
    root.create_dataset(BIAS, **options)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (np.array([b"zero"] * 64), r"\|S4"),
        (np.zeros(64, np.complex64), "complex64"),
        (np.zeros(64, bool), "bool"),
        (np.zeros(64, [("real", "f4"), ("more", "i4")]), "real"),
    ],
    ids=["words", "complex", "boolean", "compound"],
)
def test_what_is_no_number_is_told(data: Any, kind: str, spoilt: Path, weight_set: WeightSet) -> None:
    with h5py.File(spoilt, "r+") as root:
        replace_bias(root, data=data)
    assert re.search(
        rf"Its /{BIAS} must be real numbers, as float32; it is .*{kind}", fails(spoilt, weight_set)
    )


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f2", ">f4", "<i4"])
def test_other_numbers_are_converted(dtype: str, spoilt: Path, weight_set: WeightSet) -> None:
    expected = np.arange(64)
    with h5py.File(spoilt, "r+") as root:
        replace_bias(root, data=expected.astype(dtype))

    bias = read_layers(spoilt, weight_set)[1][1]

    assert bias.dtype == np.float32
    np.testing.assert_array_equal(bias, expected)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300], ids=str)
def test_numbers_that_are_not_finite_are_told(value: float, spoilt: Path, weight_set: WeightSet) -> None:
    """A number beyond float32, too: it would become infinite."""
    with h5py.File(spoilt, "r+") as root:
        replace_bias(root, data=np.array([0.0] * 63 + [value]))
    assert f"Its /{BIAS} holds numbers that are not finite" in fails(spoilt, weight_set)


def test_variances_below_zero_are_told(spoilt: Path, weight_set: WeightSet) -> None:
    with h5py.File(spoilt, "r+") as root:
        root["batch_normalization_2/batch_normalization_2/moving_variance:0"][3] = -0.5
    assert "Its layer 3 with weights has variances below 0" in fails(spoilt, weight_set)


def test_an_array_that_declares_more_than_a_memory_is_told_unread(
    spoilt: Path, weight_set: WeightSet
) -> None:
    with h5py.File(spoilt, "r+") as root:
        replace_bias(root, shape=(10**13,), dtype="f4", chunks=(1024,))  # 40 TB, none of them written
    assert "has arrays of the shapes [(3, 3, 1, 64), (10000000000000,)]" in fails(spoilt, weight_set)


def test_a_chunk_that_declares_more_than_a_memory_is_told_unread(spoilt: Path, weight_set: WeightSet) -> None:
    with h5py.File(spoilt, "r+") as root:
        replace_bias(root, shape=(64,), maxshape=(None,), dtype="f4", chunks=(10**9,), fillvalue=1)
        root[BIAS].id.set_extent((64,))
    assert f"{BIAS}" in fails(spoilt, weight_set)


def test_an_array_that_was_never_written_is_told(spoilt: Path, weight_set: WeightSet) -> None:
    with h5py.File(spoilt, "r+") as root:
        replace_bias(root, shape=(64,), dtype="f4")
    assert f"The numbers of its /{BIAS} must be in the file itself" in fails(spoilt, weight_set)


def test_numbers_in_another_file_are_told(spoilt: Path, weight_set: WeightSet, tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(bytes(256))
    with h5py.File(spoilt, "r+") as root:
        replace_bias(root, shape=(64,), dtype="f4", external=[(str(tmp_path / "raw"), 0, 256)])
    assert f"The numbers of its /{BIAS} must be in the file itself" in fails(spoilt, weight_set)


@pytest.mark.parametrize(
    "link", [h5py.SoftLink("/conv2d_2/conv2d_2/bias:0"), h5py.ExternalLink("other.h5", "/bias")], ids=repr
)
def test_links_are_told_unfollowed(link: Any, spoilt: Path, weight_set: WeightSet) -> None:
    with h5py.File(spoilt, "r+") as root:
        del root[BIAS]
        root[BIAS] = link
    assert "must hold bias:0, and not a link to elsewhere" in fails(spoilt, weight_set)


def test_a_group_for_an_array_is_told(spoilt: Path, weight_set: WeightSet) -> None:
    with h5py.File(spoilt, "r+") as root:
        del root[BIAS]
        root.create_group(BIAS)
    assert "It could not be read" in fails(spoilt, weight_set)


@pytest.mark.parametrize(
    "names", [np.arange(16), np.array([b"x" * 300]), np.array([b"x"] * 300), h5py.Empty("f4")], ids=repr
)
def test_odd_names_of_layers_are_told(names: Any, spoilt: Path, weight_set: WeightSet) -> None:
    with h5py.File(spoilt, "r+") as root:
        root.attrs["layer_names"] = names
    fails(spoilt, weight_set)


def test_untrained_weights_are_known_by_their_attribute(audio_file: Path) -> None:
    assert describe_weights(audio_file) == WeightFile(audio_file, "random:1", trained=False)


@pytest.mark.parametrize("value", ["random:5", b"random:5"], ids=["string", "bytes"])
def test_the_attribute_may_be_a_string_or_bytes(value: Any, spoilt: Path) -> None:
    with h5py.File(spoilt, "r+") as root:
        root.attrs["l3embed_untrained"] = value
    assert describe_weights(spoilt).identity == "random:5"


@pytest.mark.parametrize("value", [3.0, np.array([b"a", b"b"]), b"\xff", h5py.Empty("f4")], ids=repr)
def test_an_odd_attribute_makes_a_file_of_unknown_origin(value: Any, spoilt: Path) -> None:
    with h5py.File(spoilt, "r+") as root:
        root.attrs["l3embed_untrained"] = value
    assert describe_weights(spoilt).identity == f"sha256:{hashlib.sha256(spoilt.read_bytes()).hexdigest()}"

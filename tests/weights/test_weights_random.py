"""Random weights are those of the recipe, whose digests were taken from the files that it wrote."""

import hashlib
import json
from pathlib import Path

import h5py
import pytest

from l3embed.variants import ALL_WEIGHT_SETS, WeightSet
from l3embed.weights.random import DEFAULT_SEED, write_random_weights

RECIPE_SHA256: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parents[1] / "data" / "random_weights_sha256.json").read_text()
)
"""By seed and weight set: SHA-256 over each array's name and bytes, in the file's order."""

CASES = [(int(seed), name) for seed, names in RECIPE_SHA256.items() for name in names]


def digest(path: Path) -> str:
    sha256 = hashlib.sha256()
    with h5py.File(path) as root:
        for layer in root.attrs["layer_names"]:
            for weight in root[layer].attrs["weight_names"]:
                sha256.update(weight)
                sha256.update(root[layer][weight][()].tobytes())
    return sha256.hexdigest()


def weight_set_of(name: str) -> WeightSet:
    return next(weight_set for weight_set in ALL_WEIGHT_SETS if weight_set.name == name)


@pytest.mark.parametrize(("seed", "name"), CASES)
def test_arrays_are_those_of_the_recipe(seed: int, name: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    write_random_weights(path, weight_set_of(name), seed)
    assert digest(path) == RECIPE_SHA256[str(seed)][name]


def test_digests_cover_all_weight_sets_at_the_default_seed() -> None:
    assert set(RECIPE_SHA256[str(DEFAULT_SEED)]) == {weight_set.name for weight_set in ALL_WEIGHT_SETS}


def test_layout_is_that_of_keras_2(tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    write_random_weights(path, weight_set_of("image_linear_env"))
    with h5py.File(path) as root:
        layers = [name.decode() for name in root.attrs["layer_names"]]
        assert layers[:3] == ["batch_normalization_1", "conv2d_1", "batch_normalization_2"]
        assert layers[-1] == "vision_embedding_layer"
        assert root.attrs["backend"] == "tensorflow"
        assert root.attrs["keras_version"] == "2.2.4-tf"
        assert root["conv2d_1"]["conv2d_1/kernel:0"].dtype == "float32"


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr("l3embed.weights.writing._write_layer", fail)
    with pytest.raises(OSError, match="the disk is gone"):
        write_random_weights(tmp_path / "weights.h5", ALL_WEIGHT_SETS[0])
    assert list(tmp_path.iterdir()) == []

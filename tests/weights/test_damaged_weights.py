"""Weight files that a disk or a transfer has damaged: they are read, or named with the remedy."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from l3embed.errors import OpenL3Error
from l3embed.models import load_audio_embedding_model_from_path
from l3embed.variants import ALL_WEIGHT_SETS, WeightSet
from l3embed.weights.file import describe_weights, read_layers
from l3embed.weights.locating import locate_weights
from l3embed.weights.source import WeightsDirectory

MUTANTS = 40
"""Of each kind."""

Random = np.random.Generator


@pytest.fixture
def weight_set() -> WeightSet:
    return next(weight_set for weight_set in ALL_WEIGHT_SETS if weight_set.name == "audio_mel128_music")


@pytest.fixture
def whole(slim_weights: Path, weight_set: WeightSet) -> Path:
    return slim_weights / f"openl3_{weight_set.name}.h5"


def cut(content: bytes, random: Random) -> bytes:
    return content[: random.integers(len(content))]


def altered(positions: Callable[[int], int]) -> Callable[[bytes, Random], bytes]:
    def alter(content: bytes, random: Random) -> bytes:
        damaged = bytearray(content)
        for _ in range(random.integers(1, 8)):
            damaged[random.integers(positions(len(content)))] = random.integers(256)
        return bytes(damaged)

    return alter


def reading(path: Path, weight_set: WeightSet) -> list[list[Any]] | str:
    """What is read, or why it is not."""
    try:
        return read_layers(path, weight_set)
    except OpenL3Error as error:
        return str(error)


DAMAGES = {
    "cut": cut,
    "altered anywhere": altered(lambda size: size),
    "altered in front": altered(lambda _: 4096),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_read_or_named(
    damage: Callable[[bytes, Random], bytes], whole: Path, weight_set: WeightSet, tmp_path: Path
) -> None:
    content, random = whole.read_bytes(), np.random.default_rng(0)
    path = tmp_path / f"openl3_{weight_set.name}.h5"
    for _ in range(MUTANTS):
        path.write_bytes(damage(content, random))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            located = locate_weights(weight_set, WeightsDirectory(tmp_path))
        assert located == describe_weights(path)
        result = reading(path, weight_set)
        if isinstance(result, str):
            assert result.startswith(f"{path} must be an HDF5 file with the weights of the audio network")
            assert result.endswith("Remove it and fetch it again, or put the right file in its place.")
        else:
            assert all(np.isfinite(array).all() for layer in result for array in layer)


def test_a_model_is_not_loaded_from_a_damaged_file(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "damaged.h5"
    path.write_bytes(whole.read_bytes()[:-1])
    with pytest.raises(OpenL3Error, match=f"^{path} must be an HDF5 file"):
        load_audio_embedding_model_from_path(path, "mel128", 512)

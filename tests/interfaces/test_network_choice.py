"""Which network, weights and device an interface's words mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from l3embed import OpenL3Error
from l3embed.interfaces.network_choice import choose_network, parse_weights, place
from l3embed.variants import Modality
from l3embed.weights.file import WeightFile
from l3embed.weights.locating import locate_weights
from l3embed.weights.registry import PUBLISHED_FILES
from l3embed.weights.source import PublishedWeights, RandomWeights, WeightsDirectory, WeightsFile


@pytest.mark.parametrize(
    ("device", "word"),
    [(None, "auto"), ("cpu", "cpu"), ("cuda", "gpu"), ("cuda:0", "gpu"), ("mps", "cpu")],
)
def test_pytorch_s_words_for_devices_are_l3embed_s(device: str | None, word: str) -> None:
    assert place(device) == word


def test_weights_are_words_folders_or_files(tmp_path: Path) -> None:
    file = tmp_path / "mine.h5"
    file.touch()

    assert parse_weights("random:3") == RandomWeights(3)
    assert parse_weights(tmp_path) == WeightsDirectory(tmp_path)
    assert parse_weights(file) == WeightsFile(file)
    assert parse_weights("") == parse_weights(None) == RandomWeights()  # what the tests' environment says


def test_published_weights_are_told_apart_without_fetching_them() -> None:
    choice = choose_network("mel128", weights="published")

    assert choice.source == PublishedWeights()
    (file,) = (
        file
        for weight_set, file in PUBLISHED_FILES.items()
        if (weight_set.modality, weight_set.name) == (Modality.AUDIO, "audio_mel128_music")
    )
    assert choice.identity == file.identity


def test_a_weight_file_is_located_as_it_is_and_missed_if_it_is_gone(slim_weights: Path) -> None:
    weight_set = choose_network("mel128").variant.weight_set
    file = slim_weights / "openl3_audio_mel128_music.h5"

    assert locate_weights(weight_set, WeightsFile(file)) == WeightFile(file, "random:20260101", trained=False)
    with pytest.raises(OpenL3Error, match=r"There is no weight file gone\.h5\. Name one, or a folder"):
        locate_weights(weight_set, WeightsFile(Path("gone.h5")))

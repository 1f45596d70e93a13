"""`l3embed.hear`: HEAR's contract, and l3embed's numbers in it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from conftest import noise

import l3embed
from l3embed import OpenL3Error

torch = pytest.importorskip("torch")
hear = pytest.importorskip("l3embed.hear")

OPTIONS: dict[str, Any] = {"input_repr": "mel128", "embedding_size": 512}
RATE_HZ = 48_000
HOP_MS = 50


@pytest.fixture(scope="module")
def model(slim_weights: Path) -> Any:
    return hear.load_model(str(slim_weights), **OPTIONS)


def embed(samples: npt.NDArray[Any], slim_weights: Path, **options: Any) -> npt.NDArray[np.float32]:
    options = {"sr": RATE_HZ, **OPTIONS, **options}
    return l3embed.get_audio_embedding(samples, weights=str(slim_weights), verbose=False, **options)[0]


def centred_window(samples: npt.NDArray[Any], centre: int) -> npt.NDArray[np.float64]:
    """A second of samples around one of them, cut by hand."""
    window = np.zeros(RATE_HZ)
    for place, index in enumerate(range(centre - RATE_HZ // 2, centre + RATE_HZ // 2)):
        if 0 <= index < len(samples):
            window[place] = samples[index]
    return window


def batch(*sounds: npt.NDArray[Any]) -> Any:
    return torch.from_numpy(np.stack(sounds).astype(np.float32))


@pytest.mark.parametrize(
    ("seconds", "rate_hz"), [(1.07, 48_000), (1.98, 48_000), (4.0, 48_000), (1.07, 22_050), (1.98, 44_100)]
)
def test_timestamps_reach_to_the_end_of_the_sound_and_no_further(
    seconds: float, rate_hz: int, slim_weights: Path
) -> None:
    model = hear.load_model(str(slim_weights), sample_rate=rate_hz, **OPTIONS)
    sound = noise(seconds, rate_hz)

    embeddings, timestamps = hear.get_timestamp_embeddings(batch(sound, sound), model)

    assert embeddings.dtype == timestamps.dtype == torch.float32
    assert embeddings.shape == (2, timestamps.shape[1], 512)
    assert timestamps[:, 0].tolist() == [0, 0]
    assert set(torch.diff(timestamps).flatten().tolist()) == {HOP_MS}
    assert 1000 * seconds - 2 * HOP_MS <= timestamps[0, -1].item() <= 1000 * seconds


def test_each_embedding_is_of_the_window_that_is_centred_on_its_timestamp(
    model: Any, slim_weights: Path
) -> None:
    samples = noise(1.07).astype(np.float32)

    (embeddings,), (timestamps,) = hear.get_timestamp_embeddings(batch(samples), model)

    for index in (0, 9, 10, len(timestamps) - 1):
        window = centred_window(samples, round(timestamps[index].item() * RATE_HZ / 1000))
        expected = embed(window, slim_weights, center=False, hop_size=1)[0]
        np.testing.assert_allclose(embeddings[index], expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_a_scene_is_the_mean_of_windows_half_a_second_apart(model: Any, slim_weights: Path) -> None:
    samples = noise(2.2).astype(np.float32)

    (scene,) = hear.get_scene_embeddings(batch(samples), model)

    expected = embed(samples, slim_weights, hop_size=0.5).mean(axis=0)
    assert scene.dtype == torch.float32
    np.testing.assert_allclose(scene, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


def test_sounds_at_another_rate_are_resampled_as_everywhere_in_l3embed(slim_weights: Path) -> None:
    model = hear.load_model(str(slim_weights), sample_rate=16_000, **OPTIONS)
    samples = noise(1.5, 16_000).astype(np.float32)

    (embeddings,), (timestamps,) = hear.get_timestamp_embeddings(batch(samples), model)

    padded = np.concatenate([samples, np.zeros(7200, np.float32)])
    np.testing.assert_array_equal(embeddings, embed(padded, slim_weights, sr=16_000, hop_size=0.05))
    assert (model.sample_rate, timestamps[-1].item()) == (16_000, 1450)


def test_the_model_says_what_hear_asks_for(model: Any) -> None:
    assert isinstance(model.to("cpu"), torch.nn.Module)
    assert (model.sample_rate, model.scene_embedding_size, model.timestamp_embedding_size) == (
        48_000,
        512,
        512,
    )
    assert not list(model.parameters())
    assert str(model) == "HearModel(audio_mel128_music_512_kapre, 48000 Hz)"


def test_without_a_path_it_is_openl3_s_entry_with_the_weights_of_the_environment(
    slim_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("L3EMBED_WEIGHTS", str(slim_weights))
    choice = hear.load_model("").choice

    assert choice.variant.name == "audio_mel256_music_512_kapre"
    assert choice.source.path == slim_weights


def test_a_weight_file_s_name_tells_its_representation(slim_weights: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine_mel128.h5"
    shutil.copy(slim_weights / "openl3_audio_mel128_music.h5", file)
    model = hear.load_model(str(file))
    samples = noise(1.0).astype(np.float32)

    (scene,) = hear.get_scene_embeddings(batch(samples), model)

    assert model.choice.variant.input_repr.value == "mel128"
    expected = embed(samples, slim_weights, hop_size=0.5).mean(axis=0)
    np.testing.assert_allclose(scene, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model_file_path": "nowhere.h5"}, r"There is no weight file nowhere\.h5"),
        ({"model_file_path": "nowhere"}, "must be published, random, random:SEED or the path of an"),
        ({"timestamp_hop_ms": 100}, "timestamp_hop_ms must be above 0 and at most 50; got 100"),
        ({"input_repr": "mel64"}, "input_repr must be one of linear, mel128, mel256; got 'mel64'"),
        ({"embedding_size": 1024}, "embedding_size must be one of 6144, 512; got 1024"),
        ({"sample_rate": 48}, "The sample rate must be at least 1000 Hz; got 48 Hz"),
    ],
    ids=["file", "folder", "hop", "representation", "size", "rate"],
)
def test_what_is_not_allowed_is_an_error_at_once(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OpenL3Error, match=words):
        hear.load_model(**options)


def test_a_file_that_is_no_weight_file_is_an_error(tmp_path: Path, model: Any) -> None:
    (tmp_path / "notes.h5").write_text("no weights")
    other = hear.load_model(str(tmp_path / "notes.h5"))

    with pytest.raises(OpenL3Error, match=r"notes\.h5 must be an HDF5 file with the weights of the audio"):
        hear.get_scene_embeddings(batch(noise(1.0)), other)


@pytest.mark.parametrize(
    ("audio", "words"),
    [
        (np.zeros((1, 48_000)), "audio must be a tensor of floats .*; got ndarray"),
        (torch.zeros(48_000), r"got torch\.float32 of shape \(48000,\)"),
        (torch.zeros(1, 48_000, dtype=torch.int16), r"got torch\.int16 of shape \(1, 48000\)"),
        (torch.zeros(2, 0), r"must hold at least one sample; its shape is \(2, 0\)"),
        (torch.full((1, 48_000), torch.nan), "got NaN or infinite samples"),
    ],
    ids=["array", "one sound", "integers", "empty", "NaN"],
)
def test_what_is_no_batch_of_sounds_is_an_error(audio: Any, words: str, model: Any) -> None:
    with pytest.raises(OpenL3Error, match=words):
        hear.get_timestamp_embeddings(audio, model)

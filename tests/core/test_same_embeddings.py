"""However work is cut into blocks, batches and threads, the embeddings are the plain way's.

The plain way computes one window at a time, in this thread. The networks are slim.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from conftest import NEEDS_NCNN, NEEDS_OPENVINO, noise
from skimage.io import imsave

from l3embed import (
    AudioEmbeddingStream,
    get_audio_embedding,
    get_image_embedding,
    preprocess_audio,
    process_audio_file,
    process_image_file,
)
from l3embed.decoding.image import read_image
from l3embed.frontends import kapre
from l3embed.inputs.pixels import preprocess_images
from l3embed.models.running import load_network
from l3embed.runtimes.base import Placement
from l3embed.variants import AudioVariant, Device, ImageVariant, InputRepr
from l3embed.weights.source import WeightsDirectory

Embeddings = dict[str, npt.NDArray[np.float32]]

SAME_NUMBERS = 1e-5
"""Of the largest magnitude."""

RECORDINGS = {"long": (2.7, 48_000), "resampled": (1.6, 22_050), "short": (0.4, 48_000)}
"""Seconds and sample rates; together eight windows."""

PICTURES = {"whole": (224, 224), "cropped": (230, 300), "scaled": (300, 420)}
"""Heights and widths."""

pytestmark = pytest.mark.filterwarnings("ignore:.*shorter than one window")


def plain_embedder(variant: AudioVariant | ImageVariant, weights: Path) -> Any:
    placement = Placement(Device.CPU, "keras")
    return load_network(variant, WeightsDirectory(weights), placement).embedder


@pytest.fixture(scope="module")
def options(slim_weights: Path) -> dict[str, Any]:
    """Which network; half a second from window to window."""
    return {"embedding_size": 512, "weights": str(slim_weights), "device": "cpu", "verbose": 0}


@pytest.fixture(scope="module")
def audio_options(options: dict[str, Any]) -> dict[str, Any]:
    return {**options, "input_repr": "mel128", "hop_size": 0.5}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("recordings")
    for seed, (name, (seconds, rate_hz)) in enumerate(RECORDINGS.items()):
        stereo = np.stack([noise(seconds, rate_hz, seed), noise(seconds, rate_hz, seed + 100)], axis=1)
        soundfile.write(folder / f"{name}.wav", stereo, rate_hz, subtype="FLOAT")
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def plain_audio(recordings: list[Path], slim_weights: Path) -> Embeddings:
    embedder = plain_embedder(AudioVariant(InputRepr.MEL128, embedding_size=512), slim_weights)
    found = {}
    for path in recordings:
        samples, rate_hz = soundfile.read(path)
        windows = preprocess_audio(samples, rate_hz, hop_size=0.5)
        spectrograms = [kapre.spectrograms(window, InputRepr.MEL128) for window in windows]
        found[path.stem] = np.concatenate([embedder.embed(spectrogram) for spectrogram in spectrograms])
    return found


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    for seed, (name, shape) in enumerate(PICTURES.items()):
        picture = np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)
        imsave(folder / f"{name}.png", picture, check_contrast=False)
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def plain_images(pictures: list[Path], slim_weights: Path) -> Embeddings:
    embedder = plain_embedder(ImageVariant(embedding_size=512), slim_weights)
    return {path.stem: embedder.embed(preprocess_images(read_image(path))) for path in pictures}


def check_same(found: Embeddings, plain: Embeddings) -> None:
    assert found.keys() == plain.keys()
    for name, embedding in found.items():
        assert embedding.shape == plain[name].shape
        difference = np.abs(embedding - plain[name]).max() / np.abs(plain[name]).max()
        assert difference <= SAME_NUMBERS, name


def read_outputs(folder: Path) -> Embeddings:
    found = {}
    for path in folder.glob("*.npz"):
        with np.load(path) as arrays:
            found[path.stem] = arrays["embedding"]
    return found


EACH_WAY = pytest.mark.parametrize(
    "way",
    [
        pytest.param({}, id="defaults"),
        pytest.param({"batch_size": 1}, id="batches of one"),
        pytest.param({"batch_size": 3}, id="batches across files"),
        pytest.param({"threads": 1}, id="one thread"),
        pytest.param({"threads": 2}, id="two threads"),
        pytest.param({"threads": 5, "batch_size": 2}, id="five threads"),
        pytest.param({"runtime": "keras"}, id="keras"),
        pytest.param({"runtime": "ncnn"}, id="ncnn", marks=NEEDS_NCNN),
        pytest.param({"runtime": "openvino"}, id="openvino", marks=NEEDS_OPENVINO),
    ],
)
BACKWARDS = pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])


@EACH_WAY
def test_audio_files(
    way: dict[str, Any],
    audio_options: dict[str, Any],
    recordings: list[Path],
    plain_audio: Embeddings,
    tmp_path: Path,
) -> None:
    process_audio_file([str(path) for path in recordings], str(tmp_path), **audio_options, **way)

    check_same(read_outputs(tmp_path), plain_audio)


@BACKWARDS
def test_the_order_of_audio_files(
    backwards: bool,
    audio_options: dict[str, Any],
    recordings: list[Path],
    plain_audio: Embeddings,
    tmp_path: Path,
) -> None:
    paths = [str(path) for path in (recordings[::-1] if backwards else recordings)]

    process_audio_file(paths, str(tmp_path), batch_size=3, **audio_options)

    check_same(read_outputs(tmp_path), plain_audio)


@pytest.mark.parametrize("block_s", [1, 2, 100])
def test_the_length_of_the_blocks_that_are_decoded(
    block_s: int,
    audio_options: dict[str, Any],
    recordings: list[Path],
    plain_audio: Embeddings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("l3embed.decoding.audio.BLOCK_S", block_s)

    process_audio_file([str(path) for path in recordings], str(tmp_path), **audio_options)

    check_same(read_outputs(tmp_path), plain_audio)


@pytest.mark.parametrize("block_s", [0.001, 0.3, 100])
def test_the_length_of_the_blocks_of_an_array(
    block_s: float,
    audio_options: dict[str, Any],
    recordings: list[Path],
    plain_audio: Embeddings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("l3embed.inputs.sound.BLOCK_S", block_s)
    arrays, rates_hz = zip(*(soundfile.read(path) for path in recordings), strict=True)

    embeddings, _ = get_audio_embedding(list(arrays), list(rates_hz), **audio_options)

    check_same({path.stem: rows for path, rows in zip(recordings, embeddings, strict=True)}, plain_audio)


@pytest.mark.parametrize("windows", [1, 3])
def test_the_number_of_spectrograms_that_are_computed_together(
    windows: int,
    audio_options: dict[str, Any],
    recordings: list[Path],
    plain_audio: Embeddings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("l3embed.inputs.sound.SPECTROGRAM_BATCH", windows)

    process_audio_file([str(path) for path in recordings], str(tmp_path), threads=2, **audio_options)

    check_same(read_outputs(tmp_path), plain_audio)


@pytest.mark.parametrize("batch_size", [1, 32])
def test_audio_that_arrives_bit_by_bit(
    batch_size: int, audio_options: dict[str, Any], recordings: list[Path], plain_audio: Embeddings
) -> None:
    without_bar = {name: value for name, value in audio_options.items() if name != "verbose"}
    found = {}
    for path in recordings:
        samples, rate_hz = soundfile.read(path)
        stream = AudioEmbeddingStream(rate_hz, batch_size=batch_size, **without_bar)
        parts = [stream.feed(block)[0] for block in np.array_split(samples, 7)]
        found[path.stem] = np.concatenate([*parts, stream.finish()[0]])

    check_same(found, plain_audio)


@EACH_WAY
def test_image_files(
    way: dict[str, Any],
    options: dict[str, Any],
    pictures: list[Path],
    plain_images: Embeddings,
    tmp_path: Path,
) -> None:
    process_image_file([str(path) for path in pictures], str(tmp_path), **options, **way)

    check_same(read_outputs(tmp_path), plain_images)


@BACKWARDS
def test_the_order_of_images(
    backwards: bool, options: dict[str, Any], pictures: list[Path], plain_images: Embeddings
) -> None:
    paths = pictures[::-1] if backwards else pictures

    embeddings = get_image_embedding([read_image(path) for path in paths], batch_size=2, **options)

    check_same({path.stem: rows for path, rows in zip(paths, embeddings, strict=True)}, plain_images)

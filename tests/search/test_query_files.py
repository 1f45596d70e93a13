"""Files that are asked for, embedded as the folder's were, by networks that are slim and quick."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import WriteWav, noise
from PIL import Image

import l3embed
from l3embed.errors import OpenL3Error, OpenL3Warning
from l3embed.search import Index, query_embedding
from l3embed.search.asked import Part
from l3embed.weights.source import PublishedWeights, parse_weights_source

from .conftest import write_npz

HOP_S = 0.2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, slim_weights: Path) -> Path:
    """Four sounds and two pictures, embedded beside themselves with the slim weights."""
    mine = tmp_path_factory.mktemp("mine")
    sounds = [str(mine / f"{number}.wav") for number in range(4)]
    for number, path in enumerate(sounds):
        soundfile.write(path, noise(1 + 0.5 * number, seed=number), 48_000)
    options = {"input_repr": "mel128", "embedding_size": 512, "verbose": False, "weights": str(slim_weights)}
    l3embed.process_audio_file(sounds, hop_size=HOP_S, frontend="librosa", **options)  # type: ignore[arg-type]
    pixels = np.random.default_rng(0).integers(0, 256, (2, 240, 240, 3), np.uint8)
    pictures = [str(mine / f"picture_{number}.png") for number in range(2)]
    for path, each in zip(pictures, pixels, strict=True):
        Image.fromarray(each).save(path)
    l3embed.process_image_file(pictures, **options)  # type: ignore[arg-type]
    return mine


def test_files_are_embedded_as_the_folder_was(folder: Path, slim_weights: Path) -> None:
    """With its network, frontend and hop: so a file of it is found, and altogether alike."""
    index = Index(folder, weights=str(slim_weights))
    hits = index.search(folder / "2.wav", top=2)
    assert hits[0].path == "2.npz"
    assert hits[0].similarity == pytest.approx(1, abs=1e-5)
    assert hits[1].similarity < 0.999


def test_pictures_are_embedded_as_the_folder_was(folder: Path, slim_weights: Path) -> None:
    hits = Index(folder, "image", weights=str(slim_weights)).search(folder / "picture_1.png", top=1)
    assert (hits[0].path, hits[0].begin_s) == ("picture_1.npz", None)
    assert hits[0].similarity == pytest.approx(1, abs=1e-5)


def test_a_part_of_a_file_counts_as_if_it_were_cut_out(
    folder: Path, slim_weights: Path, tmp_path: Path
) -> None:
    samples, rate_hz = soundfile.read(folder / "3.wav")
    soundfile.write(tmp_path / "cut.wav", samples[24_000:84_000], rate_hz)
    index = Index(folder, rows="frames", weights=str(slim_weights))
    of_part, of_cut = (
        index.search(query, 50) for query in (f"{folder}/3.wav@0.5-1.75", tmp_path / "cut.wav")
    )
    assert [(hit.path, hit.time_s) for hit in of_part] == [(hit.path, hit.time_s) for hit in of_cut]
    np.testing.assert_allclose(
        [hit.similarity for hit in of_part], [hit.similarity for hit in of_cut], atol=1e-5
    )


def test_what_lies_behind_a_part_is_not_read() -> None:
    blocks = iter([np.zeros(48_000), np.ones(48_000), np.zeros(48_000), np.zeros(48_000)])
    part = Part(1.25, 1.75)
    kept = np.concatenate(list(query_embedding._cut(blocks, part)))
    np.testing.assert_array_equal(kept, np.ones(24_000))
    assert len(list(blocks)) == 2


def test_a_part_behind_the_end_of_its_file_is_refused(folder: Path, slim_weights: Path) -> None:
    index = Index(folder, weights=str(slim_weights))
    with pytest.raises(OpenL3Error, match=r"It is 1\.000 s long, and the part asked for is 0\.5-3"):
        index.search(f"{folder}/0.wav@0.5-3")


def test_a_part_shorter_than_a_window_is_padded_and_warned_of(folder: Path, slim_weights: Path) -> None:
    index = Index(folder, weights=str(slim_weights))
    with pytest.warns(OpenL3Warning, match=r"The part 0\.1-0\.4 of .*3\.wav is shorter than one window"):
        index.search(f"{folder}/3.wav@0.1-0.4")


def test_a_file_named_like_a_part_is_that_file(folder: Path, slim_weights: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "2.wav", tmp_path / "a.wav@1-2")
    hits = Index(folder, weights=str(slim_weights)).search(tmp_path / "a.wav@1-2", top=1)
    assert (hits[0].path, round(hits[0].similarity, 4)) == ("2.npz", 1)


def test_other_weights_than_the_folder_s_are_refused_with_both_named(folder: Path) -> None:
    with pytest.raises(
        OpenL3Error, match=r"weights random:20260101, and what is to be had is .*random:3: these"
    ):
        Index(folder, weights="random:3").search(folder / "0.wav")


def test_weights_are_taken_from_where_their_identity_says(tmp_path: Path) -> None:
    write_npz(tmp_path / "mine" / "a.npz", np.ones((3, 512), np.float32), weights="random:7")
    embedder = Index(tmp_path / "mine")._embedder
    assert embedder._source() == parse_weights_source("random:7")
    write_npz(tmp_path / "others" / "a.npz", np.ones((3, 512), np.float32), weights="published:12ab")
    assert Index(tmp_path / "others")._embedder._source() == PublishedWeights()


def test_a_picture_is_not_compared_with_sounds(folder: Path, slim_weights: Path) -> None:
    with pytest.raises(OpenL3Error, match="It is a picture, and what is searched are sounds"):
        Index(folder, weights=str(slim_weights)).search(folder / "picture_0.png")
    with pytest.raises(OpenL3Error, match="It is a sound, and what is searched are pictures"):
        Index(folder, "image", weights=str(slim_weights)).search(folder / "0.wav")
    with pytest.raises(OpenL3Error, match="A picture has no parts"):
        Index(folder, "image", weights=str(slim_weights)).search(f"{folder}/picture_0.png@0-1")


def test_a_file_that_is_no_sound_says_why(folder: Path, slim_weights: Path, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(OpenL3Error, match="could not be read as audio"):
        Index(folder, weights=str(slim_weights)).search(tmp_path / "text.wav")


def test_rows_need_no_network(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(query_embedding, "load_network", no_network)
    assert len(Index(folder).search("0.npz")) == 3
    assert len(Index(folder, rows="frames").search("0.npz@0-0.5", top=5)) == 5


def test_of_a_network_that_is_not_known_only_rows_can_be_asked_for(
    tmp_path: Path, write_wav: WriteWav
) -> None:
    for name in "ab":
        write_npz(tmp_path / "mine" / f"{name}.npz", np.eye(3, 8, dtype=np.float32), variant="custom")
    index = Index(tmp_path / "mine")
    assert [hit.path for hit in index.search("a.npz")] == ["b.npz"]
    with pytest.raises(OpenL3Error, match=r"by custom with .* only rows of the folder can be asked for"):
        index.search(write_wav("query.wav"))

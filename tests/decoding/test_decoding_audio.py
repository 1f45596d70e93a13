"""Audio files to blocks: what soundfile reads at once, and a word for each way a file can be none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from conftest import noise

from l3embed.decoding.audio import SUFFIXES, AudioFile, open_audio
from l3embed.errors import OpenL3Error

FORMATS = [
    pytest.param("a.wav", "PCM_16", id="wav-16"),
    pytest.param("a.wav", "PCM_24", id="wav-24"),
    pytest.param("a.wav", "FLOAT", id="wav-float"),
    pytest.param("a.wav", "PCM_U8", id="wav-8"),
    pytest.param("a.aiff", "PCM_16", id="aiff"),
    pytest.param("a.au", "PCM_16", id="au"),
    pytest.param("a.caf", "PCM_16", id="caf"),
    pytest.param("a.w64", "PCM_16", id="w64"),
    pytest.param("a.flac", "PCM_16", id="flac"),
    pytest.param("a.ogg", "VORBIS", id="ogg"),
    pytest.param("a.mp3", "MPEG_LAYER_III", id="mp3"),
]

CUTTABLE = ["wav", "aiff", "flac", "ogg", "mp3"]


def stereo(seconds: float, sample_rate_hz: int) -> npt.NDArray[np.float64]:
    return np.stack([noise(seconds, sample_rate_hz, seed=1), noise(seconds, sample_rate_hz, seed=2)], axis=1)


def read(path: Path) -> list[npt.NDArray[np.float64]]:
    with open_audio(path) as file:
        return list(file.blocks())


@pytest.mark.parametrize(("name", "subtype"), FORMATS)
def test_blocks_put_together_are_the_file(name: str, subtype: str, tmp_path: Path) -> None:
    path = tmp_path / name
    soundfile.write(path, stereo(22, 16_000), 16_000, subtype=subtype)
    blocks = read(path)
    expected, _ = soundfile.read(path, dtype="float64", always_2d=True)
    assert [len(block) for block in blocks] == [160_000, 160_000, len(expected) - 320_000]
    # MP3's decoder rounds differently where a block begins.
    tolerance = 2e-7 if path.suffix == ".mp3" else 0
    np.testing.assert_allclose(np.concatenate(blocks), expected, rtol=0, atol=tolerance)


def test_a_file_says_its_rate_and_channels(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", stereo(0.1, 22_050), 22_050)
    with open_audio(tmp_path / "a.wav") as file:
        assert isinstance(file, AudioFile)
        assert (file.sample_rate_hz, file.channels) == (22_050, 2)


@pytest.mark.parametrize("ending", CUTTABLE)
def test_a_file_cut_in_its_header_is_refused(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, stereo(1, 44_100), 44_100)
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(OpenL3Error, match="could not be read as audio"):
        read(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", r"empty \(0 bytes\)", id="empty"),
        pytest.param(b"This is no audio.\n" * 20, "could not be read as audio", id="text"),
        pytest.param(bytes(range(256)) * 8, "could not be read as audio", id="bytes"),
    ],
)
def test_what_is_no_audio_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(OpenL3Error, match=message):
        read(path)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpenL3Error, match="It is a folder, not a file"):
        read(tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpenL3Error, match="There is no such file"):
        read(tmp_path / "a.wav")


@pytest.mark.parametrize(("name", "subtype"), FORMATS)
def test_the_endings_of_readable_files_are_known(name: str, subtype: str) -> None:
    assert Path(name).suffix in SUFFIXES


def test_the_endings_are_of_formats_that_libsndfile_knows() -> None:
    endings = {f".{name.lower()}" for name in soundfile.available_formats()}
    # Other names of formats in that list: AIFF, AU, IRCAM and the like, Ogg and RF64.
    others = {".aif", ".aifc", ".oga", ".opus", ".snd", ".sph", ".wave"}
    assert SUFFIXES - others <= endings

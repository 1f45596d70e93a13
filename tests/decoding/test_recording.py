"""Sound to its real end, whatever its header declares; and a word where the two disagree."""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from conftest import noise

from l3embed.decoding.recording import open_recording
from l3embed.errors import OpenL3Error

from .conftest import ffmpeg, ffmpeg_to_pipe, tone

RATE_HZ = 44_100
Samples = npt.NDArray[np.float64]


def read(path: Path) -> tuple[Samples, str]:
    """All samples of a mono file, and what is wrong with it."""
    with open_recording(path) as recording:
        return np.concatenate(list(recording.blocks()))[:, 0], recording.damage


def decoded(path: Path) -> Samples:
    """What ffmpeg decodes when it is asked for the first sound: the oracle."""
    oracle = path.with_name("oracle.wav")
    ffmpeg("-i", path, "-map", "0:a:0", "-c:a", "pcm_f64le", oracle)
    return np.asarray(soundfile.read(oracle)[0])


def pcm(samples: int = RATE_HZ) -> npt.NDArray[np.int16]:
    return np.round(noise(samples / RATE_HZ, RATE_HZ) * 20_000).astype(np.int16)


def wav(declared: int, sound: bytes, behind: bytes = b"") -> bytes:
    """A 16-bit mono WAV file whose header declares some bytes of sound."""
    riff_bytes = min(36 + declared + len(behind), 0xFFFF_FFFF)
    head = struct.pack("<4sI4s", b"RIFF", riff_bytes, b"WAVE")
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    return head + form + struct.pack("<4sI", b"data", declared) + sound + behind


PIPES = [0x7FFF_F000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FF00, 0xFFFF_FFFE, 0xFFFF_FFFF]


@pytest.mark.parametrize("declared", PIPES, ids=hex)
def test_a_wav_file_from_a_pipe_is_whole(declared: int, tmp_path: Path) -> None:
    """SoX, ffmpeg and others cannot go back to correct the header."""
    samples = pcm()
    (tmp_path / "a.wav").write_bytes(wav(declared, samples.tobytes()))
    sound, damage = read(tmp_path / "a.wav")
    np.testing.assert_array_equal(sound, samples / 32_768)
    assert not damage


@pytest.mark.parametrize("more", [0, 1, 8, 44])
def test_a_header_that_counts_itself_in_is_whole(more: int, tmp_path: Path) -> None:
    samples = pcm()
    (tmp_path / "a.wav").write_bytes(wav(samples.nbytes + more, samples.tobytes()))
    sound, damage = read(tmp_path / "a.wav")
    np.testing.assert_array_equal(sound, samples / 32_768)
    assert not damage


@pytest.mark.parametrize("declared", [0, 22_050, 88_200 - 44])
def test_a_wav_file_is_read_on_behind_what_its_header_declares(declared: int, tmp_path: Path) -> None:
    samples = pcm()
    (tmp_path / "a.wav").write_bytes(wav(declared, samples.tobytes()))
    sound, damage = read(tmp_path / "a.wav")
    np.testing.assert_array_equal(sound, samples / 32_768)
    assert damage == (
        f"is longer than it says: its header declares {declared} bytes of sound, and 88200 are there"
    )


BEHIND = [
    pytest.param(b"LIST" + struct.pack("<I", 4) + b"INFO", id="chunk"),
    pytest.param(b"id3 " + struct.pack("<I", 3) + b"abc\0" + b"cue " + struct.pack("<I", 0), id="chunks"),
    pytest.param(bytes(3000), id="zeros"),
    pytest.param(b"TAG" + b"title" + bytes(120), id="id3"),
]


@pytest.mark.parametrize("behind", BEHIND)
def test_what_is_no_sound_behind_it_is_not_heard(behind: bytes, tmp_path: Path) -> None:
    samples = pcm()
    (tmp_path / "a.wav").write_bytes(wav(samples.nbytes, samples.tobytes(), behind))
    sound, damage = read(tmp_path / "a.wav")
    np.testing.assert_array_equal(sound, samples / 32_768)
    assert not damage


def test_an_au_file_is_read_on_behind_what_its_header_declares(tmp_path: Path) -> None:
    samples = pcm()
    header = struct.pack(">4s5I", b".snd", 24, 1000, 3, RATE_HZ, 1)
    (tmp_path / "a.au").write_bytes(header + samples.astype(">i2").tobytes())
    sound, damage = read(tmp_path / "a.au")
    np.testing.assert_array_equal(sound, samples / 32_768)
    assert "declares 1000 bytes of sound, and 88200 are there" in damage


@pytest.mark.parametrize(
    ("name", "encoder"),
    [("a.flac", "flac"), ("a.caf", "pcm_s16be"), ("a.w64", "pcm_s16le"), ("a.au", "pcm_s16be")],
)
def test_a_file_of_unknown_length_is_whole(name: str, encoder: str, tmp_path: Path) -> None:
    samples = pcm(3 * RATE_HZ)
    source, path = tmp_path / "source.wav", tmp_path / name
    source.write_bytes(wav(samples.nbytes, samples.tobytes()))
    ffmpeg_to_pipe(path, "-i", source, "-c:a", encoder, "-f", path.suffix[1:])
    sound, damage = read(path)
    np.testing.assert_array_equal(sound, samples / 32_768)
    assert not damage


MPEG = [
    pytest.param("a.mp3", ["-b:a", "64k", "-write_xing", "0"], id="constant rate"),
    pytest.param("a.mp3", ["-q:a", "2", "-write_xing", "0", "-id3v2_version", "0"], id="varying rate"),
    pytest.param("a.mp2", ["-c:a", "mp2"], id="layer 2"),
    pytest.param("a.wav", ["-c:a", "libmp3lame"], id="in a WAV file"),
    pytest.param("a.mp3", ["-q:a", "2"], id="with its length"),
]


@pytest.mark.parametrize(("name", "encoder"), MPEG)
def test_all_of_an_mpeg_file_is_heard(name: str, encoder: list[str], tmp_path: Path) -> None:
    """Silence in the middle has estimates of a varying bit rate go wrong by far."""
    quiet = np.concatenate([noise(1, RATE_HZ), np.zeros(2 * RATE_HZ), noise(1, RATE_HZ)])
    soundfile.write(tmp_path / "source.wav", quiet, RATE_HZ)
    path = tmp_path / name
    ffmpeg("-i", tmp_path / "source.wav", *encoder, path)
    sound, damage = read(path)
    expected = decoded(path)
    assert len(sound) == len(expected)
    np.testing.assert_allclose(sound, expected, rtol=0, atol=1e-3)  # decoders differ in their rounding
    assert not damage


def twice(path: Path) -> Path:
    path.write_bytes(2 * path.read_bytes())
    return path


def test_two_mp3s_in_one_file_are_heard(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    ffmpeg(*tone(3), "-q:a", "2", path)
    sound, damage = read(twice(path))
    assert len(sound) == pytest.approx(6 * RATE_HZ, abs=4000)
    assert re.match(r"is longer than it says: its header declares 3\.\d\d s, and 6\.\d\d s are", damage)


@pytest.mark.parametrize("encoder", ["libvorbis", "libopus"])
def test_chained_ogg_streams_are_heard(encoder: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    ffmpeg(*tone(3, rate_hz=48_000), "-c:a", encoder, path)
    sound, damage = read(twice(path))
    assert len(sound) == pytest.approx(6 * 48_000, abs=4000)
    assert not damage


CUTTABLE = ["wav", "aiff", "au", "w64", "flac", "ogg", "mp3"]


@pytest.mark.parametrize("ending", CUTTABLE)
@pytest.mark.parametrize("kept", [0.5, 0.9], ids=["half", "nine tenths"])
def test_what_is_there_of_a_cut_file_is_heard(ending: str, kept: float, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, noise(3, RATE_HZ), RATE_HZ)
    expected, _ = read(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    sound, damage = read(path)
    # Ogg's pages are long, and only whole ones can be read.
    assert len(sound) / len(expected) == pytest.approx(kept, abs=0.25 if ending == "ogg" else 0.06)
    end = len(sound) - 4096  # a lossy codec's last block depends on what follows it
    np.testing.assert_allclose(sound[:end], expected[:end], rtol=0, atol=1e-6)
    assert damage.startswith("is cut short")


def test_a_flac_file_is_read_on_behind_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    samples = noise(30, RATE_HZ)
    soundfile.write(path, samples, RATE_HZ)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 50] = bytes(50)
    path.write_bytes(content)
    sound, damage = read(path)
    assert len(sound) > 29 * RATE_HZ
    np.testing.assert_allclose(sound[-RATE_HZ:], samples[-RATE_HZ:], rtol=0, atol=1e-4)
    assert damage.startswith("is damaged (libsndfile says: ") or "header declares" in damage


def test_a_flac_file_is_read_on_behind_what_its_header_declares(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    samples = noise(3, RATE_HZ)
    soundfile.write(path, samples, RATE_HZ)
    content = bytearray(path.read_bytes())
    field = int.from_bytes(content[18:26], "big")  # the last 36 bits are the number of samples
    content[18:26] = (field >> 36 << 36 | RATE_HZ).to_bytes(8, "big")
    path.write_bytes(content)
    sound, damage = read(path)
    np.testing.assert_allclose(sound, samples, rtol=0, atol=1e-4)
    assert damage == "is longer than it says: its header declares 1.00 s, and 3.00 s are there"


@pytest.mark.parametrize("ending", ["wav", "aiff", "au", "ogg"])
def test_a_file_without_samples_is_refused(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, np.zeros((0, 1)), 48_000)
    with pytest.raises(OpenL3Error, match="holds no samples"):
        read(path)


def test_a_pipe_is_told(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no pipes with names here")
    os.mkfifo(tmp_path / "a.wav")
    with pytest.raises(OpenL3Error, match="a pipe, a socket or a device"):
        read(tmp_path / "a.wav")


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.wav").symlink_to(tmp_path / "gone.wav")
    with pytest.raises(OpenL3Error, match="a link that leads nowhere"):
        read(tmp_path / "a.wav")


@pytest.mark.skipif(os.name != "posix", reason="names are Unicode here")
@pytest.mark.parametrize("ending", ["wav", "flac", "m4a"])
def test_a_name_that_is_no_utf_8_will_do(ending: str, tmp_path: Path) -> None:
    plain = tmp_path / f"a.{ending}"
    ffmpeg(*tone(1), plain)
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9." + ending.encode()))
    odd.write_bytes(plain.read_bytes())
    np.testing.assert_array_equal(read(odd)[0], read(plain)[0])


def test_a_header_that_declares_thousands_of_channels_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    content = bytearray(wav(88_200, pcm().tobytes()))
    content[22:24] = struct.pack("<H", 1000)  # channels
    content[24:28] = struct.pack("<I", 20_000_000)  # samples a second
    content[32:34] = struct.pack("<H", 2000)  # bytes of a sample of all channels
    path.write_bytes(content)
    with open_recording(path) as recording:
        assert np.concatenate(list(recording.blocks())).shape == (44, 1000)

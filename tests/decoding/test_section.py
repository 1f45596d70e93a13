"""Sections are cut out of files exactly, whether or not their readers can go to a sample."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from conftest import PATIENCE_S, noise

from l3embed.decoding import audio
from l3embed.decoding.audio import AudioFile
from l3embed.decoding.recording import open_recording
from l3embed.decoding.section import CutFrames, CutRecording, Section
from l3embed.decoding.video import open_video
from l3embed.errors import OpenL3Error

RATE_HZ = 22_050
SECONDS = 32.5
"""Longer than three blocks of 10 s."""

Samples = npt.NDArray[np.float64]

FORMATS = {
    "a.wav": "PCM_16",
    "a.flac": "PCM_24",
    "a.ogg": "VORBIS",
    "a.aiff": "ULAW",
    "adpcm.wav": "IMA_ADPCM",
    "a.mp3": "MPEG_LAYER_III",
    "gsm.wav": "GSM610",
}


def whole(path: Path) -> Samples:
    with open_recording(path) as recording:
        return np.concatenate(list(recording.blocks()))


def cut(path: Path, section: Section) -> tuple[Samples, str]:
    """The section of a file, and what was found to be wrong."""
    with open_recording(path) as recording:
        part = CutRecording(recording, section)
        return np.concatenate(list(part.blocks())), part.damage


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sections")
    samples = np.stack([noise(SECONDS, RATE_HZ, seed) for seed in (0, 1)], axis=1)
    for name, subtype in FORMATS.items():
        channels = samples[:, 0] if subtype == "GSM610" else samples
        soundfile.write(path / name, channels, RATE_HZ, subtype=subtype)
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error"]
    command = [*ffmpeg, "-i", str(path / "a.wav"), str(path / "a.m4a")]
    subprocess.run(command, timeout=PATIENCE_S, check=True)
    return path


@pytest.mark.parametrize("name", [*FORMATS, "a.m4a"])
@pytest.mark.parametrize(("start_s", "end_s"), [(0.0, 1.5), (3.00001, 25.2), (31.9999, None), (0.0, None)])
def test_a_section_has_the_file_s_own_samples(
    name: str, start_s: float, end_s: float | None, folder: Path
) -> None:
    expected = whole(folder / name)
    last = len(expected) if end_s is None else round(end_s * RATE_HZ)
    found, damage = cut(folder / name, Section(start_s, end_s))
    np.testing.assert_array_equal(found, expected[round(start_s * RATE_HZ) : last])
    assert not damage


@pytest.mark.parametrize(("name", "blocks"), [("a.wav", 1), ("a.flac", 1), ("a.ogg", 1), ("a.mp3", 4)])
def test_nothing_before_it_is_decoded_where_that_can_be(
    name: str, blocks: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    blocks_of = AudioFile.blocks

    def count(file: AudioFile) -> object:
        for block in blocks_of(file):
            read.append(len(block))
            yield block

    monkeypatch.setattr(audio.AudioFile, "blocks", count)
    cut(folder / name, Section(31.0, 31.5))
    assert len(read) == blocks


def test_a_section_that_begins_behind_the_end_is_refused(folder: Path) -> None:
    with pytest.raises(OpenL3Error, match=r"begins at 40 s, and the file ends at 32\.50 s"):
        cut(folder / "a.wav", Section(40.0))


def test_a_section_that_ends_behind_the_end_is_short_and_told(folder: Path) -> None:
    found, damage = cut(folder / "a.wav", Section(32.0, 40.0))
    assert len(found) == round(0.5 * RATE_HZ)
    assert damage == "ends at 32.50 s, before its section does at 40 s"
    assert not cut(folder / "a.wav", Section(32.0, 32.55))[1]  # rounded times are no damage


@pytest.mark.parametrize(
    ("start_s", "end_s", "reason"),
    [
        (-1.0, None, "start_s must be a number of seconds from 0 on; got -1"),
        (float("inf"), None, "start_s must be"),
        (2.0, 2.0, "end_s must be a number of seconds above start_s, 2; got 2"),
        (2.0, 1.0, "end_s must be"),
    ],
)
def test_what_is_no_section_is_refused(start_s: float, end_s: float | None, reason: str) -> None:
    with pytest.raises(OpenL3Error, match=reason):
        Section(start_s, end_s)


@pytest.fixture(scope="module")
def video(folder: Path) -> Path:
    path = folder / "a.mp4"
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-f", "lavfi"]
    source = "testsrc2=size=64x48:rate=10:duration=8"
    command = [*ffmpeg, "-i", source, "-pix_fmt", "yuv420p", str(path)]
    subprocess.run(command, timeout=PATIENCE_S, check=True)
    return path


def test_frames_within_a_section_are_the_video_s_own_and_count_from_its_start(video: Path) -> None:
    with open_video(video) as file:
        everything = np.concatenate(list(file.frames()))
        part = CutFrames(file, Section(2.95, 7.0))
        found = np.concatenate(list(part.frames()))
        again = np.concatenate(list(part.frames()))
    np.testing.assert_array_equal(found, everything[30:70])
    np.testing.assert_array_equal(again, found)
    np.testing.assert_allclose(part.times_s, np.arange(3.0, 6.95, 0.1) - 2.95, atol=1e-9)


def test_a_section_without_frames_is_refused(video: Path) -> None:
    with (
        open_video(video) as file,
        pytest.raises(OpenL3Error, match=r"its section: 9 to the end, the"),
    ):
        list(CutFrames(file, Section(9.0)).frames())

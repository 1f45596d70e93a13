"""Audio that only ffmpeg reads, and what ffmpeg's own words are made of."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import noise

from l3embed.decoding import checks as module
from l3embed.decoding.checks import stated_bytes
from l3embed.decoding.ffmpeg import FfmpegRun, parse_info, probe
from l3embed.decoding.ffmpeg_sound import audio_blocks_by_ffmpeg
from l3embed.errors import OpenL3Error

from .conftest import album, cut, ffmpeg, joined, loudest_hz, picture, tone

LOSSY = [
    pytest.param("a.m4a", ("-c:a", "aac"), id="m4a"),
    pytest.param("a.wma", ("-c:a", "wmav2"), id="wma"),
    pytest.param("a.mp4", ("-c:a", "libopus", "-ar", "48000"), id="opus-in-mp4"),
    pytest.param("a.ac3", ("-c:a", "ac3"), id="ac3"),
    pytest.param("a.aac", ("-c:a", "aac"), id="adts"),
]


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_samples_are_exactly_libsndfiles(subtype: str, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    stereo = np.stack([noise(1.2, 22_050, seed=1), noise(1.2, 22_050, seed=2)], axis=1)
    soundfile.write(path, stereo, 22_050, subtype=subtype)
    expected, _ = soundfile.read(path, dtype="float64")
    with audio_blocks_by_ffmpeg(path) as file:
        np.testing.assert_array_equal(joined(list(file.blocks())), expected)


@pytest.mark.parametrize(("name", "encoder"), LOSSY)
def test_the_tone_that_was_encoded_is_decoded(name: str, encoder: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / name
    ffmpeg(*tone(1.5, 1000, 48_000), *encoder, path)
    with audio_blocks_by_ffmpeg(path) as file:
        samples = joined(list(file.blocks()))
        assert (file.sample_rate_hz, file.channels) == (48_000, 1)
    assert samples.dtype == np.float64
    assert len(samples) == pytest.approx(72_000, abs=3000)
    assert loudest_hz(samples[:, 0], 48_000) == pytest.approx(1000, abs=2)


def test_all_channels_come_at_the_files_own_rate(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    waves = "|".join(f"0.3*sin({2 * 3.14159265 * 200 * (n + 1):.3f}*t)" for n in range(6))
    source = f"aevalsrc='{waves}':sample_rate=32000:duration=1:channel_layout=5.1"
    ffmpeg("-f", "lavfi", "-i", source, "-c:a", "alac", path)
    with audio_blocks_by_ffmpeg(path) as file:
        samples = joined(list(file.blocks()))
        assert (file.sample_rate_hz, file.channels, samples.shape) == (32_000, 6, (32_000, 6))
    heard = [loudest_hz(channel, 32_000) for channel in samples.T]
    assert heard == pytest.approx([200, 400, 600, 800, 1000, 1200], abs=2)


def test_blocks_are_of_ten_seconds(tmp_path: Path) -> None:
    ffmpeg(*tone(21, 440, 8000), "-c:a", "alac", tmp_path / "a.m4a")
    with audio_blocks_by_ffmpeg(tmp_path / "a.m4a") as file:
        assert [block.shape for block in file.blocks()] == [(80_000, 1), (80_000, 1), (8000, 1)]


def test_a_file_with_a_cover_is_heard(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    album(path, "-c:a", "alac")
    with audio_blocks_by_ffmpeg(path) as file:
        assert len(joined(list(file.blocks()))) == 66_150


@pytest.mark.parametrize("name", ["front.m4a", "back.m4a", "a.mka", "a.wma"])
def test_a_cut_file_is_told(name: str, tmp_path: Path) -> None:
    where = ["-movflags", "+faststart"] if name == "front.m4a" else []
    encoder = {"m4a": "aac", "mka": "aac", "wma": "wmav2"}[name.rpartition(".")[2]]
    ffmpeg(*tone(3), "-c:a", encoder, *where, tmp_path / name)
    path = cut(tmp_path / name, 0.6, tmp_path / f"cut-{name}")
    if name == "back.m4a":  # its index was at the end
        with pytest.raises(OpenL3Error, match="cut short"), audio_blocks_by_ffmpeg(path):
            pass
        return
    with audio_blocks_by_ffmpeg(path) as file:
        assert 0.3 < len(joined(list(file.blocks()))) / (3 * 44_100) < 0.7
        assert file.damage.startswith("is cut short")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(None, "There is no such file", id="missing"),
        pytest.param(b"", "The file is empty", id="empty"),
        pytest.param(b"not a sound " * 500, r"cut short, or no video or audio .*moov atom", id="text"),
    ],
)
def test_a_file_that_is_no_audio_is_told(content: bytes | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OpenL3Error, match=reason), audio_blocks_by_ffmpeg(path):
        pass


def test_a_video_without_sound_is_told(tmp_path: Path) -> None:
    ffmpeg(*picture(), "-c:v", "mjpeg", tmp_path / "a.avi")
    with pytest.raises(OpenL3Error, match="no sound"), audio_blocks_by_ffmpeg(tmp_path / "a.avi"):
        pass


def test_a_file_without_samples_is_told(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((0, 1)), 8000)
    with (
        pytest.raises(OpenL3Error, match="holds no samples"),
        audio_blocks_by_ffmpeg(tmp_path / "a.wav") as file,
    ):
        list(file.blocks())


def test_a_title_is_not_taken_for_a_stream(tmp_path: Path) -> None:
    title = "x\n  Stream #0:1: Video: h264, 25 fps\n[error] moov atom not found"
    ffmpeg(*tone(), "-metadata", f"title={title}", "-c:a", "pcm_s16le", tmp_path / "a.mka")
    info = probe(tmp_path / "a.mka")
    assert (info.has_frames, info.has_audio) == (False, True)
    with audio_blocks_by_ffmpeg(tmp_path / "a.mka") as file:
        assert len(joined(list(file.blocks()))) == 66_150


PRINTED = [
    "Input #0, mov,mp4, from 'a.mp4':",
    "  Duration: 01:02:03.45, start: 0.000000, bitrate: 485 kb/s",
    "  Stream #0:0[0x1](und): Video: h264, yuv420p, 320x240, 29.97 fps, 30 tbr, 90k tbn",
    "  Stream #0:1[0x2](eng): Audio: aac (LC), 44100 Hz, stereo, fltp, 125 kb/s (default)",
    "Stream mapping:",
    "  Stream #0:0 -> #0:0 (h264 (native) -> wrapped_avframe (native))",
]


@pytest.mark.parametrize(
    ("told", "expected_hz"),
    [
        pytest.param("30000/1001", 30_000 / 1001, id="constant"),
        pytest.param("60/1", 30_000 / 1001, id="varying"),
        pytest.param("2997/100", 29.97, id="exactly-29.97"),
    ],
)
def test_the_rate_that_filters_are_told_counts_if_it_is_the_average(told: str, expected_hz: float) -> None:
    info = parse_info([*PRINTED, f"config in time_base: 1/90000, frame_rate: {told}"])
    assert info.frame_rate_hz == pytest.approx(expected_hz, rel=1e-12)


def test_a_duration_is_read() -> None:
    assert parse_info(PRINTED).duration_s == pytest.approx(3723.45)


def test_a_duration_that_is_only_an_estimate_is_not_taken() -> None:
    estimate = "Estimating duration from bitrate, this may be inaccurate"
    assert parse_info([estimate, *PRINTED]).duration_s is None


@pytest.mark.parametrize(
    ("start", "stated"),
    [
        pytest.param(struct.pack("<4sI4s", b"RIFF", 1000, b"AVI "), 1008, id="avi"),
        pytest.param(struct.pack("<4sI4s", b"RIFF", 0xFFFF_FFFF, b"AVI "), 0, id="avi-from-a-pipe"),
        pytest.param(struct.pack("<4sI4s", b"RIFF", 1000, b"WAVE"), 0, id="wave"),
        pytest.param(b"RIFF", 0, id="four-bytes"),
        pytest.param(module.ASF_GUID, 0, id="asf-without-properties"),
    ],
)
def test_the_length_that_a_file_states(start: bytes, stated: int) -> None:
    assert stated_bytes(start) == stated


def test_what_ffmpeg_says_last_that_is_meaningful_is_told(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(0.1), 48_000)
    with FfmpegRun(tmp_path / "a.wav", ("-af", "nosuch", "-f", "null", "-")) as run:
        assert re.match(r"is damaged: not all of it could be decoded \(ffmpeg says: .*nosuch", run.finish())


def test_a_missing_ffmpeg_is_told_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_found() -> str:
        raise RuntimeError("No ffmpeg exe could be found.")

    monkeypatch.setattr("imageio_ffmpeg.get_ffmpeg_exe", none_found)
    soundfile.write(tmp_path / "a.wav", noise(0.1), 48_000)
    with pytest.raises(OpenL3Error, match="IMAGEIO_FFMPEG_EXE"):
        probe(tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        pytest.param(
            ["[in#0/avi @ 0x1] [warning] Packet corrupt (stream = 0)."], "Packet corrupt", id="plain"
        ),
        pytest.param(
            ["[Parsed_showinfo_0 @ 0x1] [info] n:   1 pts: 1 File ended prematurely"],
            "File ended prematurely",
            id="inside-another-line",
        ),
        pytest.param(["    title           : File ended prematurely"], "", id="title"),
        pytest.param(["[info]   title           : File ended prematurely"], "", id="title-with-level"),
        pytest.param(
            [
                "[info] Input #0, mpegts, from 'a.ts':",
                "[in#0/mpegts @ 0x1] [warning] Packet corrupt (stream = 0).",
            ],
            "",
            id="broadcast",
        ),
    ],
)
def test_what_counts_as_cut_short(lines: list[str], told: str, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(0.1), 48_000)
    with FfmpegRun(tmp_path / "a.wav", ("-f", "null", "-")) as run:
        run.wait()
        for line in lines:
            run._take_line(line)
    assert run.cut_short_line.startswith(told)
    assert bool(run.cut_short_line) == bool(told)

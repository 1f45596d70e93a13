"""Videos to frames and samples: moviepy's numbers, real times, and a word for each way a file can be bad."""

from __future__ import annotations

import gc
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import NEEDS_OWN_PEAK, OWN_PEAK, PATIENCE_S, reference, run_child
from imageio_ffmpeg import get_ffmpeg_exe

from l3embed.decoding.ffmpeg import MediaInfo
from l3embed.decoding.video import FrameClock, VideoFile, open_video
from l3embed.errors import OpenL3Error
from l3embed.inputs.windows import Framer, Framing, MonoStream

from .conftest import (
    MakeVideo,
    album,
    cut,
    ffmpeg,
    frames_of,
    loudest_hz,
    moviepy_frames,
    moviepy_sound,
    picture,
    sound_of,
    times_of,
    tone,
)

CLIP = reference("inputs/clip_12fps.mp4")
CONTAINERS = ["avi", "mkv", "mov", "mp4", "webm"]
NTSC_RATE_HZ = 30_000 / 1001


def test_the_reference_clip_gives_moviepys_18_frames() -> None:
    ours, theirs = frames_of(CLIP), moviepy_frames(CLIP)
    assert ours.shape == (18, 256, 256, 3)
    np.testing.assert_array_equal(ours, theirs)


def test_the_reference_clip_gives_three_windows_at_a_hop_of_half_a_second() -> None:
    stream, framer, windows = MonoStream(48_000), Framer(Framing(hop_s=0.5)), 0
    with open_video(CLIP) as video:
        for block in video.audio_blocks():
            windows += len(framer.feed(stream.feed(block)))
    windows += len(framer.feed(stream.finish())) + len(framer.finish())
    assert windows == 3


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_frames_are_moviepys_to_the_byte(suffix: str, make_video: MakeVideo) -> None:
    path = make_video(suffix)
    ours, theirs = frames_of(path), moviepy_frames(path)
    assert len(ours) == 18
    np.testing.assert_array_equal(ours, theirs[:18])


@pytest.mark.parametrize("size", ["63x47", "301x17"])
def test_frames_of_odd_sizes_are_moviepys_to_the_byte(size: str, make_video: MakeVideo) -> None:
    path = make_video("mov", size=size)
    np.testing.assert_array_equal(frames_of(path), moviepy_frames(path)[:18])


def test_a_frame_that_moviepy_loses_to_a_rounded_duration_is_there(make_video: MakeVideo) -> None:
    path = make_video("mov", rate="30000/1001", seconds=1.0)
    ours, theirs = frames_of(path), moviepy_frames(path)
    assert (len(ours), len(theirs)) == (30, 29)
    np.testing.assert_array_equal(ours[:29], theirs)


def test_frames_come_in_blocks_of_at_most_32(make_video: MakeVideo) -> None:
    with open_video(make_video(rate="50")) as video:
        assert [len(block) for block in video.frames()] == [32, 32, 11]


def test_frames_can_be_gone_through_twice(make_video: MakeVideo) -> None:
    with open_video(make_video()) as video:
        first, second = (np.concatenate(list(video.frames())) for _ in range(2))
        assert len(video.frame_times_s) == 18
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("rate", "expected_hz"),
    [
        pytest.param("25", 25.0, id="25"),
        pytest.param("12", 12.0, id="12"),
        pytest.param("30000/1001", NTSC_RATE_HZ, id="29.97"),
        pytest.param("24000/1001", 24_000 / 1001, id="23.976"),
        pytest.param("15000/1001", 15_000 / 1001, id="14.985"),
        pytest.param("12.345", 12.345, id="odd"),
    ],
)
@pytest.mark.parametrize("suffix", ["mov", "mkv"])
def test_the_frame_rate_is_not_rounded(
    rate: str, expected_hz: float, suffix: str, make_video: MakeVideo
) -> None:
    with open_video(make_video(suffix, rate=rate, seconds=1.0)) as video:
        assert video.frame_rate_hz == pytest.approx(expected_hz, rel=1e-6)


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_times_at_a_constant_rate_are_regular(suffix: str, make_video: MakeVideo) -> None:
    times_s = times_of(make_video(suffix, rate="30000/1001", seconds=1.0))
    np.testing.assert_allclose(times_s, np.arange(30) / NTSC_RATE_HZ, rtol=0, atol=1e-6)


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_times_at_a_varying_rate_are_the_real_ones(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    # Ten frames at 25 Hz, then five at 5 Hz: the picture is shown longer and longer.
    slower = "setpts='if(lt(N,10),N/25,0.4+(N-10)/5)/TB'"
    ffmpeg(*picture("25", 0.6), "-vf", slower, "-fps_mode", "vfr", "-c:v", "libx264", "-bf", "0", path)
    expected = [*(np.arange(10) / 25), *(0.4 + np.arange(5) / 5)]
    np.testing.assert_allclose(times_of(path), expected, rtol=0, atol=1e-3)


def test_times_are_those_of_the_frames_that_came_so_far(make_video: MakeVideo) -> None:
    with open_video(make_video(rate="50")) as video:
        assert video.frame_times_s.shape == (0,)
        frames = video.frames()
        next(frames)
        np.testing.assert_allclose(video.frame_times_s, np.arange(32) / 50, rtol=0, atol=1e-6)


def test_times_count_from_the_first_frame(tmp_path: Path) -> None:
    path = tmp_path / "late.mkv"
    ffmpeg("-itsoffset", "0.5", *picture(), *tone(), "-c:v", "mjpeg", "-c:a", "pcm_s16le", path)
    np.testing.assert_allclose(times_of(path), np.arange(18) / 12, rtol=0, atol=1e-6)


def test_the_clock_takes_a_frame_without_a_time_to_be_regular() -> None:
    clock = FrameClock(frame_rate_hz=4.0)
    clock.take_line("n:   0 pts: NOPTS pts_time:NOPTS duration:      1")
    clock.take_line("n:   1 pts: NOPTS pts_time:NOPTS duration:      1")
    assert clock.times_s(2).tolist() == [0.0, 0.25]


def test_the_clock_keeps_a_time_that_is_off_by_more_than_rounding() -> None:
    clock = FrameClock(frame_rate_hz=25.0)
    clock.take_line("config in time_base: 1/1000, frame_rate: 25/1")
    for index, ticks in enumerate([0, 41, 84]):
        clock.take_line(f"n: {index:3} pts: {ticks:6} pts_time:0 duration:     40")
    assert clock.times_s(3).tolist() == [0.0, 0.04, 0.084]


def test_the_clock_tells_when_the_log_ends_early() -> None:
    clock = FrameClock(frame_rate_hz=4.0)
    clock.end()
    with pytest.raises(OpenL3Error, match="times of 0 of 1 frames"):
        clock.times_s(1)


@pytest.mark.parametrize("seconds", [1.2, 3.21])
@pytest.mark.parametrize("suffix", ["avi", "mp4", "webm"])
def test_sound_is_moviepys_to_the_bit(suffix: str, seconds: float, make_video: MakeVideo) -> None:
    path = make_video(suffix, seconds=seconds)
    np.testing.assert_array_equal(sound_of(path), moviepy_sound(path))


def test_sound_too_short_for_moviepy_is_ffmpegs(make_video: MakeVideo) -> None:
    # moviepy 2.2 raises, or gives other samples, up to 50,000 of them.
    path = make_video("mov", seconds=1.0)
    arguments = ["-vn", "-f", "s16le", "-ar", "48000", "-ac", "2", "-"]
    command = [get_ffmpeg_exe(), "-v", "error", "-i", str(path), *arguments]
    decoded = subprocess.check_output(command, timeout=PATIENCE_S)
    expected = np.frombuffer(decoded, dtype="<i2").reshape(-1, 2)[:48_000] / 2**15
    np.testing.assert_array_equal(sound_of(path), expected)


CHANNELS = [
    pytest.param("0.5*sin(300*t)", id="mono"),
    pytest.param("0.5*sin(300*t)|0.3*sin(900*t)", id="stereo"),
    pytest.param("|".join(f"0.2*sin({200 + 100 * n}*t)" for n in range(6)), id="5.1"),
]


@pytest.mark.parametrize("waves", CHANNELS)
def test_sound_of_any_channels_is_moviepys_to_the_bit(waves: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    source = f"aevalsrc='{waves}':sample_rate=32000:duration=1.5"
    ffmpeg(*picture(), "-f", "lavfi", "-i", source, "-c:v", "mjpeg", "-c:a", "flac", path)
    ours = sound_of(path)
    assert ours.shape == (72_000, 2)
    np.testing.assert_array_equal(ours, moviepy_sound(path))


def test_sound_comes_in_blocks_of_ten_seconds(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    ffmpeg(*picture("2", 12, "16x16"), *tone(12), "-c:v", "mjpeg", "-c:a", "pcm_s16le", path)
    with open_video(path) as video:
        assert video.audio_sample_rate_hz == 48_000
        assert [block.shape for block in video.audio_blocks()] == [(480_000, 2), (96_000, 2)]


def test_sound_that_ends_early_is_followed_by_silence_as_in_moviepy(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    ffmpeg(*picture("4", 3), *tone(1), "-c:v", "mjpeg", "-c:a", "pcm_s16le", path)
    sound = sound_of(path)
    np.testing.assert_array_equal(sound, moviepy_sound(path))
    assert not sound[48_100:].any()


def test_sound_that_is_longer_than_the_file_says_is_cut_as_in_moviepy(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    ffmpeg(*picture("30000/1001", 4), *tone(4), "-c:v", "mpeg2video", "-c:a", "aac", path)
    with open_video(path) as video:
        video.duration_s, stated_s = None, video.duration_s
        whole = sum(len(block) for block in video.audio_blocks())
    sound = sound_of(path)
    assert stated_s is not None
    assert len(sound) < whole
    np.testing.assert_array_equal(sound, moviepy_sound(path))


@pytest.mark.parametrize("default", [0, 1], ids=["first", "second"])
def test_of_two_sounds_the_default_one_is_heard(default: int, tmp_path: Path) -> None:
    path = tmp_path / "two.mkv"
    sounds = [*tone(frequency_hz=440), *tone(frequency_hz=1000)]
    streams = ["-map", "0", "-map", "1", "-map", "2"]
    marks = [f"-disposition:a:{default}", "default", f"-disposition:a:{1 - default}", "0"]
    ffmpeg(*picture(), *sounds, *streams, *marks, "-c:v", "mjpeg", "-c:a", "pcm_s16le", path)
    assert loudest_hz(sound_of(path)[:, 0], 48_000) == pytest.approx([440, 1000][default], abs=2)


def test_a_video_without_sound_has_frames_only(tmp_path: Path) -> None:
    ffmpeg(*picture(), "-c:v", "mjpeg", tmp_path / "a.avi")
    with open_video(tmp_path / "a.avi") as video:
        assert (video.has_frames, video.has_audio) == (True, False)
        with pytest.raises(OpenL3Error, match="no sound"):
            next(video.audio_blocks())


def test_sound_alone_has_no_frames(tmp_path: Path) -> None:
    ffmpeg(*tone(), "-c:a", "aac", tmp_path / "a.mp4")
    with open_video(tmp_path / "a.mp4") as video:
        assert (video.has_frames, video.has_audio) == (False, True)
        with pytest.raises(OpenL3Error, match="no frames"):
            next(video.frames())


def test_a_cover_is_no_frame(tmp_path: Path) -> None:
    path = tmp_path / "album.m4a"
    album(path, "-c:a", "aac")
    with open_video(path) as video:
        assert (video.has_frames, video.has_audio) == (False, True)


NAMES = ["two words.avi", 'it\'s "quoted".avi', "Vídeo 日本語 🎻.avi", "-dash.avi", "a:b%03d.avi"]


@pytest.mark.parametrize("name", NAMES, ids=["spaces", "quotes", "letters", "dash", "colon"])
def test_any_file_name_will_do(
    name: str, make_video: MakeVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.name == "nt" and {'"', ":"} & set(name):
        pytest.skip("Windows has no such names")
    (tmp_path / name).write_bytes(make_video("avi").read_bytes())
    monkeypatch.chdir(tmp_path)
    assert len(frames_of(Path(name))) == 18


CUTTABLE = ["avi", "mkv", "mp4", "webm", "wmv"]


@pytest.mark.parametrize("suffix", CUTTABLE)
def test_the_frames_that_are_there_of_a_cut_file_come(
    suffix: str, make_video: MakeVideo, tmp_path: Path
) -> None:
    whole = make_video(suffix)
    expected = frames_of(whole)
    with open_video(cut(whole, 0.7, tmp_path / f"cut.{suffix}")) as video:
        frames = np.concatenate(list(video.frames()))
    assert 0 < len(frames) < len(expected)
    half = len(frames) // 2  # of the last ones, what they are made from may be missing
    np.testing.assert_array_equal(frames[:half], expected[:half])
    assert video.damage.startswith("is cut short")


@pytest.mark.parametrize("suffix", CUTTABLE)
def test_the_sound_that_is_there_of_a_cut_file_comes(
    suffix: str, make_video: MakeVideo, tmp_path: Path
) -> None:
    whole = make_video(suffix)
    with open_video(cut(whole, 0.7, tmp_path / f"cut.{suffix}")) as video:
        sound = np.concatenate(list(video.audio_blocks()))
    assert 0.2 * 48_000 < len(sound) <= len(sound_of(whole))
    assert video.damage.startswith("is cut short")


def test_a_file_cut_before_its_index_is_refused(make_video: MakeVideo, tmp_path: Path) -> None:
    path = cut(make_video("mov"), 0.7, tmp_path / "cut.mov")
    with pytest.raises(OpenL3Error, match="cut short"), open_video(path):
        pass


def declaring_hours(path: Path) -> Path:
    """Have a Matroska file declare a length of 100 hours: the only double of its segment's header."""
    content = bytearray(path.read_bytes())
    place = content.index(b"\x44\x89\x88")  # EBML's identifier of the duration, and that it has 8 bytes
    content[place + 3 : place + 11] = struct.pack(">d", 360_000_000.0)
    path.write_bytes(content)
    return path


def test_declared_hours_of_silence_are_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    ffmpeg(*picture("4", 3), *tone(1), "-c:v", "mjpeg", "-c:a", "pcm_s16le", path)
    with open_video(declaring_hours(path)) as video:
        sound = np.concatenate(list(video.audio_blocks()))
    assert len(sound) == 3 * 48_000  # up to the last frame's end
    assert not sound[48_100:].any()
    assert re.search(r"declares 360000\.00 s, and 3\.00 s are there", video.damage)
    assert video.duration_s == 3


def test_declared_hours_without_sound_are_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    ffmpeg(*picture("4", 3), "-c:v", "mjpeg", path)
    with open_video(declaring_hours(path)) as video:
        assert sum(map(len, video.frames())) == 12
    assert re.search(r"declares 360000\.00 s, and 3\.00 s are there", video.damage)
    assert video.duration_s == 3


def test_a_whole_file_has_no_damage(make_video: MakeVideo) -> None:
    with open_video(make_video("mkv")) as video:
        list(video.frames())
        assert not video.damage
        list(video.audio_blocks())
        assert not video.damage


def test_rubbish_is_told_with_ffmpegs_reason(tmp_path: Path) -> None:
    (tmp_path / "a.avi").write_bytes(np.random.default_rng(0).bytes(5000))
    with (
        pytest.raises(
            OpenL3Error, match=r"could not be read as video or audio \(ffmpeg says: .*Invalid data"
        ),
        open_video(tmp_path / "a.avi"),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("none.mp4", "There is no such file", id="missing"),
        pytest.param(".", "It is a folder", id="folder"),
        pytest.param("empty.mp4", "The file is empty", id="empty"),
    ],
)
def test_a_path_that_is_no_file_is_told(name: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(OpenL3Error, match=reason), open_video(tmp_path / name):
        pass


def test_frames_that_cannot_be_decoded_are_told(make_video: MakeVideo) -> None:
    # As if probing had found frames where there are none.
    video = VideoFile(reference("inputs/rain_22k_mono.wav"), MediaInfo(has_frames=True))
    with pytest.raises(
        OpenL3Error, match=r"not all of it could be decoded .*ffmpeg says: Output file does not contain"
    ):
        next(video.frames())


def test_leaving_a_video_ends_what_still_runs(make_video: MakeVideo) -> None:
    with open_video(make_video(rate="50")) as video:
        frames = video.frames()
        next(frames)
        (run,) = video._runs
    assert run._process.poll() is not None
    with pytest.raises(OpenL3Error, match="closed before"):
        list(frames)


def test_a_pass_that_is_given_up_ends_its_process(make_video: MakeVideo) -> None:
    with open_video(make_video(rate="50")) as video:
        frames = video.frames()
        next(frames)
        (run,) = video._runs
        del frames
        gc.collect()
        assert run._process.poll() is not None


READ_AND_TELL_MEMORY = """
import resource, sys
from pathlib import Path
from l3embed.decoding.video import open_video
with open_video(Path(sys.argv[1])) as video:
    frames = sum(len(block) for block in video.frames())
    samples = sum(len(block) for block in video.audio_blocks())
    times = len(video.frame_times_s)
print(frames, samples, times, own_peak_kib(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def read_in_a_process(path: Path) -> list[int]:
    """Frames, samples, times, and the largest memory of the process and of its ffmpegs, in KiB."""
    command = [sys.executable, "-c", OWN_PEAK + READ_AND_TELL_MEMORY, str(path)]
    return [int(word) for word in run_child(command).stdout.split()]


@NEEDS_OWN_PEAK
@pytest.mark.slow
def test_a_long_video_needs_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    results = []
    for seconds in (10, 60):
        path = tmp_path / f"{seconds}.mp4"
        encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"]
        ffmpeg(*picture("12", seconds, "1280x720"), *tone(seconds), *encoder, path)
        results.append(read_in_a_process(path))
    short, long = results
    assert (short[0], long[0], long[2]) == (120, 720, 720)
    # The longer one's frames alone are 118 MB more, its samples 35 MB.
    assert long[3] - short[3] < 15_000
    assert long[4] - short[4] < 30_000

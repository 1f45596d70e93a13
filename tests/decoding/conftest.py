"""Videos and sounds that ffmpeg makes, and moviepy's own reader to compare with."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from conftest import PATIENCE_S, run_child
from imageio_ffmpeg import get_ffmpeg_exe

from l3embed.decoding.video import open_video

Frames = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.float64]

ENCODERS = {
    "avi": ("-c:v", "mjpeg", "-c:a", "pcm_s16le"),
    "mkv": ("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "libvorbis"),
    "mov": ("-c:v", "mjpeg", "-c:a", "aac"),
    "mp4": ("-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac", "-movflags", "+faststart"),
    "webm": ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"),
    "wmv": ("-c:v", "wmv2", "-c:a", "wmav2"),
}


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg, which stands in for whatever makes a user's files."""
    command = [get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    subprocess.run(command, timeout=PATIENCE_S, check=True)


def ffmpeg_to_pipe(target: Path, *arguments: str | Path) -> None:
    """Run ffmpeg on its way into a pipe, where it cannot go back to correct a header."""
    command = [get_ffmpeg_exe(), "-v", "error", "-nostdin", *map(str, arguments), "-"]
    with target.open("wb") as file:
        run_child(command, stdout=file)


def picture(rate: str = "12", seconds: float = 1.5, size: str = "64x48") -> list[str]:
    """Arguments for a moving test picture; `rate` may be a fraction."""
    return ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}"]


def tone(seconds: float = 1.5, frequency_hz: int = 440, rate_hz: int = 44_100) -> list[str]:
    """Arguments for a mono sine."""
    source = f"sine=frequency={frequency_hz}:sample_rate={rate_hz}:duration={seconds}"
    return ["-f", "lavfi", "-i", source]


def album(path: Path, *encoder: str) -> None:
    """Write a tone with a picture as its cover."""
    cover = path.with_name("cover.png")
    ffmpeg(*picture(size="320x240"), "-frames:v", "1", cover)
    ffmpeg(*tone(), "-i", cover, *encoder, "-c:v", "mjpeg", "-disposition:v", "attached_pic", path)


@cache
def _made(folder: Path, suffix: str, rate: str, seconds: float, size: str) -> Path:
    path = folder / f"{rate.replace('/', '_')}-{seconds}-{size}.{suffix}"
    ffmpeg(*picture(rate, seconds, size), *tone(seconds), *ENCODERS[suffix], path)
    return path


class MakeVideo:
    """Makes a video with a tone in a container; the same one only once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(
        self, suffix: str = "mp4", rate: str = "12", seconds: float = 1.5, size: str = "64x48"
    ) -> Path:
        return _made(self._folder, suffix, rate, seconds, size)


@pytest.fixture(scope="session")
def make_video(tmp_path_factory: pytest.TempPathFactory) -> MakeVideo:
    """Make a video of a test picture with a 440 Hz tone, and return its path: not to be changed."""
    return MakeVideo(tmp_path_factory.mktemp("videos"))


def frames_of(path: Path) -> Frames:
    """All our frames."""
    with open_video(path) as video:
        return np.concatenate(list(video.frames()))


def times_of(path: Path) -> npt.NDArray[np.float64]:
    """All our times, after a pass."""
    with open_video(path) as video:
        for _ in video.frames():
            pass
        return video.frame_times_s


def sound_of(path: Path) -> Samples:
    """All our samples."""
    with open_video(path) as video:
        return np.concatenate(list(video.audio_blocks()))


def moviepy_clip(path: Path) -> Any:
    """The clip as the reference opens it."""
    from moviepy import VideoFileClip

    return VideoFileClip(str(path), target_resolution=(256, 256), audio_fps=48_000)


def moviepy_frames(path: Path) -> Frames:
    """The frames as moviepy iterates over them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it warns where it repeats the last frame
        clip = moviepy_clip(path)
        try:
            return np.array(list(clip.iter_frames()))
        finally:
            clip.close()


def moviepy_sound(path: Path) -> Samples:
    """The samples as moviepy gives them."""
    clip = moviepy_clip(path)
    try:
        return np.asarray(clip.audio.to_soundarray())
    finally:
        clip.close()


def cut(path: Path, share: float, target: Path) -> Path:
    """Write the first part of a file to another."""
    whole = path.read_bytes()
    target.write_bytes(whole[: int(len(whole) * share)])
    return target


def loudest_hz(samples: npt.NDArray[np.floating], rate_hz: float) -> float:
    """The frequency with most energy, of samples ``(N,)``."""
    return float(np.abs(np.fft.rfft(samples)).argmax() * rate_hz / len(samples))


def joined(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """One array from blocks."""
    return np.concatenate(list(parts))

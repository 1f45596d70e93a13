"""Video files to blocks of frames and of samples, read by the ffmpeg that moviepy uses, with its numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Condition

import numpy as np
import numpy.typing as npt

from l3embed.decoding.audio import BLOCK_S
from l3embed.decoding.ffmpeg import FILTER_RATES, FfmpegRun, MediaInfo, OnLine, probe
from l3embed.errors import OpenL3Error
from l3embed.variants import SAMPLE_RATE_HZ

SUFFIXES = frozenset(
    (
        *(".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4"),
        *(".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"),
    )
)
"""Endings by which videos are picked out of a folder."""

FRAME_SIDE_PIXELS = 256
"""Height and width at which the reference has frames decoded; the aspect ratio is not kept."""

FRAME_CHANNELS = 3
BLOCK_FRAMES = 32
"""Frames that are held at a time: 6 MB."""

SOUND_CHANNELS = 2
SOUND_FULL_SCALE = 32_768
"""What the reference has moviepy convert sound to, whatever the file holds: 16-bit stereo at 48 kHz."""

FRAME_OPTIONS = (
    *("-an", "-sn", "-dn", "-fps_mode", "passthrough"),
    *("-vf", f"showinfo=checksum=0,scale={FRAME_SIDE_PIXELS}:{FRAME_SIDE_PIXELS}"),
    *("-sws_flags", "bicubic", "-pix_fmt", "rgb24", "-c:v", "rawvideo", "-f", "rawvideo", "-"),
)
SOUND_OPTIONS = (
    *("-vn", "-sn", "-dn", "-c:a", "pcm_s16le", "-f", "s16le"),
    *("-ar", str(SAMPLE_RATE_HZ), "-ac", str(SOUND_CHANNELS), "-"),
)

LOG_PATIENCE_S = 60
"""How long to wait for the log of a frame that was read: it was written before the frame."""

FRAME_LINE = re.compile(r"n: *(\d+) pts: *(-?\d+|NOPTS) +pts_time:\S+ +duration:")
"""How ffmpeg's showinfo filter logs a frame: its number and its presentation time in ticks."""

Frames = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.float64]
Times = npt.NDArray[np.float64]


class FrameClock:
    """The frames' presentation times, as a thread reads them in ffmpeg's log.

    Parameters
    ----------
    frame_rate_hz : float
        Of the video. Times that differ from a constant rate by less than the container can tell
        (Matroska: a millisecond) are taken to be at that rate.
    """

    def __init__(self, frame_rate_hz: float) -> None:
        self._interval_s = 1 / frame_rate_hz if frame_rate_hz else 0.0
        self._tick_s = 0.0
        self._first_tick: int | None = None
        self._times_s: list[float] = []
        self._ended = False
        self._news = Condition()

    def take_line(self, line: str) -> None:
        """Take a line of the log."""
        if rates := FILTER_RATES.search(line):
            self._tick_s = int(rates[1]) / int(rates[2])
        elif (frame := FRAME_LINE.search(line)) and int(frame[1]) == len(self._times_s):
            with self._news:
                self._times_s.append(self._time_s(frame[2]))
                self._news.notify_all()

    def end(self) -> None:
        """Take it that no more lines come."""
        with self._news:
            self._ended = True
            self._news.notify_all()

    def times_s(self, frames: int) -> Times:
        """Return the times of the first frames in seconds, shape ``(frames,)``, once they are logged."""
        with self._news:
            self._news.wait_for(lambda: self._ended or len(self._times_s) >= frames, LOG_PATIENCE_S)
            times = self._times_s[:frames]
        if len(times) < frames:
            raise OpenL3Error(f"ffmpeg gave the times of {len(times)} of {frames} frames only.")
        return np.array(times, dtype=np.float64)

    def _time_s(self, ticks: str) -> float:
        regular_s = len(self._times_s) * self._interval_s
        if ticks == "NOPTS":
            return regular_s
        if self._first_tick is None:
            self._first_tick = int(ticks)
        real_s = (int(ticks) - self._first_tick) * self._tick_s
        # Both ends of the interval were rounded to ticks. In AVI a tick is a whole frame, but exact.
        tolerance_s = min(1.001 * self._tick_s, self._interval_s / 4)
        return regular_s if abs(real_s - regular_s) <= tolerance_s else real_s


@dataclass(frozen=True)
class VideoSound:
    """The sound of an open video, as a `l3embed.decoding.recording.Recording`."""

    blocks: Callable[[], Iterator[Samples]]
    sample_rate_hz: int = SAMPLE_RATE_HZ
    channels: int = SOUND_CHANNELS


class VideoFile:
    """An open video: its frames and its sound, block by block."""

    def __init__(self, path: Path, info: MediaInfo) -> None:
        self._path = path
        self._runs: list[FfmpegRun] = []
        self._clock = FrameClock(info.frame_rate_hz)
        self._frames = 0
        self.duration_s = info.duration_s
        self.has_frames = info.has_frames
        self.has_audio = info.has_audio
        self.frame_rate_hz = info.frame_rate_hz
        self.audio_sample_rate_hz = SAMPLE_RATE_HZ

    @property
    def sound(self) -> VideoSound | None:
        """Its sound, None if it has none."""
        return VideoSound(self.audio_blocks) if self.has_audio else None

    @property
    def frame_times_s(self) -> Times:
        """The presentation times of the frames that the last pass of `frames` has yielded, in seconds.

        Shape ``(frames,)``. They count from the first frame, which is at 0 even if the file has it
        start later than the sound, as the sound's first sample is.
        """
        return self._clock.times_s(self._frames)

    def frames(self) -> Iterator[Frames]:
        """Yield the frames in blocks of at most ``BLOCK_FRAMES``, shape ``(n, 256, 256, 3)``, in RGB.

        They are moviepy's to the byte. Each frame of the file comes once; moviepy leaves out the last one
        where the duration is rounded down, repeats it where the sound is longer, and repeats or
        leaves out frames to make a varying frame rate constant. Every call starts from the beginning.

        Raises
        ------
        OpenL3Error
            If there are none, or the file is damaged or ends before its header says.
        """
        if not self.has_frames:
            raise OpenL3Error("The file has no frames: it is sound only.")
        clock = self._clock = FrameClock(self.frame_rate_hz)
        self._frames = 0
        shape = (BLOCK_FRAMES, FRAME_SIDE_PIXELS, FRAME_SIDE_PIXELS, FRAME_CHANNELS)
        with self._run(FRAME_OPTIONS, clock.take_line) as run:
            while True:
                block = np.empty(shape, dtype=np.uint8)
                count = run.read_into(block) // block[0].nbytes
                if not count:
                    break
                self._frames += count
                yield block[:count]
            run.finish()
            clock.end()
        if not self._frames:
            raise OpenL3Error("No frame of the file could be decoded.")

    def audio_blocks(self) -> Iterator[Samples]:
        """Yield the sound in blocks of at most ``BLOCK_S`` seconds, shape ``(n, 2)``, in [-1, 1).

        It is what moviepy gives with ``audio_fps=48000``, to the bit, and so the reference's: 16-bit
        stereo at 48 kHz, resampled by ffmpeg. Mono is put on both channels; more than two are mixed
        down by ffmpeg. As there, it lasts as long as the file says of itself, to a hundredth of a
        second: more is cut off, and what is missing is silence. Of several audio streams it is the
        one marked as the default, else the one with the most channels, else the first. Every call
        starts from the beginning.

        Raises
        ------
        OpenL3Error
            If there is none, or the file is damaged or ends before its header says.
        """
        if not self.has_audio:
            raise OpenL3Error("The file has no sound: it is frames only.")
        decoded = 0
        expected = None if self.duration_s is None else int(self.duration_s * SAMPLE_RATE_HZ)
        with self._run(SOUND_OPTIONS) as run:
            while True:
                block = np.empty((BLOCK_S * SAMPLE_RATE_HZ, SOUND_CHANNELS), dtype="<i2")
                count = run.read_into(block) // block[0].nbytes
                if not count:
                    break
                kept = count if expected is None else min(count, max(0, expected - decoded))
                decoded += count
                if kept:
                    yield block[:kept] / SOUND_FULL_SCALE
            run.finish()
        if not decoded:
            raise OpenL3Error("No sound of the file could be decoded.")
        yield from _silence(max(0, (expected or 0) - decoded))

    def close(self) -> None:
        """End what is still being decoded."""
        for run in tuple(self._runs):
            run.close()
        self._clock.end()

    @contextmanager
    def _run(self, options: Sequence[str], on_line: OnLine | None = None) -> Iterator[FfmpegRun]:
        with FfmpegRun(self._path, options, on_line) as run:
            self._runs.append(run)
            try:
                yield run
            finally:
                self._runs.remove(run)


@contextmanager
def open_video(path: Path) -> Iterator[VideoFile]:
    """Open a video: a file with frames, with sound, or with both.

    Raises
    ------
    OpenL3Error
        If there is no such file, or it is none that ffmpeg can read, or it has neither.
    """
    info = probe(path)
    if not (info.has_frames or info.has_audio):
        raise OpenL3Error("The file has neither frames nor sound.")
    video = VideoFile(path, info)
    try:
        yield video
    finally:
        video.close()


def _silence(samples: int) -> Iterator[Samples]:
    step = BLOCK_S * SAMPLE_RATE_HZ
    for start in range(0, samples, step):
        yield np.zeros((min(step, samples - start), SOUND_CHANNELS))

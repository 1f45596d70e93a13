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
from l3embed.decoding.checks import PADDING_S, disagreement
from l3embed.decoding.ffmpeg import (
    FILTER_RATES,
    MOVING_PICTURE,
    SOUND,
    FfmpegRun,
    MediaInfo,
    OnLine,
    last_packet_s,
    probe,
)
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

    video: VideoFile
    sample_rate_hz: int = SAMPLE_RATE_HZ
    channels: int = SOUND_CHANNELS

    @property
    def blocks(self) -> Callable[[], Iterator[Samples]]:
        """Return its samples, as `VideoFile.audio_blocks`."""
        return self.video.audio_blocks

    @property
    def damage(self) -> str:
        """What is wrong with it, once it has been read: words that follow the file's name."""
        return self.video.damage


class VideoFile:
    """An open video: its frames and its sound, block by block.

    Attributes
    ----------
    damage : str
        What is wrong with what was read last, once it has come to its end: words that follow the name.
    duration_s : float or None
        What the file says, or what there is if it says more.
    """

    def __init__(self, path: Path, info: MediaInfo) -> None:
        self._path = path
        self._runs: list[FfmpegRun] = []
        self._clock = FrameClock(info.frame_rate_hz)
        self._frames = 0
        self._info_damage = info.damage
        self.damage = info.damage
        self.duration_s = info.duration_s
        self.has_frames = info.has_frames
        self.has_audio = info.has_audio
        self.frame_rate_hz = info.frame_rate_hz
        self.audio_sample_rate_hz = SAMPLE_RATE_HZ

    @property
    def sound(self) -> VideoSound | None:
        """Its sound, None if it has none."""
        return VideoSound(self) if self.has_audio else None

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
            If none can be decoded.
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
            fault = run.finish()
            clock.end()
        if not self._frames:
            raise OpenL3Error(f"The file {fault}." if fault else "No frame of the file could be decoded.")
        self.damage = self._info_damage or fault or self._frames_disagree()

    def audio_blocks(self) -> Iterator[Samples]:
        """Yield the sound in blocks of at most ``BLOCK_S`` seconds, shape ``(n, 2)``, in [-1, 1).

        It is what moviepy gives with ``audio_fps=48000``, to the bit, and so the reference's: 16-bit
        stereo at 48 kHz, resampled by ffmpeg. Mono is put on both channels; more than two are mixed
        down by ffmpeg. As there, it lasts as long as the file says of itself, to a hundredth of a second:
        padding behind that is cut off, and what is missing is silence, as far as there are frames. If there
        is more than padding, all of it comes. Of several audio streams it is the one marked as the
        default, else the one with the most channels, else the first. Every call starts from the beginning.

        Raises
        ------
        OpenL3Error
            If none can be decoded.
        """
        if not self.has_audio:
            raise OpenL3Error("The file has no sound: it is frames only.")
        expected = None if self.duration_s is None else int(self.duration_s * SAMPLE_RATE_HZ)
        decoded = 0
        held: npt.NDArray[np.int16] = np.empty((0, SOUND_CHANNELS), np.int16)
        with self._run(SOUND_OPTIONS) as run:
            while True:
                block = np.empty((BLOCK_S * SAMPLE_RATE_HZ, SOUND_CHANNELS), dtype="<i2")
                count = run.read_into(block) // block[0].nbytes
                if not count:
                    break
                decoded += count
                kept, held = _without_padding(np.concatenate([held, block[:count]]), decoded, expected)
                if len(kept):
                    yield kept / SOUND_FULL_SCALE
            fault = run.finish()
        if not decoded:
            raise OpenL3Error(f"The file {fault}." if fault else "No sound of the file could be decoded.")
        missing = self._missing_samples(decoded)
        yield from _silence(missing)
        found_s = (decoded + missing) / SAMPLE_RATE_HZ
        disagrees = "" if self.duration_s is None else disagreement(self.duration_s, found_s)
        self.damage = self._info_damage or fault or disagrees
        self.duration_s = found_s if disagrees else self.duration_s

    def _missing_samples(self, decoded: int) -> int:
        """Return how many samples the sound lacks behind those decoded, as far as the file's frames go."""
        expected = int((self.duration_s or 0.0) * SAMPLE_RATE_HZ)
        if expected - decoded > PADDING_S * SAMPLE_RATE_HZ:  # what a file says of itself may be anything
            end_s = last_packet_s(self._path, MOVING_PICTURE) if self.has_frames else 0.0
            expected = min(expected, int(end_s * SAMPLE_RATE_HZ))
        return max(0, expected - decoded)

    def _frames_disagree(self) -> str:
        """Return what is wrong if a file declares to go on behind its last frame, and there is no sound."""
        end_s = float(self.frame_times_s[-1]) + self._interval_s
        if self.duration_s is None or self.duration_s - end_s <= max(PADDING_S, self._interval_s):
            return ""
        if self.has_audio:
            end_s = max(end_s, last_packet_s(self._path, SOUND))
        disagrees = disagreement(self.duration_s, end_s)
        self.duration_s = end_s if disagrees else self.duration_s
        return disagrees

    @property
    def _interval_s(self) -> float:
        return 1 / self.frame_rate_hz if self.frame_rate_hz else 0.0

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


def _without_padding(
    samples: npt.NDArray[np.int16], decoded: int, expected: int | None
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Part the samples read last from those behind the expected end that may be padding.

    Parameters
    ----------
    samples : np.ndarray [shape=(n, 2)]
        The samples that have not been used.
    decoded, expected : int and int or None
        How many have been decoded with these, and how many the file declares.
    """
    excess = 0 if expected is None else max(0, decoded - expected)
    if excess > PADDING_S * SAMPLE_RATE_HZ:
        excess = 0
    kept = max(0, len(samples) - excess)
    return samples[:kept], samples[kept:]


def _silence(samples: int) -> Iterator[Samples]:
    step = BLOCK_S * SAMPLE_RATE_HZ
    for start in range(0, samples, step):
        yield np.zeros((min(step, samples - start), SOUND_CHANNELS))

"""Sound as ffmpeg decodes it: of files that libsndfile does not know, or reads in part only."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l3embed.decoding.audio import NO_SAMPLES, block_samples
from l3embed.decoding.checks import disagreement
from l3embed.decoding.ffmpeg import FfmpegRun, MediaInfo, probe
from l3embed.errors import OpenL3Error

AU_HEADER = struct.Struct(">4s5I")
"""Magic number, offset of the samples, their bytes, encoding, sample rate, channels (Sun's .snd format)."""

Samples = npt.NDArray[np.float64]


class FfmpegAudio:
    """An audio file as ffmpeg decodes it: a `l3embed.decoding.recording.Recording`.

    Of several audio streams, it is the one marked as the default; of several such, the one with the
    most channels, then the first.
    """

    def __init__(self, run: FfmpegRun, info: MediaInfo, damage: str | None = None) -> None:
        self._run = run
        self._info = info
        self._known_damage = damage
        self.damage = ""
        header = run.read(AU_HEADER.size)
        if len(header) < AU_HEADER.size:
            fault = run.finish()
            raise OpenL3Error(f"The file {fault}." if fault else NO_SAMPLES)
        _, offset, _, _, rate, channels = AU_HEADER.unpack(header)
        run.read(offset - AU_HEADER.size)
        self.sample_rate_hz: int = rate
        self.channels: int = channels

    def blocks(self) -> Iterator[Samples]:
        """Yield the samples, once, in blocks of at most ``BLOCK_S`` seconds, shape ``(N, channels)``.

        Raises
        ------
        OpenL3Error
            If none can be decoded.
        """
        samples = 0
        while True:
            shape = (block_samples(self.sample_rate_hz, self.channels), self.channels)
            block = np.empty(shape, dtype=">f8")
            count = self._run.read_into(block) // (block.itemsize * self.channels)
            if not count:
                break
            samples += count
            yield block[:count].astype(np.float64)
        fault = self._run.finish()
        if not samples:
            raise OpenL3Error(f"The file {fault}." if fault else NO_SAMPLES)
        if self._known_damage is not None:
            self.damage = self._known_damage
            return
        found_s = samples / self.sample_rate_hz
        declared_s = found_s if self._info.duration_s is None else self._info.duration_s
        disagrees = disagreement(declared_s, found_s, self.sample_rate_hz)
        self.damage = self._info.damage or fault or disagrees


@contextmanager
def audio_blocks_by_ffmpeg(
    path: Path, input_options: Sequence[str] = (), damage: str | None = None
) -> Iterator[FfmpegAudio]:
    """Open an audio file that libsndfile cannot read (M4A, WMA, ...), at its own rate and channels.

    Parameters
    ----------
    path : Path
        The file.
    input_options : sequence of str
        How ffmpeg is to read it.
    damage : str or None
        What is wrong with the file, if that is known better than by ffmpeg: words that follow its name.

    Raises
    ------
    OpenL3Error
        If there is no such file, or it has no sound that ffmpeg can read.
    """
    info = probe(path)
    if not info.has_audio:
        raise OpenL3Error("The file has no sound.")
    # An .au header tells the rate and the channels; doubles hold every integer and float format exactly.
    arguments = ("-vn", "-sn", "-dn", "-c:a", "pcm_f64be", "-f", "au", "-")
    with FfmpegRun(path, arguments, input_options=input_options) as run:
        yield FfmpegAudio(run, info, damage)

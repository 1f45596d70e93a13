"""Audio files to blocks of samples, read by libsndfile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from l3embed.decoding.checks import UNKNOWN_LENGTH, check_present
from l3embed.errors import OpenL3Error
from l3embed.profiling import Phase, phase

if TYPE_CHECKING:
    import soundfile

BLOCK_S = 10
"""Seconds of audio that are decoded at a time."""

SHORT_CHUNK = re.compile(r"^\s*(?:data|SSND|Data Size)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
"""How libsndfile's log tells that a file ends before its header says."""

OGG_LONGEST_PAGE_BYTES = 65_307
OGG_LAST_PAGE_FLAG = 0x04

SUFFIXES = frozenset(
    (
        *(".aif", ".aifc", ".aiff", ".au", ".avr", ".caf", ".flac", ".mp3", ".nist"),
        *(".oga", ".ogg", ".opus", ".paf", ".pvf", ".rf64", ".sd2", ".sds", ".snd"),
        *(".sph", ".svx", ".voc", ".w64", ".wav", ".wave"),
    )
)
"""Endings of the files that libsndfile reads, less those that others use too, as .mat."""


class UnknownFormatError(OpenL3Error):
    """A file that libsndfile does not know."""


class AudioFile:
    """An open audio file: its sample rate, channels, and its samples block by block."""

    def __init__(self, path: Path, file: soundfile.SoundFile) -> None:
        self._path = path
        self._file = file
        self.sample_rate_hz: int = file.samplerate
        self.channels: int = file.channels

    def blocks(self) -> Iterator[npt.NDArray[np.float64]]:
        """Yield the samples in blocks of at most ``BLOCK_S`` seconds, shape ``(N, channels)``.

        Raises
        ------
        OpenL3Error
            If the file is damaged, ends before its header says, or holds no samples.
        """
        import soundfile

        _check_not_cut(self._path, self._file)
        expected, samples = self._file.frames, 0
        while True:
            try:
                with phase(Phase.DECODE):
                    block = self._file.read(BLOCK_S * self.sample_rate_hz, dtype="float64", always_2d=True)
            except (soundfile.SoundFileError, RuntimeError) as error:
                raise OpenL3Error(f"The file is damaged or cut short: {error}") from error
            if not len(block):
                break
            samples += len(block)
            yield block
        if samples < expected:
            raise OpenL3Error(f"The file is cut short: {samples} of {expected} samples could be read.")
        if not samples:
            raise OpenL3Error("The file holds no samples.")


@contextmanager
def open_audio(path: Path) -> Iterator[AudioFile]:
    """Open an audio file.

    Raises
    ------
    OpenL3Error
        If there is no such file; `UnknownFormatError` if it is none that libsndfile can read.
    """
    import soundfile

    check_present(path)
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        reason = getattr(error, "error_string", str(error))
        raise UnknownFormatError(f"It could not be read as audio (libsndfile says: {reason})") from error
    with file:
        yield AudioFile(path, file)


def _check_not_cut(path: Path, file: soundfile.SoundFile) -> None:
    """Check that a file is as long as it says, where libsndfile itself goes over it in silence."""
    short = SHORT_CHUNK.search(file.extra_info)
    if short and int(short[2]) < int(short[1]) < UNKNOWN_LENGTH:
        raise OpenL3Error(f"The file is cut short: {short[2]} of {short[1]} bytes of sound are there.")
    if file.format == "OGG" and not _ogg_is_whole(path):
        raise OpenL3Error("The file is cut short: its last Ogg page is missing.")


def _ogg_is_whole(path: Path) -> bool:
    """Tell whether the last page of an Ogg file is marked as the last (RFC 3533, section 6)."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - OGG_LONGEST_PAGE_BYTES))
        tail = file.read()
    page = tail.rfind(b"OggS")
    flags = tail[page + 5 : page + 6]
    return page >= 0 and bool(flags) and bool(flags[0] & OGG_LAST_PAGE_FLAG)

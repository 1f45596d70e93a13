"""Audio files to blocks of samples, read by libsndfile."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt

from l3embed.decoding.checks import check_present
from l3embed.errors import OpenL3Error
from l3embed.profiling import Phase, phase

if TYPE_CHECKING:
    import soundfile

BLOCK_S = 10
"""Seconds of audio that are decoded at a time."""

MOST_VALUES = 1 << 24
"""Samples of all channels in a block at most, 128 MB: headers may declare any rate and any channels."""

NO_SAMPLES = "The file holds no samples."

SUFFIXES = frozenset(
    (
        *(".aif", ".aifc", ".aiff", ".au", ".avr", ".caf", ".flac", ".mp3", ".nist"),
        *(".oga", ".ogg", ".opus", ".paf", ".pvf", ".rf64", ".sd2", ".sds", ".snd"),
        *(".sph", ".svx", ".voc", ".w64", ".wav", ".wave"),
    )
)
"""Endings of the files that libsndfile reads, less those that others use too, as .mat."""


EXACT_SUBTYPES = re.compile("PCM_|FLOAT|DOUBLE|[UA]LAW|IMA_ADPCM|MS_ADPCM|ALAC_|VORBIS")
"""Encodings of which libsndfile, sent to a sample, reads the same ones as on the way from the beginning.

MPEG's and Opus's frames need those before them; in GSM, G.721, G.723 and NMS ADPCM it can be sent nowhere.
"""

FLAC_MAGIC = b"fLaC"


class UnknownFormatError(OpenL3Error):
    """A file that libsndfile does not know."""


def block_samples(sample_rate_hz: int, channels: int) -> int:
    """Return how many samples of each channel a block has: ``BLOCK_S`` seconds, if those are not too many."""
    return max(1, min(BLOCK_S * sample_rate_hz, MOST_VALUES // max(1, channels)))


class AudioFile:
    """An open audio file, as far as libsndfile reads it.

    Attributes
    ----------
    sample_rate_hz, channels : int
        Its rate and channels.
    samples : int
        How many it is taken to have, by its header or by an estimate.
    format, subtype : str
        What libsndfile calls the file and its encoding.
    log : str
        What libsndfile notes about the header.
    fault : str
        Why it stopped before that, once the blocks are read; nothing if it did not.
    """

    def __init__(self, file: soundfile.SoundFile, stream: BinaryIO | None) -> None:
        self._file = file
        self._stream = stream
        self.sample_rate_hz: int = file.samplerate
        self.channels: int = file.channels
        self.samples: int = file.frames
        self.format: str = file.format
        self.subtype: str = file.subtype
        self.log: str = file.extra_info
        self.fault = ""

    @property
    def bytes_left(self) -> int:
        """How much of a FLAC file has not been looked at: its header may declare less than there is."""
        return 0 if self._stream is None else len(self._stream.read(1 << 16))

    def skip(self, samples: int) -> int:
        """Go to a sample, if that is the same as to read up to it; return how many were left out."""
        import soundfile

        if not EXACT_SUBTYPES.match(self.subtype) or samples > self.samples:
            return 0
        try:
            return int(self._file.seek(samples))
        except (soundfile.SoundFileError, RuntimeError):
            self._file.seek(0)
            return 0

    def blocks(self) -> Iterator[npt.NDArray[np.float64]]:
        """Yield the samples in blocks of at most ``BLOCK_S`` seconds, shape ``(N, channels)``."""
        import soundfile

        size = block_samples(self.sample_rate_hz, self.channels)
        while True:
            try:
                with phase(Phase.DECODE):
                    block = self._file.read(size, dtype="float64", always_2d=True)
            except (soundfile.SoundFileError, RuntimeError) as error:
                self.fault = str(error)
                return
            if not len(block):
                return
            yield block


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
    with path.open("rb") as stream:
        is_flac = stream.read(len(FLAC_MAGIC)) == FLAC_MAGIC
        stream.seek(0)
        try:
            file = soundfile.SoundFile(stream if is_flac else _name(path))
        except (soundfile.SoundFileError, OSError, TypeError) as error:
            reason = getattr(error, "error_string", str(error))
            raise UnknownFormatError(
                f"It could not be read as audio (libsndfile says: {reason or 'nothing'})"
            ) from error
        with file:
            yield AudioFile(file, stream if is_flac else None)


def _name(path: Path) -> bytes | str:
    """Return a path as soundfile takes it, even if it is no UTF-8."""
    return os.fsencode(path) if os.name == "posix" else str(path)

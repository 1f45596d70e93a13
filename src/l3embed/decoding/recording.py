"""Any audio file to blocks of samples: by libsndfile if it knows the format, else by ffmpeg."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from l3embed.decoding import audio
from l3embed.decoding.audio import UnknownFormatError, open_audio
from l3embed.decoding.ffmpeg import audio_blocks_by_ffmpeg
from l3embed.errors import OpenL3Error

FFMPEG_SUFFIXES = frozenset(
    (
        *(".aac", ".ac3", ".amr", ".ape", ".dts", ".eac3", ".m4a", ".m4b", ".mka"),
        *(".mp2", ".mpc", ".tta", ".wma", ".wv"),
    )
)
SUFFIXES = audio.SUFFIXES | FFMPEG_SUFFIXES
"""Endings by which audio is picked out of a folder; the first are of files that only ffmpeg reads."""


class Recording(Protocol):
    """Open sound, of an audio file or of a video."""

    @property
    def sample_rate_hz(self) -> int:
        """Its rate."""

    @property
    def channels(self) -> int:
        """How many it has."""

    @property
    def blocks(self) -> Callable[[], Iterator[npt.NDArray[np.float64]]]:
        """Return the samples in blocks of at most ``BLOCK_S`` seconds, shape ``(N, channels)``."""


@contextmanager
def open_recording(path: Path) -> Iterator[Recording]:
    """Open an audio file of any format.

    Raises
    ------
    OpenL3Error
        If there is no such file, or neither libsndfile nor ffmpeg can read it as audio.
    """
    with ExitStack() as stack:
        yield _open(path, stack)


def _open(path: Path, stack: ExitStack) -> Recording:
    try:
        return stack.enter_context(open_audio(path))
    except UnknownFormatError as unknown:
        try:
            return stack.enter_context(audio_blocks_by_ffmpeg(path))
        except OpenL3Error as error:
            raise OpenL3Error(f"{unknown} ffmpeg: {error}") from error

"""Any audio file to blocks of samples: by libsndfile if it knows the format, else by ffmpeg."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from l3embed.decoding import audio
from l3embed.decoding.audio import AudioFile, UnknownFormatError, open_audio
from l3embed.decoding.ffmpeg import FfmpegAudio, audio_blocks_by_ffmpeg
from l3embed.errors import OpenL3Error

SUFFIXES = audio.SUFFIXES | frozenset(
    (".aac", ".ac3", ".amr", ".ape", ".m4a", ".m4b", ".mka", ".tta", ".wma", ".wv")
)
"""Endings by which audio is picked out of a folder."""


@contextmanager
def open_recording(path: Path) -> Iterator[AudioFile | FfmpegAudio]:
    """Open an audio file of any format.

    Raises
    ------
    OpenL3Error
        If there is no such file, or neither libsndfile nor ffmpeg can read it as audio.
    """
    with ExitStack() as stack:
        yield _open(path, stack)


def _open(path: Path, stack: ExitStack) -> AudioFile | FfmpegAudio:
    try:
        return stack.enter_context(open_audio(path))
    except UnknownFormatError as unknown:
        try:
            return stack.enter_context(audio_blocks_by_ffmpeg(path))
        except OpenL3Error as error:
            raise OpenL3Error(f"{unknown} ffmpeg: {error}") from error

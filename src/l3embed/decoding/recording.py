"""Any audio file to blocks of samples, to its real end: by libsndfile if that gets there, else by ffmpeg."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from l3embed.decoding import audio
from l3embed.decoding.audio import NO_SAMPLES, AudioFile, UnknownFormatError, open_audio
from l3embed.decoding.checks import PADDING_SAMPLES, check_present, disagreement, disagreement_of_bytes
from l3embed.decoding.ffmpeg import SOUND, last_packet_s
from l3embed.decoding.ffmpeg_sound import audio_blocks_by_ffmpeg
from l3embed.decoding.length import (
    ID3_TAIL_BYTES,
    bytes_behind_mp3,
    is_caf_without_length,
    ogg_state,
    sound_behind,
)
from l3embed.errors import OpenL3Error

FFMPEG_SUFFIXES = frozenset(
    (
        *(".aac", ".ac3", ".amr", ".ape", ".dts", ".eac3", ".m4a", ".m4b", ".mka"),
        *(".mp2", ".mpc", ".tta", ".wma", ".wv"),
    )
)
SUFFIXES = audio.SUFFIXES | FFMPEG_SUFFIXES
"""Endings by which audio is picked out of a folder; the first are of files that only ffmpeg reads."""

DECLARED_BYTES = re.compile(r"^\s*(?:data|SSND|Data Size|riff)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
"""How libsndfile's log tells that a header declares other bytes of sound than there are."""

UNKNOWN_SAMPLES = 1 << 62
"""From here on a number of samples is what libsndfile says where the header says nothing."""

MPEG = "MPEG"
"""How libsndfile's words for MPEG's encodings begin."""

OGG_IS_CUT = "is cut short: its last Ogg page is missing"

Samples = npt.NDArray[np.float64]


class Recording(Protocol):
    """Open sound, of an audio file or of a video."""

    @property
    def sample_rate_hz(self) -> int:
        """Its rate."""

    @property
    def channels(self) -> int:
        """How many it has."""

    @property
    def damage(self) -> str:
        """What is wrong with the file, once all blocks have been read: words that follow its name."""

    @property
    def blocks(self) -> Callable[[], Iterator[Samples]]:
        """Return the samples in blocks of at most ``BLOCK_S`` seconds, shape ``(N, channels)``."""


@contextmanager
def open_recording(path: Path) -> Iterator[Recording]:
    """Open an audio file of any format.

    Raises
    ------
    OpenL3Error
        If there is no such file, or neither libsndfile nor ffmpeg can read it as audio.
    """
    check_present(path)
    with ExitStack() as stack:
        yield _open(path, stack)


def _open(path: Path, stack: ExitStack) -> Recording:
    if behind := sound_behind(path):
        damage = disagreement_of_bytes(behind.declared, behind.found)
        return stack.enter_context(audio_blocks_by_ffmpeg(path, behind.input_options, damage))
    is_chained, is_whole = ogg_state(path)
    damage = "" if is_whole else OGG_IS_CUT
    if is_chained or is_caf_without_length(path):
        return stack.enter_context(audio_blocks_by_ffmpeg(path, damage=damage))
    try:
        file = stack.enter_context(open_audio(path))
    except UnknownFormatError as unknown:
        try:
            return stack.enter_context(audio_blocks_by_ffmpeg(path))
        except OpenL3Error as error:
            raise OpenL3Error(f"{unknown} ffmpeg: {error}") from error
    if file.samples >= UNKNOWN_SAMPLES:
        return stack.enter_context(audio_blocks_by_ffmpeg(path))
    if behind_s := _mpeg_behind_s(path, file):
        declared_s = None if bytes_behind_mp3(path) is None else file.samples / file.sample_rate_hz
        damage = "" if declared_s is None else disagreement(declared_s, declared_s + behind_s)
        return stack.enter_context(audio_blocks_by_ffmpeg(path, damage=damage))
    return _Whole(path, file, damage)


def _mpeg_behind_s(path: Path, file: AudioFile) -> float:
    """Return how many seconds of an MPEG file libsndfile would not read: it counts on the first frame."""
    if not file.subtype.startswith(MPEG):
        return 0.0
    behind = bytes_behind_mp3(path)
    if behind is not None and behind <= ID3_TAIL_BYTES:
        return 0.0
    behind_s = last_packet_s(path, SOUND) - file.samples / file.sample_rate_hz
    return behind_s if behind_s * file.sample_rate_hz > PADDING_SAMPLES else 0.0


class _Whole:
    """What libsndfile reads of a file, and what ffmpeg does where libsndfile stops early."""

    def __init__(self, path: Path, file: AudioFile, damage: str) -> None:
        self._path = path
        self._file = file
        self.sample_rate_hz, self.channels = file.sample_rate_hz, file.channels
        self.damage = damage
        self._skipped = 0

    def skip(self, samples: int) -> int:
        """Leave out what is before a sample, if it need not be read; return how many were left out."""
        self._skipped = self._file.skip(samples)
        return self._skipped

    def blocks(self) -> Iterator[Samples]:
        """Yield the samples in blocks of at most ``BLOCK_S`` seconds, shape ``(N, channels)``.

        Raises
        ------
        OpenL3Error
            If the file holds none.
        """
        file = self._file
        samples = self._skipped
        for block in file.blocks():
            samples += len(block)
            yield block
        if file.fault or (samples == file.samples and file.bytes_left):
            for block in self._rest(samples):
                samples += len(block)
                yield block
        if not samples:
            raise OpenL3Error(f"The file is damaged: {file.fault}." if file.fault else NO_SAMPLES)
        self.damage = self.damage or self._found_damage(samples)

    def _rest(self, samples: int) -> Iterator[Samples]:
        """Yield what ffmpeg reads behind some samples."""
        try:
            with audio_blocks_by_ffmpeg(self._path) as rest:
                for block in rest.blocks():
                    skipped = min(samples, len(block))
                    samples -= skipped
                    if skipped < len(block) and block.shape[1] == self.channels:
                        yield block[skipped:]
        except OpenL3Error:  # nor can ffmpeg read more
            return

    def _found_damage(self, samples: int) -> str:
        """Return what is wrong with a file of which some samples could be read."""
        file = self._file
        if sizes := DECLARED_BYTES.search(file.log):
            return disagreement_of_bytes(int(sizes[1]), int(sizes[2]))
        if file.subtype.startswith(MPEG) and bytes_behind_mp3(self._path) is None:
            return ""  # its length is an estimate
        rate_hz = file.sample_rate_hz
        disagrees = disagreement(file.samples / rate_hz, samples / rate_hz, rate_hz)
        return disagrees or (f"is damaged (libsndfile says: {file.fault})" if file.fault else "")

"""The sounds of hits, cut out of their files."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from l3embed.decoding.audio import block_samples
from l3embed.disk.atomic import replacing
from l3embed.errors import OpenL3Error, source_faults
from l3embed.inputs.media import open_sound
from l3embed.search.hit import Hit
from l3embed.search.npz_files import SUFFIX as NPZ_SUFFIX
from l3embed.search.query_embedding import media_of
from l3embed.variants import Media

if TYPE_CHECKING:
    import soundfile

SUBTYPE = "FLOAT"
"""What clips are written as: decoded MP3 and Vorbis go beyond what whole numbers hold."""

Samples = npt.NDArray[np.float64]


def sound_of(dataset: Path, hit: Hit) -> Path:
    """Return the sound that a hit is of: for one in an ``.npz`` file the one that lies there of its name."""
    path = dataset / hit.path
    if path.suffix != NPZ_SUFFIX or not path.parent.is_dir():
        return path
    stems = (path.stem, path.stem.removesuffix("_audio"))
    beside = (other for other in sorted(path.parent.iterdir()) if other.stem in stems)
    return next((other for other in beside if media_of(other.name) in (Media.AUDIO, Media.VIDEO)), path)


def clip_name(number: int, hit: Hit) -> str:
    """Return the name of a hit's clip: the query's number, the rank, and where it is from."""
    is_part = hit.begin_s is not None and hit.end_s is not None
    place = f"_{hit.begin_s:.2f}-{hit.end_s:.2f}" if is_part else ""
    return f"{number}-{hit.rank:03}_{PurePosixPath(hit.path).stem}{place}.wav"


def cut_clip(source: Path, hit: Hit, target: Path) -> None:
    """Cut a hit out of its file, at the file's own rate and with its channels.

    Raises
    ------
    OpenL3Error
        If there is no such sound, or it can't be read.
    """
    import soundfile

    if media_of(source.name) not in (Media.AUDIO, Media.VIDEO) or not source.is_file():
        raise OpenL3Error("There is no such sound. Name the dataset's own folder (--dataset).")
    begin_s = hit.begin_s or 0.0
    end_s = math.inf if hit.end_s is None else hit.end_s
    with source_faults(), _part(source, begin_s, end_s) as (sample_rate_hz, channels, blocks):
        first = next(blocks, None)
        if first is None:
            raise OpenL3Error(f"It has no sound from {begin_s:g} to {end_s:g} s.")
        with replacing(target) as temporary, temporary.open("wb") as stream:
            kind = {"samplerate": sample_rate_hz, "channels": channels, "format": "WAV", "subtype": SUBTYPE}
            with soundfile.SoundFile(stream, "w", **kind) as clip:
                clip.write(first)
                for block in blocks:
                    clip.write(block)


@contextmanager
def _part(source: Path, begin_s: float, end_s: float) -> Iterator[tuple[int, int, Iterator[Samples]]]:
    """Open a part of a file: its rate, its channels and its blocks; at once where files can be sought in."""
    media = media_of(source.name) or Media.AUDIO
    file = _seekable(source) if media is Media.AUDIO else None
    if file:
        with file:
            yield file.samplerate, file.channels, _sought(file, begin_s, end_s)
        return
    with open_sound(source, media) as recording:
        if recording is None:
            raise OpenL3Error("It has no sound.")
        rate_hz = recording.sample_rate_hz
        yield rate_hz, recording.channels, _passed(recording.blocks(), begin_s * rate_hz, end_s * rate_hz)


def _seekable(source: Path) -> soundfile.SoundFile | None:
    """Open a file that libsndfile reads and can seek in."""
    import soundfile

    try:
        file = soundfile.SoundFile(source)
    except (soundfile.SoundFileError, RuntimeError):
        return None
    return file if file.seekable() else None


def _sought(file: soundfile.SoundFile, begin_s: float, end_s: float) -> Iterator[Samples]:
    first, last = round(begin_s * file.samplerate), round(min(end_s * file.samplerate, file.frames))
    left = last - first
    file.seek(min(first, file.frames))
    while left > 0:
        block = file.read(min(left, block_samples(file.samplerate, file.channels)), always_2d=True)
        if not len(block):
            return
        yield block
        left -= len(block)


def _passed(blocks: Iterator[Samples], first: float, last: float) -> Iterator[Samples]:
    """Yield the samples of a part of blocks that are read one after the other."""
    start = 0
    for block in blocks:
        stop = start + len(block)
        part = block[max(0, round(first) - start) : max(0, round(min(last, stop)) - start)]
        if len(part):
            yield part
        start = stop
        if start >= last:
            return

"""How much files are likely to make, before they are read: a few headers, and the sizes of all."""

from __future__ import annotations

import heapq
import stat
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import TypeVar

from l3embed.decoding.audio import open_audio
from l3embed.decoding.ffmpeg import probe
from l3embed.decoding.recording import FFMPEG_SUFFIXES
from l3embed.errors import OpenL3Error, source_faults
from l3embed.progress import Expected, Workload
from l3embed.variants import Media, Modality

Key = TypeVar("Key")
ItemsOfSound = Callable[[float], float]
"""From seconds of sound to what is made of them."""

HEADERS = 200
"""Headers that are read at most, those of the largest files of each ending: the others go by their sizes."""

HEADERS_S = 0.5
"""For how long another header is begun: some disks are slow, and ffmpeg takes a tenth of a second for one."""

LEAST_BYTES_PER_S = 100
LEAST_BYTES_PER_FRAME = 20
"""What sound and frames take at least, whatever the codec: a header that says otherwise is not believed."""


@dataclass(frozen=True)
class Unread:
    """One network's part of a file that has not been read, and may lie elsewhere.

    Parameters
    ----------
    path : Path
        Where it lies, or what it is called.
    media, modality : Media and Modality
        What kind of file it is, and which network its part is for.
    size_bytes : int
        Its size, if it lies elsewhere and that is known.
    length_s : float or None
        Of the section that counts, if that is known.
    """

    path: Path
    media: Media
    modality: Modality
    size_bytes: int = 0
    length_s: float | None = None


def estimate(
    files: Mapping[Key, Unread],
    items_of_sound: ItemsOfSound,
    clock_s: Callable[[], float] = time.monotonic,
) -> Workload[Key]:
    """Estimate how many items files are going to make: windows or seconds of sound, pictures, frames.

    It takes half a second at most, but for asking for the size of each file. What is wrong with a file is
    told when it is read; here it raises nothing.

    Parameters
    ----------
    files : mapping
        Each file's place and kind.
    items_of_sound : callable
        Returns how many items some seconds of sound make.
    clock_s : callable
        Returns the time in seconds.
    """
    expected = {key: _by_size(file, items_of_sound) for key, file in files.items()}
    last_s = clock_s() + HEADERS_S
    for key in _to_look_at(expected):
        if clock_s() > last_s:
            break
        items = _by_header(files[key], expected[key].size_bytes, items_of_sound)
        expected[key] = replace(expected[key], items=items)
    return Workload(expected)


def _by_size(file: Unread, items_of_sound: ItemsOfSound) -> Expected:
    name = file.path.name
    if file.length_s is not None and file.modality is Modality.AUDIO:
        return Expected(name, file.modality.value, 0, items_of_sound(file.length_s))
    if file.media is Media.IMAGE:
        return Expected(name, Media.IMAGE.value, 0, items=1)
    kind = f"{file.modality.value} of {file.path.suffix.lower()}"
    with suppress(OSError, ValueError):
        status = file.path.stat()
        if stat.S_ISREG(status.st_mode):  # reading from a pipe would never end
            return Expected(name, kind, status.st_size)
    return Expected(name, kind, file.size_bytes, items=None if file.size_bytes else 0)


def _to_look_at(expected: Mapping[Key, Expected]) -> Iterator[Key]:
    """Yield the largest file of each kind, then the second of each, and so on."""
    kinds: defaultdict[str, list[tuple[int, Key]]] = defaultdict(list)
    for key, file in expected.items():
        if file.items is None:
            kinds[file.kind].append((file.size_bytes, key))
    largest = [heapq.nlargest(HEADERS, own, key=lambda pair: pair[0]) for own in kinds.values()]
    turns = (pair for pair in chain.from_iterable(zip_longest(*largest)) if pair)
    return (key for _, (_, key) in zip(range(HEADERS), turns, strict=False))


def _by_header(file: Unread, size_bytes: int, items_of_sound: ItemsOfSound) -> float | None:
    """Return what a file says of itself; None if that is nothing, or nothing to believe."""
    with suppress(OpenL3Error), source_faults():
        if file.modality is Modality.IMAGE:
            info = probe(file.path)
            frames = info.frame_rate_hz * (info.duration_s or 0) if info.has_frames else 0
            return frames if frames <= size_bytes / LEAST_BYTES_PER_FRAME else None
        seconds = _seconds(file)
        if seconds is not None and seconds <= size_bytes / LEAST_BYTES_PER_S:
            return items_of_sound(seconds) if seconds else 0
    return None


def _seconds(file: Unread) -> float | None:
    """Return how much sound a file says that it has."""
    if file.media is Media.VIDEO or file.path.suffix.lower() in FFMPEG_SUFFIXES:
        info = probe(file.path)
        return info.duration_s if info.has_audio else 0
    with open_audio(file.path) as audio:
        return audio.samples / audio.sample_rate_hz

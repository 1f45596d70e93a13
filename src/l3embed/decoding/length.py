"""Where sound goes on behind what its file's header declares: libsndfile would stop there, in silence."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from os import SEEK_END
from pathlib import Path
from typing import BinaryIO

RIFF_MAGIC = b"RIFF"
RIFF_CHUNK = struct.Struct("<4sI")
"""A chunk's name and its bytes."""

RIFF_FIRST_CHUNK = 12
RIFF_SOUND = b"data"
RIFF_TO_THE_END = ("-ignore_length", "1")
CHUNK_NAME = re.compile(rb"[ -~]{4}")

AU_SIZES = {b".snd": struct.Struct(">2I"), b"dns.": struct.Struct("<2I")}
"""Where an AU file's sound begins and how many bytes it has, by the file's magic number."""

CAF_CHUNK = struct.Struct(">4sq")
CAF_MAGIC, CAF_FIRST_CHUNK, CAF_UNKNOWN = b"caff", 8, -1

TAGS = (b"TAG", b"APETAGEX", b"ID3", b"LYRICSBEGIN")
"""What players put behind a file, whatever its format."""

PIECE_BYTES = 1 << 20

OGG_MAGIC = b"OggS"
OGG_PAGE = re.compile(rb"OggS\0([\x00-\x07])")
OGG_FIRST_PAGE_FLAG, OGG_LAST_PAGE_FLAG = 0x02, 0x04

ID3_HEADER = struct.Struct(">3s3x4B")
XING = re.compile(rb"(?:Xing|Info)\0\0\0[\x03\x07\x0b\x0f].{4}(.{4})", re.DOTALL)
"""An MP3's first frame may tell how many frames there are, and how many bytes."""

XING_REACH_BYTES = 256
ID3_TAIL_BYTES = 256
"""An ID3 tag of version 1, with its extension and what may lie in front of it."""


@dataclass(frozen=True)
class Behind:
    """Sound that goes on: the bytes that are declared and found, and what has ffmpeg read all of them."""

    declared: int
    found: int
    input_options: tuple[str, ...] = ()


def sound_behind(path: Path) -> Behind | None:
    """Return how far the sound of a WAV or AU file goes on behind what is declared, if it does."""
    with path.open("rb") as file:
        magic = file.read(4)
        if magic == RIFF_MAGIC:
            return _riff_sound(file)
        return _au_sound(file, AU_SIZES[magic]) if magic in AU_SIZES else None


def _riff_sound(file: BinaryIO) -> Behind | None:
    size = file.seek(0, SEEK_END)
    place = RIFF_FIRST_CHUNK
    while place + RIFF_CHUNK.size <= size:
        file.seek(place)
        name, declared = RIFF_CHUNK.unpack(file.read(RIFF_CHUNK.size))
        start = place + RIFF_CHUNK.size
        place = start + declared + declared % 2
        if name == RIFF_SOUND:
            goes_on = place < size and not _are_chunks(file, place) and _is_content(file, place)
            return Behind(declared, size - start, RIFF_TO_THE_END) if goes_on else None
    return None


def _au_sound(file: BinaryIO, sizes: struct.Struct) -> Behind | None:
    header = file.read(sizes.size)
    start, declared = sizes.unpack(header) if len(header) == sizes.size else (0, 0)
    found = file.seek(0, SEEK_END) - start
    goes_on = start and declared < found and _is_content(file, start + declared)
    return Behind(declared, found) if goes_on else None


def _are_chunks(file: BinaryIO, place: int) -> bool:
    """Tell whether the rest of a file is made of chunks."""
    file.seek(place)
    while header := file.read(RIFF_CHUNK.size):
        if len(header) < RIFF_CHUNK.size or not CHUNK_NAME.fullmatch(header[:4]):
            return False
        place += RIFF_CHUNK.size + RIFF_CHUNK.unpack(header)[1]
        place += place % 2
        file.seek(place)
    return place - 1 <= file.seek(0, SEEK_END)


def _is_content(file: BinaryIO, place: int) -> bool:
    """Tell whether the rest of a file is more than zeros or a player's tag."""
    file.seek(place)
    piece = file.read(PIECE_BYTES)
    if piece.startswith(TAGS):
        return False
    while piece:
        if piece.strip(b"\0"):
            return True
        piece = file.read(PIECE_BYTES)
    return False


def is_caf_without_length(path: Path) -> bool:
    """Tell whether a CAF file does not say how long it is, as if it was written to a pipe."""
    with path.open("rb") as file:
        if file.read(len(CAF_MAGIC)) != CAF_MAGIC:
            return False
        place = CAF_FIRST_CHUNK
        while file.seek(place) and len(header := file.read(CAF_CHUNK.size)) == CAF_CHUNK.size:
            name, declared = CAF_CHUNK.unpack(header)
            if declared < 0 or name == RIFF_SOUND:
                return bool(name == RIFF_SOUND and declared == CAF_UNKNOWN)
            place += CAF_CHUNK.size + declared
    return False


def ogg_state(path: Path) -> tuple[bool, bool]:
    """Tell whether several streams follow one another in an Ogg file, and whether its last page is there.

    As RFC 3533 has it, section 6; any other file is one stream, and whole.
    """
    is_chained, is_whole, has_begun = False, True, False
    for flags in _ogg_flags(path):
        is_chained = is_chained or bool(has_begun and flags & OGG_FIRST_PAGE_FLAG)
        has_begun = has_begun or not flags & OGG_FIRST_PAGE_FLAG
        is_whole = bool(flags & OGG_LAST_PAGE_FLAG)
    return is_chained, is_whole


def _ogg_flags(path: Path) -> Iterator[int]:
    """Yield the flags of each page."""
    with path.open("rb") as file:
        rest = file.read(len(OGG_MAGIC))
        if rest != OGG_MAGIC:
            return
        while piece := file.read(PIECE_BYTES):
            content = rest + piece
            for page in OGG_PAGE.finditer(content):
                yield page[1][0]
            rest = content[-len(OGG_MAGIC) - 1 :]


def bytes_behind_mp3(path: Path) -> int | None:
    """Return how many bytes an MP3 has behind those that its first frame declares; None if it does not."""
    with path.open("rb") as file:
        magic, *digits = ID3_HEADER.unpack(file.read(ID3_HEADER.size).ljust(ID3_HEADER.size, b"\0"))
        start = 0
        if magic == b"ID3":  # seven bits a byte
            start = ID3_HEADER.size + sum(digit << 7 * (3 - place) for place, digit in enumerate(digits))
        file.seek(start)
        told = XING.search(file.read(XING_REACH_BYTES))
        stream_bytes = file.seek(0, SEEK_END) - start
    return None if told is None else stream_bytes - int.from_bytes(told[1], "big")

"""Whether a file is there, and as long as it says at its beginning: looked at before it is decoded."""

from __future__ import annotations

import struct
from pathlib import Path

from l3embed.errors import OpenL3Error

UNKNOWN_LENGTH = 0xFFFF_FF00
"""Lengths from here on are what programs put into a header when they write to a pipe."""

HEADER_BYTES = 65_536
"""How far into a file its stated length is looked for."""

RIFF_HEADER = struct.Struct("<4sI4s")
"""Magic number, bytes of the file behind this and the magic number, kind of file."""

ASF_GUID = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
ASF_FILE_PROPERTIES_GUID = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
ASF_FILE_PROPERTIES = struct.Struct("<16sQ16sQ40xI")
"""Identifier, bytes of the object, file identifier, bytes of the file, ..., flags."""
ASF_BROADCAST_FLAG = 0x01


def check_present(path: Path) -> int:
    """Check that there is a file with something in it, and return how many bytes.

    Raises
    ------
    OpenL3Error
        If not.
    """
    if not path.is_file():
        raise OpenL3Error("It is a folder, not a file." if path.is_dir() else "There is no such file.")
    size = path.stat().st_size
    if not size:
        raise OpenL3Error("The file is empty (0 bytes).")
    return size


def check_whole(path: Path) -> None:
    """Check the same, and that a file is as long as it says, where ffmpeg would not notice.

    Raises
    ------
    OpenL3Error
        If not.
    """
    size = check_present(path)
    with path.open("rb") as file:
        stated = stated_bytes(file.read(HEADER_BYTES))
    if size < stated:
        raise OpenL3Error(f"The file is cut short: {size} of {stated} bytes are there.")


def stated_bytes(start: bytes) -> int:
    """Return how long an AVI or ASF (WMA, WMV) file says that it is, given its start; 0 if it does not."""
    place = start.find(ASF_FILE_PROPERTIES_GUID)
    if start.startswith(ASF_GUID) and 0 <= place <= len(start) - ASF_FILE_PROPERTIES.size:
        _, _, _, stated, flags = ASF_FILE_PROPERTIES.unpack_from(start, place)
        return 0 if flags & ASF_BROADCAST_FLAG else int(stated)
    if start.startswith(b"RIFF") and len(start) >= RIFF_HEADER.size:
        _, stated, kind = RIFF_HEADER.unpack_from(start)
        return stated + 8 if kind == b"AVI " and stated < UNKNOWN_LENGTH else 0
    return 0

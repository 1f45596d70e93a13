"""Files that say at their beginning how long they are, and are shorter: what ffmpeg goes over in silence."""

from __future__ import annotations

import struct
from pathlib import Path

from l3embed.decoding.audio import UNKNOWN_LENGTH
from l3embed.errors import OpenL3Error

HEADER_BYTES = 65_536
"""How far into a file its stated length is looked for."""

RIFF_HEADER = struct.Struct("<4sI4s")
"""Magic number, bytes of the file behind this and the magic number, kind of file."""

ASF_GUID = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
ASF_FILE_PROPERTIES_GUID = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
ASF_FILE_PROPERTIES = struct.Struct("<16sQ16sQ40xI")
"""Identifier, bytes of the object, file identifier, bytes of the file, ..., flags."""
ASF_BROADCAST_FLAG = 0x01


def check_file(path: Path) -> None:
    """Check that there is a file with something in it, and that it is whole where ffmpeg would not notice.

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

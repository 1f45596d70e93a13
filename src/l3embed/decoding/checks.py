"""Whether a file is there, and as long as it says at its beginning: looked at before it is decoded."""

from __future__ import annotations

import struct
from pathlib import Path

from l3embed.errors import OpenL3Error
from l3embed.variants import SAMPLE_RATE_HZ

PADDING_SAMPLES = 4096
PADDING_S = 0.1
"""What a codec may put in front of sound and behind it (AAC: 2112 and 1024), or a clock be off."""

HEADER_BYTES = 65_536
"""How far into a file its stated length is looked for."""

PIPE_LENGTHS = (range(0x7FFF_F000, 0x8000_1000), range(0xFFFF_F000, 0x1_0000_0000))
"""Lengths that programs put into a header when they write to a pipe, and don't know better."""

HEADER_SLIP_BYTES = 44
"""Some programs count a header, a pad byte or less of it in with the sound: nothing is missing then."""

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
    if path.is_dir():
        raise OpenL3Error("It is a folder, not a file.")
    if not path.exists():
        raise OpenL3Error(
            "It is a link that leads nowhere." if path.is_symlink() else "There is no such file."
        )
    if not path.is_file():  # reading from a pipe would never end
        raise OpenL3Error("It is no file that can be read: a pipe, a socket or a device.")
    size = path.stat().st_size
    if not size:
        raise OpenL3Error("The file is empty (0 bytes).")
    return size


def disagreement(declared_s: float, found_s: float, sample_rate_hz: float = SAMPLE_RATE_HZ) -> str:
    """Return what is wrong if a file declares another length than it has; nothing if that is padding."""
    if abs(declared_s - found_s) <= max(PADDING_S, PADDING_SAMPLES / sample_rate_hz):
        return ""
    what = "is cut short" if found_s < declared_s else "is longer than it says"
    return f"{what}: its header declares {declared_s:.2f} s, and {found_s:.2f} s are there"


def is_of_a_pipe(length: int) -> bool:
    """Tell whether a header's length is none."""
    return any(length in lengths for lengths in PIPE_LENGTHS)


def disagreement_of_bytes(declared: int, found: int) -> str:
    """Return what is wrong if a header declares other bytes of sound than there are."""
    if is_of_a_pipe(declared) or 0 <= declared - found <= HEADER_SLIP_BYTES:
        return ""
    what = "is cut short" if found < declared else "is longer than it says"
    return f"{what}: its header declares {declared} bytes of sound, and {found} are there"


def missing_bytes(path: Path) -> str:
    """Return what is wrong if a file is shorter than it says, where ffmpeg would not notice.

    Raises
    ------
    OpenL3Error
        If there is no such file, or nothing in it.
    """
    size = check_present(path)
    with path.open("rb") as file:
        stated = stated_bytes(file.read(HEADER_BYTES))
    return f"is cut short: {size} of {stated} bytes are there" if size < stated else ""


def stated_bytes(start: bytes) -> int:
    """Return how long an AVI or ASF (WMA, WMV) file says that it is, given its start; 0 if it does not."""
    place = start.find(ASF_FILE_PROPERTIES_GUID)
    if start.startswith(ASF_GUID) and 0 <= place <= len(start) - ASF_FILE_PROPERTIES.size:
        _, _, _, stated, flags = ASF_FILE_PROPERTIES.unpack_from(start, place)
        return 0 if flags & ASF_BROADCAST_FLAG else int(stated)
    if start.startswith(b"RIFF") and len(start) >= RIFF_HEADER.size:
        _, stated, kind = RIFF_HEADER.unpack_from(start)
        return stated + 8 if kind == b"AVI " and not is_of_a_pipe(stated) else 0
    return 0

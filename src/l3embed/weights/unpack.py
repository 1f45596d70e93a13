"""From the packed file to the file that is read: unpacking, and telling whether it was done well."""

import gzip
import os
import struct
import zlib
from pathlib import Path

from l3embed.disk.atomic import replacing
from l3embed.disk.checksums import PIECE_BYTES, crc32
from l3embed.errors import OpenL3Error

MAX_UNPACKED_BYTES = 64 << 20
"""Limit of an unpacked file; the published ones have about 19 MB."""

TRAILER = struct.Struct("<II")
"""The last eight bytes of a gzip file: CRC-32 and size of what is in it, modulo 2^32 (RFC 1952)."""

_GZIP_ERRORS = (gzip.BadGzipFile, EOFError, zlib.error)


def is_unpacked(packed: Path, unpacked: Path) -> bool:
    """Tell whether the unpacked file is there and holds what the packed one does."""
    if not unpacked.is_file():
        return False
    # A gzip file of several members has another trailer: then, and only then, all is compared.
    return _agrees_with_trailer(packed, unpacked) or has_same_content(packed, unpacked)


def has_same_content(packed: Path, unpacked: Path) -> bool:
    """Tell whether the two files hold the same, byte for byte."""
    try:
        with gzip.open(packed) as expected, unpacked.open("rb") as found:
            while piece := expected.read(PIECE_BYTES):
                if piece != found.read(len(piece)):
                    return False
            return not found.read(1)
    except _GZIP_ERRORS:
        return False


def unpack(packed: Path, unpacked: Path) -> None:
    """Unpack a gzip file; the unpacked one appears all at once.

    Raises
    ------
    OpenL3Error
        If the file is no gzip file, or holds more than a weight file can.
    """
    size_bytes = 0
    try:
        with replacing(unpacked) as temporary, gzip.open(packed) as source, temporary.open("xb") as target:
            while piece := source.read(PIECE_BYTES):
                size_bytes += len(piece)
                if size_bytes > MAX_UNPACKED_BYTES:
                    raise OpenL3Error(
                        f"{packed} unpacks to more than {MAX_UNPACKED_BYTES} bytes, the limit; the published "
                        f"weights have about 19 MB. Remove it and fetch the weights again."
                    )
                target.write(piece)
    except _GZIP_ERRORS as error:
        raise OpenL3Error(
            f"{packed} must be a gzip file; unpacking it failed: {error}. "
            f"Remove it and fetch the weights again."
        ) from error


def _agrees_with_trailer(packed: Path, unpacked: Path) -> bool:
    if packed.stat().st_size < TRAILER.size:
        return False
    with packed.open("rb") as file:
        file.seek(-TRAILER.size, os.SEEK_END)
        trailer = file.read()
    expected_crc32, expected_bytes = TRAILER.unpack(trailer)
    size_agrees: bool = unpacked.stat().st_size == expected_bytes
    return size_agrees and crc32(unpacked) == expected_crc32

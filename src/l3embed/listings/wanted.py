"""One file that is needed here, and how it is fetched."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from l3embed.errors import OpenL3Error
from l3embed.listings.location import Location, scheme_of
from l3embed.listings.ranges import read_range
from l3embed.listings.remote import download, remote_state
from l3embed.listings.shards import find_member

MOST_VERSIONS = 1024
"""Shards whose state is remembered."""

PIECE_BYTES = 8 << 20
"""Read at once of a member of a shard."""


@dataclass(frozen=True)
class Wanted:
    """A file that is needed here.

    Parameters
    ----------
    location : Location
        Where it lies.
    bytes, offset : int or None
        How many it has, and where it begins in its shard, if that is known.
    version : str
        What the shard was known by when that was found out.
    sha256 : str
        The checksum that it must have; nothing if any will do.
    """

    location: Location
    bytes: int | None = None
    offset: int | None = None
    sha256: str = field(default="", compare=False)
    version: str = field(default="", compare=False)


def fetch(wanted: Wanted, path: Path) -> None:
    """Fetch a file, and check that it is the one that is wanted.

    Raises
    ------
    OpenL3Error
        If it is not, or cannot be had.
    """
    location = wanted.location
    if location.member:
        _fetch_member(wanted, path)
    else:
        download(location.address, path)
    _check(wanted, path)


@lru_cache(MOST_VERSIONS)
def known_version(address: str) -> str:
    """Return what a shard is known by in the rows of its members.

    Raises
    ------
    OpenL3Error
        If there is none.
    """
    if scheme_of(address):
        state = remote_state(address)
        return f"{state.bytes} {state.version}"
    try:
        status = Path(address).stat()
    except OSError as error:
        raise OpenL3Error(f"The shard {address} could not be read: {error.strerror}.") from error
    return f"{status.st_size} {status.st_mtime_ns}"


def _fetch_member(wanted: Wanted, path: Path) -> None:
    location, offset, size = wanted.location, wanted.offset, wanted.bytes
    if wanted.version and wanted.version != known_version(location.address):
        raise OpenL3Error(
            f"The shard {location.address} is not as it was listed. Make the listing anew (l3embed list)."
        )
    if offset is None or size is None:
        member = find_member(location.address, location.member)
        offset, size = member.offset, member.bytes
    end = offset + size
    with path.open("wb") as file:
        for start in range(offset, end, PIECE_BYTES):
            stop = min(start + PIECE_BYTES, end)
            file.write(
                read_range(location.address, start, stop)
                if location.is_remote
                else _local_range(location.address, start, stop)
            )


def _local_range(address: str, start: int, end: int) -> bytes:
    with Path(address).open("rb") as file:
        file.seek(start)
        content = file.read(end - start)
    if len(content) < end - start:
        raise OpenL3Error(f"The shard {address} is cut short.")
    return content


def _check(wanted: Wanted, path: Path) -> None:
    size = path.stat().st_size
    if wanted.bytes is not None and wanted.bytes != size:
        raise OpenL3Error(
            f"{wanted.location} has {size:,} bytes, and the listing says {wanted.bytes:,}. "
            "Make the listing anew (l3embed list)."
        )

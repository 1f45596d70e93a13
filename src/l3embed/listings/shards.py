"""Members of ``.tar`` files, which need not be unpacked: where each begins, and how many bytes it has."""

from __future__ import annotations

import io
import tarfile
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import IO

from l3embed.errors import OpenL3Error
from l3embed.listings.location import scheme_of
from l3embed.listings.ranges import RemoteFile
from l3embed.listings.remote import remote_state

SHARD_SUFFIX = ".tar"

BUFFER_BYTES = 1 << 18
"""Read at once of a remote shard, from one header to the next: small members come along with them."""

KEPT_INDEXES = 4
"""Shards whose members are remembered, where the listing does not say where these begin."""


@dataclass(frozen=True)
class Member:
    """A file in a shard.

    Parameters
    ----------
    name : str
        As the shard has it.
    offset, bytes : int
        Where its bytes begin, and how many there are.
    """

    name: str
    offset: int
    bytes: int


class CutShortError(OpenL3Error):
    """A shard that ends before its last member does."""


def members(address: str) -> Iterator[Member]:
    """Yield the whole files of a shard, whose bytes are not read.

    Raises
    ------
    OpenL3Error
        If it is no plain ``.tar``; `CutShortError` behind the last whole member, if it is cut short.
    """
    with _opened(address) as (stream, size):
        yield from _members(stream, size, address)


class _opened:  # noqa: N801 (a context manager)
    def __init__(self, address: str) -> None:
        self._address = address

    def __enter__(self) -> tuple[IO[bytes], int]:
        if scheme_of(self._address):
            size = remote_state(self._address).bytes
            if size is None:
                raise OpenL3Error(f"The server does not say how large {self._address} is.")
            self._stream: IO[bytes] = io.BufferedReader(RemoteFile(self._address, size), BUFFER_BYTES)
            return self._stream, size
        path = Path(self._address)
        try:
            self._stream = path.open("rb")
        except OSError as error:
            raise OpenL3Error(f"The shard {path} could not be read: {error.strerror}.") from error
        return self._stream, path.stat().st_size

    def __exit__(self, *fault: object) -> None:
        self._stream.close()


def _members(stream: IO[bytes], size: int, address: str) -> Iterator[Member]:
    cut = CutShortError(f"The shard {address} is cut short: it ends within a member.")
    try:
        with tarfile.open(fileobj=stream, mode="r:") as shard:
            for info in shard:
                shard.members = []  # type: ignore[attr-defined]  # it would remember all of them
                if info.isreg():
                    if info.offset_data + info.size > size:
                        raise cut
                    yield Member(info.name, info.offset_data, info.size)
    except tarfile.ReadError as error:
        if "unexpected end" in str(error):
            raise cut from error
        raise OpenL3Error(
            f"The shard {address} is no plain {SHARD_SUFFIX} ({error}). Unpack it, or write it uncompressed."
        ) from error
    except tarfile.TarError as error:
        raise OpenL3Error(f"The shard {address} is damaged: {error}.") from error


class _Index:
    """The members of one shard, read until the one that is asked for."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._found: dict[str, Member] = {}
        self._fault: OpenL3Error | None = None
        self._lock = Lock()
        self._is_read = False

    def member(self, name: str) -> Member:
        with self._lock:
            if not self._is_read:
                self._read()
        if found := self._found.get(name):
            return found
        raise self._fault or OpenL3Error(f"There is no {name} in the shard {self._address}.")

    def _read(self) -> None:
        try:
            for member in members(self._address):
                self._found[member.name.removeprefix("./")] = member
        except OpenL3Error as error:
            self._fault = error
        self._is_read = True


class _Indexes:
    """The members of the last few shards."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Index] = OrderedDict()
        self._lock = Lock()

    def of(self, address: str) -> _Index:
        with self._lock:
            index = self._kept.pop(address, None) or _Index(address)
            self._kept[address] = index
            while len(self._kept) > KEPT_INDEXES:
                self._kept.popitem(last=False)
            return index


_indexes = _Indexes()


def find_member(address: str, name: str) -> Member:
    """Return where a member of a shard is.

    Raises
    ------
    OpenL3Error
        If there is none, or the shard cannot be read.
    """
    return _indexes.of(address).member(name.removeprefix("./"))

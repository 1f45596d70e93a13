"""Files below a folder or a URI, and in the shards there, with the states that tell whether they changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from l3embed.errors import OpenL3Error
from l3embed.listings.location import CHAIN, REMOTE_SCHEMES, TAR_SCHEME, scheme_of
from l3embed.listings.remote import call, remote_state, state_in
from l3embed.listings.shards import SHARD_SUFFIX, members

IsWanted = Callable[[str], bool]
"""Tells whether a file of a name is one to list."""


@dataclass(frozen=True)
class Source:
    """A file of the source: one to list, or a shard.

    Parameters
    ----------
    address : str
        Path or URI.
    bytes : int or None
        Its size.
    version : str
        What changes when its bytes do.
    """

    address: str
    bytes: int | None
    version: str

    @property
    def is_shard(self) -> bool:
        """Whether its members are to be listed."""
        return self.address.lower().endswith(SHARD_SUFFIX)

    @property
    def shard_version(self) -> str:
        """What changes when any member does: their rows have sizes of their own."""
        return f"{self.bytes} {self.version}"


@dataclass(frozen=True)
class Row:
    """One row of a listing that is being made."""

    path: str
    bytes: int | None
    version: str
    offset: int | None = None


@dataclass
class Leftovers:
    """What was not listed.

    Parameters
    ----------
    others : int
        Files of other kinds.
    faults : list of (str, str)
        What could not be read, and why.
    """

    others: int = 0
    faults: list[tuple[str, str]] = field(default_factory=list)


def sources(root: str, left: Leftovers) -> Iterator[Source]:
    """Yield the files below a folder or a URI, or the one file that it names; hidden ones do not count.

    Raises
    ------
    OpenL3Error
        If there is nothing, or it cannot be listed.
    """
    scheme = scheme_of(root)
    if not scheme:
        yield from _local_sources(Path(root), left)
    elif scheme in REMOTE_SCHEMES:
        yield from _remote_sources(root)
    else:
        known = ", ".join(f"{name}://" for name in REMOTE_SCHEMES)
        raise OpenL3Error(f"What is listed must be a folder, or begin with one of {known}; got {root!r}.")


def _local_sources(root: Path, left: Leftovers) -> Iterator[Source]:
    if root.is_file():
        yield _of_file(root)
        return
    if not root.is_dir():
        raise OpenL3Error(f"There is no folder {root}.")

    def note(error: OSError) -> None:
        left.faults.append((str(error.filename), f"It could not be read: {error.strerror}."))

    for folder, folders, files in os.walk(root, onerror=note):
        here = Path(folder)
        for name in folders:
            if (here / name).is_symlink():
                left.faults.append((str(here / name), "Links to folders are not followed."))
        folders[:] = [name for name in folders if not name.startswith(".") and not (here / name).is_symlink()]
        for name in files:
            if not name.startswith("."):
                try:
                    yield _of_file(here / name)
                except OSError as error:
                    note(error)


def _of_file(path: Path) -> Source:
    status = path.stat()
    return Source(str(path), status.st_size, str(status.st_mtime_ns))


def _remote_sources(root: str) -> Iterator[Source]:
    path = urlsplit(root).path
    is_web = scheme_of(root) in ("http", "https")
    if path.lower().endswith(SHARD_SUFFIX) or (is_web and PurePosixPath(path).suffix):
        state = remote_state(root)  # to look for what is below it would fetch it
        yield Source(root, state.bytes, state.version)
        return
    found = call(root, "find", detail=True)
    scheme = scheme_of(root)
    for name, info in found.items():
        address = name if "://" in name else f"{scheme}://{name}"
        below = address[len(root.rstrip("/")) :]
        if not any(step.startswith(".") for step in below.split("/")):
            state = state_in(info)
            yield Source(address, state.bytes, state.version)
    if not found:
        raise OpenL3Error(f"There are no files at {root}.")


def rows_of(source: Source, path: str, is_wanted: IsWanted, left: Leftovers) -> Iterator[Row]:
    """Yield the rows of one source: one, or one for each member of a shard that is wanted.

    Parameters
    ----------
    source : Source
        A file.
    path : str
        As the listing is to name it.
    is_wanted : callable
        Tells whether a file is to be listed, by its name.
    left : Leftovers
        Takes in what is not listed.
    """
    if not source.is_shard:
        if is_wanted(source.address):
            yield Row(path, source.bytes, source.version)
        else:
            left.others += 1
        return
    try:
        for member in members(source.address):
            if not is_wanted(member.name):
                left.others += 1
            elif CHAIN in member.name:
                left.faults.append(
                    (f"{source.address}: {member.name}", f"A name must not have {CHAIN} in it.")
                )
            else:
                uri = f"{TAR_SCHEME}{member.name.removeprefix('./')}{CHAIN}{path}"
                yield Row(uri, member.bytes, source.shard_version, member.offset)
    except OpenL3Error as error:
        left.faults.append((source.address, str(error)))

"""The checksums of inputs, so far as they are known without reading what was read before."""

from __future__ import annotations

import re
import stat
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from l3embed.errors import OpenL3Error, source_faults
from l3embed.listings.fetching import FETCHES, forget_fetched
from l3embed.listings.listing_table import is_listing
from l3embed.listings.location import Location
from l3embed.listings.remote import remote_state
from l3embed.runtimes.ahead import map_ahead
from l3embed.stages.dataset_input import Input
from l3embed.stages.opening import location_of
from l3embed.store.digests import SETTLED_AFTER_S, Digests

CHECKSUM = re.compile("[0-9a-f]{64}")

ASKED_ADDRESSES = 4096
"""Shards of which the state is remembered: all of their members have it."""


@dataclass(frozen=True)
class Digested:
    """What is known of an input's bytes.

    Parameters
    ----------
    sha256 : str
        Their checksum; nothing if they have to be fetched for that.
    version : str
        By which their server knows them; nothing if it does not, or they lie here.
    state : tuple of int
        Of a file that lies here: by that it is told whether it has changed.
    """

    sha256: str = ""
    version: str = ""
    state: tuple[int, ...] = ()


Known = Digested | OpenL3Error


class InputDigests:
    """The checksums of a dataset's inputs.

    Parameters
    ----------
    dataset : Path
        Its folder, or its listing.
    digests : Digests
        Those that are known from earlier runs.
    """

    def __init__(self, dataset: Path, digests: Digests) -> None:
        forget_fetched()  # a version that is asked for now is not that of an earlier copy
        self._dataset, self._digests = dataset, digests
        self._state_of = lru_cache(ASKED_ADDRESSES)(remote_state)

    def of(self, inputs: Iterable[Input]) -> Iterator[tuple[Input, Known]]:
        """Yield inputs with what is known of their bytes, or why they cannot be had at all.

        A local file is read once; of others servers are asked for the state only, several at a time, where
        the listing does not say it.
        """
        if not is_listing(self._dataset):
            for input_ in inputs:
                yield input_, self._found(input_, self._located(input_)[1])
            return
        with ThreadPoolExecutor(FETCHES, "l3embed-states") as pool:
            for input_, found in map_ahead(pool, self._located, inputs, 2 * FETCHES):
                yield input_, self._found(input_, found)

    def keep(self, input_: Input, known: Digested, sha256: str) -> None:
        """Take in the checksum of an input that was fetched."""
        if known.version:
            self._digests.keep_remote(self._place(input_), known.version, sha256)

    def _place(self, input_: Input) -> str:
        return str(location_of(input_, self._dataset))

    def _located(self, input_: Input) -> tuple[Input, tuple[Location, str] | OpenL3Error]:
        """Find out where an input is, and the version of what is not a file here: in any thread."""
        try:
            with source_faults():
                _check_sum(input_)
                location = location_of(input_, self._dataset)
                is_told = location.is_local_file or input_.sha256
                return input_, (location, "" if is_told else self._version(input_, location))
        except OpenL3Error as error:
            return input_, error

    def _found(self, input_: Input, found: tuple[Location, str] | OpenL3Error) -> Known:
        return found if isinstance(found, OpenL3Error) else self._known(input_, *found)

    def _version(self, input_: Input, location: Location) -> str:
        if input_.version:
            return f"{input_.bytes} {input_.version}"
        if location.is_remote:
            state = self._state_of(location.address)
            return f"{state.bytes} {state.version}" if state.version else ""
        try:
            status = Path(location.address).stat()
        except OSError as error:
            raise OpenL3Error(f"The shard {location.address} could not be read: {error.strerror}.") from error
        is_settled = time.time() - status.st_mtime > SETTLED_AFTER_S
        return f"{status.st_ino} {status.st_size} {status.st_mtime_ns}" if is_settled else ""

    def _known(self, input_: Input, location: Location, version: str) -> Known:
        if location.is_local_file:
            try:
                with source_faults():
                    return self._of_file(Path(location.address), input_.sha256)
            except OpenL3Error as error:
                return error
        if input_.sha256:
            return Digested(input_.sha256)
        known = self._digests.remote_sha256(str(location), version) if version else None
        return Digested(known or "", version)

    def _of_file(self, path: Path, listed: str | None) -> Digested:
        try:
            state, found = file_state(path), self._digests.sha256(path)
        except OSError as error:
            raise OpenL3Error(_unreadable(path, error)) from error
        if listed and listed != found:
            raise OpenL3Error(
                f"It has the SHA-256 checksum {found}, and the listing says {listed}. "
                "Make the listing anew (l3embed list)."
            )
        return Digested(found, state=state)


def _check_sum(input_: Input) -> None:
    if input_.sha256 and not CHECKSUM.fullmatch(input_.sha256):
        raise OpenL3Error(f"sha256 must be 64 hexadecimal digits; the listing has {input_.sha256!r}.")


def file_state(path: Path) -> tuple[int, ...]:
    """Return by what it is told whether a file has changed.

    Raises
    ------
    OpenL3Error
        If it is none that can be read.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # reading from a pipe would never end
        raise OpenL3Error("It is no file that can be read: a pipe, a socket or a device.")
    return (status.st_ino, status.st_size, status.st_mtime_ns)


def _unreadable(path: Path, error: OSError) -> str:
    if path.is_symlink() and not path.exists():
        return "It is a link that leads nowhere."
    return f"It could not be read: {error.strerror}."

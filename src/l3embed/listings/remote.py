"""Files of object stores and servers, by fsspec: within time limits, and in several attempts."""

from __future__ import annotations

import errno
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from l3embed.errors import OpenL3Error, source_faults
from l3embed.listings.location import address_in, scheme_of

Answer = TypeVar("Answer")

PACKAGES = {
    "gs": "gcsfs",
    "hf": "huggingface_hub",
    "http": "aiohttp",
    "https": "aiohttp",
    "s3": "s3fs",
}
"""What fsspec needs for each scheme."""

CONNECT_S = 10
SILENCE_S = 30
"""How long a server may take to answer, and then be silent."""

ANSWER_S = 60.0
SLOWEST_BYTES_PER_S = 50_000
"""An attempt may take as long as an answer, and as the bytes at this rate: a trickle is no connection."""

RETRY_WAITS_S = (0.5, 1.0, 2.0)
"""How long to wait before each further attempt, and up to twice as long."""

GIVEN_UP_AFTER = 10
"""Files in a row that could not be had of one host, in all attempts: from then on, each has one attempt."""

TRANSIENT_STATUSES = (408, 425, 429)
"""Answers below 500 that ask for another attempt."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""What is wrong with the disk here: no fault of a file."""

LASTING_NAMES = ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "GatedRepoError")
"""Errors of clients, by their names, that another attempt does not mend."""

VERSIONS = ("ETag", "etag", "generation", "blob_id", "Last-Modified", "LastModified", "mtime", "updated")
"""What servers tell a file's state by, the surest first."""


@dataclass(frozen=True)
class RemoteState:
    """What a server says of a file: its size, and what changes when its bytes do; either may be unknown."""

    bytes: int | None
    version: str


class _Hosts:
    """How many files in a row could not be had of each host."""

    def __init__(self) -> None:
        self._lost: dict[str, int] = {}
        self._lock = Lock()

    def waits_s(self, host: str) -> tuple[float, ...]:
        return () if self._lost.get(host, 0) >= GIVEN_UP_AFTER else RETRY_WAITS_S

    def note(self, host: str, *, is_lost: bool) -> None:
        with self._lock:
            self._lost[host] = self._lost.get(host, 0) + 1 if is_lost else 0


_hosts = _Hosts()


@cache
def file_system(scheme: str) -> Any:
    """Return fsspec's file system of a scheme.

    Raises
    ------
    OpenL3Error
        If a package is missing; it is named.
    """
    try:
        import fsspec

        files = fsspec.filesystem(scheme, skip_instance_cache=True, **_options(scheme))
    except ImportError as error:
        raise _missing(scheme) from error
    if scheme == "s3":  # attempts are made here
        files.retries = 1
    return files


def check_packages(locations: Iterable[str]) -> None:
    """Check that what is needed for the schemes of locations is installed.

    Raises
    ------
    OpenL3Error
        Naming the first package that is not.
    """
    schemes = {scheme_of(address_in(location)) for location in locations}
    for scheme in sorted(schemes & set(PACKAGES)):
        if not (find_spec("fsspec") and find_spec(PACKAGES[scheme])):
            raise _missing(scheme)


def _missing(scheme: str) -> OpenL3Error:
    return OpenL3Error(f"{scheme}:// needs the package {PACKAGES[scheme]}: pip install 'l3embed[remote]'.")


def _options(scheme: str) -> dict[str, Any]:
    """Return the options of a file system: no list of files is kept, which grows, and becomes untrue."""
    if scheme in ("http", "https"):
        import aiohttp

        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
        return {"client_kwargs": {"timeout": limits}, "use_listings_cache": False}
    if scheme == "s3":
        limits_s = {"connect_timeout": CONNECT_S, "read_timeout": SILENCE_S, "max_pool_connections": 32}
        config = {**limits_s, "retries": {"total_max_attempts": 1, "mode": "standard"}}
        return {"config_kwargs": config, "use_listings_cache": False, "default_cache_type": "none"}
    return {"use_listings_cache": False}


def call(address: str, name: str, *arguments: Any, expected_bytes: int = 0, **options: Any) -> Any:
    """Call a method of an address's file system, within the limits, and again if what goes wrong may pass.

    Parameters
    ----------
    address : str
        Of a file, as the method takes it.
    name : str
        Of the method, as in ``info``.
    arguments, options
        Behind the address.
    expected_bytes : int
        How many it brings.

    Raises
    ------
    OpenL3Error
        With what went wrong in the last attempt.
    """
    limit_s = ANSWER_S + expected_bytes / SLOWEST_BYTES_PER_S

    def attempt() -> Any:
        files = file_system(scheme_of(address))
        return _once(files, name, _path(files, address), *arguments, limit_s=limit_s, **options)

    return attempting(address, attempt)


def _path(files: Any, address: str) -> str:
    return str(files._strip_protocol(address))


def _once(files: Any, name: str, *arguments: Any, limit_s: float | None, **options: Any) -> Any:
    from fsspec.asyn import sync

    if getattr(files, "async_impl", False):
        return sync(files.loop, getattr(files, f"_{name}"), *arguments, timeout=limit_s, **options)
    return getattr(files, name)(*arguments, **options)


def attempting(address: str, attempt: Callable[[], Answer]) -> Answer:
    """Return what an attempt does, in one of a few."""
    host = "/".join(address.split("/", 3)[:3])
    for wait_s in (*_hosts.waits_s(host), None):
        try:
            answer = attempt()
        except Exception as raised:
            if isinstance(raised, OSError) and raised.errno in NO_ROOM:
                raise
            error = _own_cause(raised)
            if is_lasting(error):
                _hosts.note(host, is_lost=False)
                raise _lasting(address, error) from error
            if wait_s is None:
                _hosts.note(host, is_lost=True)
                with source_faults(f"{address} could not be fetched in several attempts"):
                    raise error  # noqa: B904 (it has its own cause)
            time.sleep(wait_s * random.uniform(1, 2))  # noqa: S311 (nobody is to guess nothing)
        else:
            _hosts.note(host, is_lost=False)
            return answer
    raise OpenL3Error(f"{address} could not be fetched.")


def _own_cause(error: Exception) -> Exception:
    """Return why a file is said not to be there: fsspec says so of web servers that do not answer."""
    cause = error.__cause__
    if isinstance(error, FileNotFoundError) and isinstance(cause, Exception):
        return cause if _packages(cause) & {"aiohttp", "asyncio"} else error
    return error


def is_lasting(error: Exception) -> bool:
    """Tell whether another attempt would end as this one has."""
    if isinstance(error, (OpenL3Error, FileNotFoundError, PermissionError, IsADirectoryError, ImportError)):
        return True
    status = getattr(error, "status", None)
    if isinstance(status, int) and 400 <= status < 500:
        return status not in TRANSIENT_STATUSES
    if _is_refusal(error):
        return True
    return not isinstance(error, (OSError, TimeoutError)) and not _is_of_a_client(error)


def _is_refusal(error: BaseException) -> bool:
    return type(error).__name__ in LASTING_NAMES or "xpired" in str(error)


def _is_of_a_client(error: Exception) -> bool:
    """Tell whether an error is one that a client of a server raises: each has its own."""
    return bool(
        _packages(error) & {"aiohttp", "asyncio", "botocore", "gcsfs", "httpx", "requests", "urllib3"}
    )


def _packages(error: BaseException) -> set[str]:
    return {kind.__module__.partition(".")[0] for kind in type(error).__mro__}


def _lasting(address: str, error: Exception) -> OpenL3Error:
    if isinstance(error, OpenL3Error):
        return error
    if isinstance(error, FileNotFoundError) or getattr(error, "status", None) in (404, 410):
        return OpenL3Error(f"There is no {address}.")
    words = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    is_refused = isinstance(error, PermissionError) or _is_refusal(error)
    if is_refused or getattr(error, "status", None) in (401, 403):
        return OpenL3Error(f"{address} may not be read: {words}. Look at your credentials for it.")
    return OpenL3Error(f"{address} could not be fetched: {words}.")


def download(address: str, path: Path) -> None:
    """Fetch a file as a whole.

    Raises
    ------
    OpenL3Error
        If it cannot be had.
    """
    from fsspec.callbacks import Callback

    class Pace(Callback):  # type: ignore[misc]  # fsspec has no types
        """Ends a fetch that trickles: how much is to come need not be known."""

        def __init__(self) -> None:
            super().__init__()
            self._started_s, self._bytes = time.monotonic(), 0

        def relative_update(self, inc: int = 1) -> None:
            self._bytes += inc
            if time.monotonic() - self._started_s > ANSWER_S + self._bytes / SLOWEST_BYTES_PER_S:
                raise TimeoutError(f"less than {SLOWEST_BYTES_PER_S // 1000} kB a second came")

    def attempt() -> None:
        files = file_system(scheme_of(address))
        _once(files, "get_file", _path(files, address), str(path), limit_s=None, callback=Pace())

    attempting(address, attempt)


def remote_state(address: str) -> RemoteState:
    """Ask for the size and the version of a file.

    Raises
    ------
    OpenL3Error
        If there is none, or the server does not say.
    """
    return state_in(call(address, "info"))


def state_in(info: dict[str, Any]) -> RemoteState:
    """Return what an answer of fsspec's says of a file."""
    version = next((str(info[key]) for key in VERSIONS if info.get(key)), "")
    size = info.get("size")
    return RemoteState(int(size) if size is not None else None, version.strip('"'))

"""The folders where what was fetched or made is kept, and how processes share them."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from l3embed.disk.folders import CACHE_VARIABLE, cache_folder
from l3embed.errors import OpenL3Error
from l3embed.progress import say

LOCK_TIMEOUT_S = 1800.0
"""How long to wait for another process that fetches the same file: 19 MB on a very slow line."""

PATIENCE_S = 2.0
"""How long to wait in silence."""

NEEDED_MB = 40
"""Room that one weight set takes: 19 MB unpacked, and no more than that packed."""


def published_folder() -> Path:
    """Return the folder of the published files, which need not exist."""
    return _weights_folder() / "published"


def random_folder(seed: int) -> Path:
    """Return the folder of one seed's random weights, which need not exist."""
    return _weights_folder() / "random" / str(seed)


def regression_folder() -> Path:
    """Return the folder of the reference's published regression data, which need not exist."""
    return cache_folder() / "regression"


def _weights_folder() -> Path:
    return cache_folder() / "weights"


@contextmanager
def exclusively(folder: Path, file_name: str) -> Iterator[None]:
    """Create the folder, and hold the file's lock during the block: one process at a time makes a file.

    Raises
    ------
    OpenL3Error
        If another process does not let go of the lock.
    """
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f".{file_name}.lock")
    try:
        try:
            lock.acquire(timeout=min(PATIENCE_S, LOCK_TIMEOUT_S))
        except Timeout:
            say(f"Waiting for another process that is making {folder / file_name}.")
            lock.acquire(timeout=LOCK_TIMEOUT_S)
    except Timeout as error:
        raise OpenL3Error(
            f"Another process has held the lock {lock.lock_file} for {LOCK_TIMEOUT_S:.0f} s, longer than "
            f"fetching {file_name} should take. End that process, or set {CACHE_VARIABLE} to another folder."
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def explaining_disk_errors(
    folder: Path, alternative: str = f"set {CACHE_VARIABLE} to another folder"
) -> Iterator[None]:
    """Turn the operating system's errors about the folder into errors that say what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OpenL3Error(
                f"No space is left in {folder}: a weight set needs about {NEEDED_MB} MB there ({error}). "
                f"Free some, or {alternative}."
            ) from error
        raise OpenL3Error(
            f"The weights cannot be read from or written to {folder} ({error}). "
            f"Give yourself access to it, or {alternative}."
        ) from error

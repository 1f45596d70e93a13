"""The folders where what was fetched or made is kept, and how processes share them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from l3embed.disk.folders import CACHE_VARIABLE, cache_folder, explaining_disk_errors
from l3embed.errors import OpenL3Error
from l3embed.progress import tell

LOCK_TIMEOUT_S = 1800.0
"""How long to wait for another process that fetches the same file: 19 MB on a very slow line."""

PATIENCE_S = 2.0
"""How long to wait in silence."""

WEIGHTS = "weights (40 MB a set)"
"""What is kept, and the room that it takes: 19 MB unpacked, and no more than that packed."""

OPENL3_FOLDER = "openl3"
"""Name of the folder that a weight file lies in, by which programs written for openl3 know its path."""


def packed_folder() -> Path:
    """Return the folder of the published files as they are fetched, which need not exist."""
    return _weights_folder() / "published"


def published_folder() -> Path:
    """Return the folder of the published files unpacked, which need not exist."""
    return packed_folder() / OPENL3_FOLDER


def random_folder(seed: int) -> Path:
    """Return the folder of one seed's random weights, which need not exist."""
    return _weights_folder() / "random" / str(seed) / OPENL3_FOLDER


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
            tell(f"Waiting for another process that is making {folder / file_name}.")
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


def explaining_cache_errors(folder: Path, content: str = WEIGHTS) -> AbstractContextManager[None]:
    """Turn the operating system's errors about a folder of the cache into ones that say what to do."""
    return explaining_disk_errors(folder, content, f"set {CACHE_VARIABLE} to another folder")

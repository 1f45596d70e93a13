"""Who computes what: several runs share out their inputs, and none waits for a run that was killed."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from l3embed.disk.folders import cache_folder
from l3embed.progress import say
from l3embed.runtimes.forks import PerProcess

try:
    import fcntl
except ImportError:  # Windows: two runs at once may compute the same input twice, to the same result
    fcntl = None  # type: ignore[assignment]

OFFSET_DIGITS = 15
"""Hexadecimal digits of a key that make an offset in the lock file: 60 bits, which any file system takes."""

IN_USE_OFFSET = 16**OFFSET_DIGITS
"""Byte behind those of all keys, which every run locks together with the others."""

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
"""What file systems answer that know no locks: two runs at once may compute the same input twice there."""

POLL_S = 0.2
"""How often to look whether another run has finished."""

PATHS_FILE = "writing.lock"
"""Lock file in the cache folder by which runs know what others are writing, wherever that is."""

_descriptors: dict[str, int] = {}


class Claims:
    """Keys that this process is working on, each a locked byte of one file.

    The system lets go of a process's locks when it ends, however it ends. There is one file, opened
    once, rather than one for each key, as filelock (by which weights are fetched once) would have it: a
    batch may hold hundreds of short inputs.

    Parameters
    ----------
    path : Path
        The lock file; its folder is made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: PerProcess[set[str]] = PerProcess(set)  # locks do not pass on to a forked process

    def take(self, key: str) -> bool:
        """Claim a key; False if another process has it, or this one already."""
        if key in self._held.get() or not self._lock(key):
            return False
        self._held.get().add(key)
        return True

    def release(self, key: str) -> None:
        """Let go of a key; one that is not held stays so."""
        if key in self._held.get():
            self._held.get().remove(key)
            self._unlock(_offset(key))

    def release_all(self) -> None:
        """Let go of all keys."""
        for key in tuple(self._held.get()):
            self.release(key)

    def enter(self) -> None:
        """Say that this process uses what is claimed here; wait for one that wants to be `alone`."""
        if fcntl:
            with suppress(OSError):  # no locks there: then nobody is ever known to be alone
                fcntl.lockf(self._descriptor(), fcntl.LOCK_SH, 1, IN_USE_OFFSET)

    def leave(self) -> None:
        """Say that it does not any more."""
        self._unlock(IN_USE_OFFSET)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Keep other processes from entering, if none has; yield whether that is so, False if unknown."""
        is_alone = False
        if fcntl:
            with suppress(OSError):
                fcntl.lockf(self._descriptor(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, IN_USE_OFFSET)
                is_alone = True
        try:
            yield is_alone
        finally:
            if is_alone:
                self.leave()

    def _lock(self, key: str) -> bool:
        if not fcntl:
            return True
        try:
            descriptor = self._descriptor()
        except OSError:  # another user's, or a folder: as where there are no locks
            return True
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _offset(key))
        except (BlockingIOError, PermissionError):  # as the system has it
            return False
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
        return True

    def _unlock(self, offset: int) -> None:
        if fcntl:
            with suppress(OSError):
                fcntl.lockf(self._descriptor(), fcntl.LOCK_UN, 1, offset)

    def _descriptor(self) -> int:
        # Closing any descriptor of a file drops all locks of the process on it, so there is one for good.
        name = os.path.realpath(self._path)
        if name not in _descriptors:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _descriptors[name] = os.open(name, os.O_RDWR | os.O_CREAT, 0o666)
        return _descriptors[name]


class PathClaims:
    """Paths that this process is writing to; where no file can be locked, everybody may have any."""

    def __init__(self) -> None:
        self._claims = Claims(cache_folder() / PATHS_FILE)

    def take(self, path: str | Path) -> bool:
        """Claim a path; False if another process has it."""
        try:
            return self._claims.take(_path_key(path))
        except (OSError, ValueError):  # the cache folder cannot be written, or no file can be called so
            return True

    def release(self, path: str | Path) -> None:
        """Let go of a path; one that is not held stays so."""
        with suppress(OSError, ValueError):
            self._claims.release(_path_key(path))

    def release_all(self) -> None:
        """Let go of all paths."""
        self._claims.release_all()


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Be the only process that writes to a folder meanwhile; wait, and say so, for another that does."""
    claims = PathClaims()
    try:
        if not claims.take(folder):
            say(f"Waiting for another run that writes into {folder}.")
            while not claims.take(folder):
                time.sleep(POLL_S)
        yield
    finally:
        claims.release_all()


def _path_key(path: str | Path) -> str:
    return hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()


def _offset(key: str) -> int:
    return int(key[:OFFSET_DIGITS], 16)

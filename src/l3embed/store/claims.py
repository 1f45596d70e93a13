"""Who computes what: several runs share out their inputs, and none waits for a run that was killed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

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
        self._held: set[str] = set()

    def take(self, key: str) -> bool:
        """Claim a key; False if another process has it, or this one already.

        Raises
        ------
        OSError
            If the lock file cannot be opened.
        """
        if key in self._held or not self._lock(key):
            return False
        self._held.add(key)
        return True

    def release(self, key: str) -> None:
        """Let go of a key; one that is not held stays so."""
        if key in self._held:
            self._held.remove(key)
            self._unlock(_offset(key))

    def release_all(self) -> None:
        """Let go of all keys."""
        for key in tuple(self._held):
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
        descriptor = self._descriptor()
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


def _offset(key: str) -> int:
    return int(key[:OFFSET_DIGITS], 16)

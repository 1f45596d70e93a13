"""Who computes what: several runs share out their inputs, and none waits for a run that was killed."""

from __future__ import annotations

import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: two runs at once may compute the same input twice, to the same result
    fcntl = None  # type: ignore[assignment]

OFFSET_DIGITS = 15
"""Hexadecimal digits of a key that make an offset in the lock file: 60 bits, which any file system takes."""

_descriptors: dict[str, int] = {}


class Claims:
    """Keys that this process is working on, each a locked byte of one file.

    The system lets go of a process's locks when it ends, however it ends. There is one file, opened
    once, rather than one for each key: a batch may hold hundreds of short inputs.

    Parameters
    ----------
    path : Path
        The lock file; its folder is made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: set[str] = set()

    def take(self, key: str) -> bool:
        """Claim a key; False if another process has it, or this one already."""
        if key in self._held or not self._lock(key):
            return False
        self._held.add(key)
        return True

    def release(self, key: str) -> None:
        """Let go of a key; one that is not held stays so."""
        if key in self._held:
            self._held.remove(key)
            if fcntl:
                fcntl.lockf(self._descriptor(), fcntl.LOCK_UN, 1, _offset(key))

    def release_all(self) -> None:
        """Let go of all keys."""
        for key in tuple(self._held):
            self.release(key)

    def _lock(self, key: str) -> bool:
        if not fcntl:
            return True
        try:
            fcntl.lockf(self._descriptor(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _offset(key))
        except BlockingIOError:
            return False
        return True

    def _descriptor(self) -> int:
        # Closing any descriptor of a file drops all locks of the process on it, so there is one for good.
        name = os.path.realpath(self._path)
        if name not in _descriptors:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _descriptors[name] = os.open(name, os.O_RDWR | os.O_CREAT, 0o666)
        return _descriptors[name]


def _offset(key: str) -> int:
    return int(key[:OFFSET_DIGITS], 16)

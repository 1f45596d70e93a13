"""Bring files here that lie elsewhere: a few at a time ahead of their use, into a folder that stays small."""

from __future__ import annotations

import os
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TypeVar

from l3embed.disk.checksums import sha256
from l3embed.errors import OpenL3Error, source_faults
from l3embed.listings.fetch_folder import new_fetch_folder
from l3embed.listings.location import Location
from l3embed.listings.remote import NO_ROOM
from l3embed.listings.wanted import Wanted as Wanted
from l3embed.listings.wanted import fetch, known_version

Item = TypeVar("Item")

MOST_BYTES = 2 << 30
"""Bytes of files that lie here at once, beside those in use: enough for what comes next."""

MOST_IDLE = 1000
"""Files that lie here at once without being used."""

FETCHES = 8
"""Files that are fetched at once."""

AHEAD = 32
"""Files that are looked at ahead of their use."""


class _Copy:
    """One file that is being fetched, or lies here: shared by all that want it at a time."""

    def __init__(self, wanted: Wanted, path: Path) -> None:
        self.wanted, self.path = wanted, path
        self.users, self.bytes = 0, wanted.bytes or 0
        self.done: Future[str] = Future()  # of the checksum


class FetchFolder:
    """A folder of this process with files from elsewhere, and the threads that fetch them.

    A file stays until room is needed and nobody uses it. Fetches ahead begin when there is room; one that is
    waited for begins at once, so that nothing waits for ever.

    Parameters
    ----------
    most_bytes : int
        What may lie here before fetches ahead wait.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._folder = new_fetch_folder()
        self._most_bytes = most_bytes
        self._held_bytes = 0
        self._copies: dict[Wanted, _Copy] = {}
        self._idle: OrderedDict[Wanted, _Copy] = OrderedDict()  # the one that was used last stays longest
        self._waiting: OrderedDict[Wanted, _Copy] = OrderedDict()
        self._lock = Lock()
        self._work: SimpleQueue[_Copy] = SimpleQueue()
        self._threads = 0
        self._count = 0

    def take(self, wanted: Wanted) -> _Copy:
        """Return the copy of a file, which is fetched as soon as there is room; `give_back` has to follow."""
        with self._lock:
            copy = self._copies.get(wanted)
            if copy is None:
                copy = self._copies[wanted] = self._waiting[wanted] = _Copy(
                    wanted, self._new_path(wanted.location)
                )
            self._idle.pop(wanted, None)
            copy.users += 1
            self._begin_waiting()
        return copy

    def wait(self, copy: _Copy) -> str:
        """Return the checksum of a copy once it is there.

        Raises
        ------
        OpenL3Error
            If it cannot be fetched.
        """
        with self._lock:
            if self._waiting.pop(copy.wanted, None):
                self._begin(copy)
        return copy.done.result()

    def give_back(self, copy: _Copy) -> None:
        """Take it that a copy is not used any more by one that has taken it."""
        with self._lock:
            copy.users -= 1
            if not copy.users:
                if self._waiting.pop(copy.wanted, None):
                    del self._copies[copy.wanted]
                elif copy.done.done():
                    self._let_lie(copy)
            self._begin_waiting()

    def forget(self) -> None:
        """Remove what nobody uses: from now on, files may have changed where they lie."""
        with self._lock:
            for copy in list(self._idle.values()):
                self._remove(copy)

    def _new_path(self, location: Location) -> Path:
        """Return a new name, with the ending by which readers know the file's kind."""
        name = PurePosixPath(location.member or location.address.partition("?")[0])
        self._count += 1
        return self._folder / f"{self._count}{name.suffix}"

    def _let_lie(self, copy: _Copy) -> None:
        """Keep a copy that nobody uses as long as there is room; who asks for a failed one tries again."""
        self._idle[copy.wanted] = copy
        if copy.done.exception():
            self._remove(copy)
        while self._idle and (self._held_bytes > self._most_bytes or len(self._idle) > MOST_IDLE):
            self._remove(next(iter(self._idle.values())))

    def _remove(self, copy: _Copy) -> None:
        del self._idle[copy.wanted], self._copies[copy.wanted]
        self._held_bytes -= copy.bytes
        copy.path.unlink(missing_ok=True)

    def _begin_waiting(self) -> None:
        """Begin with fetches, in their order, as long as there is room, or can be made some."""
        while self._waiting:
            copy = next(iter(self._waiting.values()))
            while self._held_bytes + copy.bytes > self._most_bytes and self._idle:
                self._remove(next(iter(self._idle.values())))
            if self._held_bytes and self._held_bytes + copy.bytes > self._most_bytes:
                return
            del self._waiting[copy.wanted]
            self._begin(copy)

    def _begin(self, copy: _Copy) -> None:
        self._held_bytes += copy.bytes
        if self._threads < FETCHES:
            self._threads += 1
            # Daemons: the interpreter would wait at its exit for a server that does not answer.
            Thread(target=self._fetch_all, name="l3embed-fetch", daemon=True).start()
        self._work.put(copy)

    def _fetch_all(self) -> None:
        while True:
            copy = self._work.get()
            got = self._fetched(copy)
            with self._lock:
                found = copy.path.stat().st_size if isinstance(got, str) else 0
                self._held_bytes += found - copy.bytes
                copy.bytes = found
                if isinstance(got, str):
                    copy.done.set_result(got)
                else:
                    copy.done.set_exception(got)
                if not copy.users:
                    self._let_lie(copy)
                self._begin_waiting()

    def _fetched(self, copy: _Copy) -> str | OpenL3Error | OSError:
        """Fetch a file; return its checksum, or what went wrong."""
        try:
            with source_faults("It could not be fetched"):
                try:
                    fetch(copy.wanted, copy.path)
                    return sha256(copy.path)
                except OSError as error:
                    if error.errno not in NO_ROOM:
                        raise
                    copy.path.unlink(missing_ok=True)
                    # No file's own fault: it ends the stage.
                    words = f"{error.strerror} for what is fetched. Set TMPDIR to a folder with more"
                    return OSError(error.errno, words, str(self._folder))
        except OpenL3Error as error:
            copy.path.unlink(missing_ok=True)
            return error


_folders: dict[int, FetchFolder] = {}
_making = Lock()


def fetch_folder() -> FetchFolder:
    """Return this process's folder: a forked one has its own."""
    with _making:
        if os.getpid() not in _folders:
            _folders[os.getpid()] = FetchFolder()
        return _folders[os.getpid()]


def forget_fetched() -> None:
    """Have files fetched anew that this process has fetched before."""
    with _making:
        folder = _folders.get(os.getpid())
    if folder:
        folder.forget()
    known_version.cache_clear()


class Opening(AbstractContextManager[Path]):
    """A file that is going to be here: entering waits for it, leaving lets go of it.

    Parameters
    ----------
    wanted : Wanted
        The file. One that lies here already is opened where it is.

    Attributes
    ----------
    sha256 : str
        The checksum of a fetched file, once it has been entered; nothing for one that lay here.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._local = Path(wanted.location.address) if wanted.location.is_local_file else None
        self._folder = None if self._local else fetch_folder()
        self._copy = self._folder.take(wanted) if self._folder else None
        self._wanted = wanted
        self.sha256 = ""

    @property
    def is_here(self) -> bool:
        """Whether there is nothing to wait for."""
        return self._local is not None

    @property
    def bytes(self) -> int:
        """How many of what was fetched lie here."""
        return self._copy.bytes if self._copy else 0

    def __enter__(self) -> Path:
        if self._local:
            return self._local
        if self._folder is None or self._copy is None:
            raise OpenL3Error("The file was let go of.")
        try:
            self.sha256 = self._folder.wait(self._copy)
            self._check_sum()
        except BaseException:
            self.close()
            raise
        return self._copy.path

    def _check_sum(self) -> None:
        if self._wanted.sha256 not in ("", self.sha256):
            raise OpenL3Error(
                f"{self._wanted.location} has the SHA-256 checksum {self.sha256}, and not "
                f"{self._wanted.sha256}, as it should. Make the listing anew (l3embed list)."
            )

    def __exit__(self, *fault: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; what was not begun is not fetched."""
        if self._folder and self._copy:
            self._folder.give_back(self._copy)
        self._copy = None


def opening_ahead(
    items: Iterable[Item], wanted_of: Callable[[Item], Wanted], ahead: int = AHEAD
) -> Iterator[tuple[Item, Opening]]:
    """Yield items with their files, which are fetched while others are used.

    Each `Opening` has to be entered, once, or closed, from whatever thread.

    Parameters
    ----------
    items : iterable
        What the files belong to.
    wanted_of : callable
        Returns the file of an item.
    ahead : int
        How many items are looked at ahead.
    """
    waiting: deque[tuple[Item, Opening]] = deque()
    try:
        for item in items:
            opening = Opening(wanted_of(item))
            if opening.is_here and not waiting:  # others may be taken by other runs meanwhile
                yield item, opening
                continue
            waiting.append((item, opening))
            if len(waiting) > ahead:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        for _, opening in waiting:
            opening.close()

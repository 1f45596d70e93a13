"""Files that appear all at once, or not at all."""

import errno
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from l3embed.disk.leftovers import temporary_path

ABANDONED_AFTER_S = 3600.0
"""Age from which a temporary file belongs to a process that was killed: a living one writes all the time."""

NO_LINKS = {
    errno.EXDEV,
    errno.EPERM,
    errno.EACCES,
    errno.EMLINK,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
}
"""Why a file gets no second name: another disk, another owner, too many names, or no such thing there."""


TEMPORARY_NAME = f".{'[0-9a-f]' * 16}.tmp"
"""The names of temporary files, as a pattern: a tag of the file's name, and random digits."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name in the file's folder; give it the file's name if the block succeeds.

    Whatever ends the block otherwise, the temporary file is removed and the old file stays.
    """
    # Without the file's own name, which may be as long as a name can be.
    with temporary_path(path.with_name(f".{_tag(path)}{os.urandom(4).hex()}.tmp")) as temporary:
        try:
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield the name of a folder to make beside; give it this folder's name if the block succeeds.

    Whatever ends the block otherwise, the new folder is removed and the old one stays. If the block makes
    no folder, there is none in the end. Only one process at a time may do this to a folder.
    """
    # Always the same name, so that the next one removes what a killed process has left.
    with temporary_path(path.with_name(f".{path.name}.tmp")) as temporary:
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            yield temporary
            if path.is_dir():
                shutil.rmtree(path)
            if temporary.is_dir():
                temporary.replace(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def place(source: Path, target: Path) -> None:
    """Put a file into another place: a second name for the same bytes, or a copy where that cannot be."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as temporary:
        try:
            os.link(source, temporary)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            shutil.copyfile(source, temporary)


class LeftBehind:
    """What killed processes have left in folders, each of which is looked through once."""

    def __init__(self) -> None:
        self._found: dict[Path, list[Path]] = {}

    def remove(self, path: Path) -> None:
        """Remove what is left of a file, which nobody else may be writing now."""
        folder = path.parent
        if folder not in self._found:
            self._found[folder] = list(folder.glob(TEMPORARY_NAME))
        for temporary in self._found[folder]:
            if temporary.name.startswith(f".{_tag(path)}"):
                temporary.unlink(missing_ok=True)


def remove_left_behind(path: Path) -> None:
    """Remove what killed processes have left of a file, which nobody else may be writing now."""
    LeftBehind().remove(path)


def remove_all_left_behind(folder: Path) -> None:
    """Remove what killed processes have left in a folder, to which nobody else may be writing now."""
    for temporary in folder.glob(TEMPORARY_NAME):
        temporary.unlink(missing_ok=True)


def _tag(path: Path) -> str:
    """Return by what the temporary files of one name are known."""
    return f"{crc32(os.fsencode(path.name)):08x}"


def remove_abandoned(folder: Path) -> None:
    """Remove the temporary files that killed processes have left in a folder."""
    oldest_living = time.time() - ABANDONED_AFTER_S
    for path in folder.glob(".*.tmp"):
        if path.is_file() and path.stat().st_mtime < oldest_living:
            path.unlink(missing_ok=True)

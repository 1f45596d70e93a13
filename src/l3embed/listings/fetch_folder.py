"""The folder of fetched files: one a process, removed at its end, or by a later one if it was killed."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from l3embed.disk.leftovers import temporary_path

PREFIX = "l3embed-fetched-"

ABANDONED_AFTER_S = 86_400.0
"""Age from which the folder of a process that is not there any more is removed."""


def new_fetch_folder() -> Path:
    """Make a folder for this process's files, in ``TMPDIR`` or what the system has for it."""
    _remove_abandoned(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    known = ExitStack()
    known.enter_context(temporary_path(folder))
    atexit.register(_remove, folder, os.getpid(), known)
    return folder


def _remove(folder: Path, process: int, known: ExitStack) -> None:
    if os.getpid() == process:  # no forked one may take it away
        shutil.rmtree(folder, ignore_errors=True)
        known.close()


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError, ValueError):
            is_old = time.time() - folder.stat().st_mtime > ABANDONED_AFTER_S
            if is_old and not _is_alive(int(folder.name.removeprefix(PREFIX).partition("-")[0])):
                shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process: int) -> bool:
    if os.name != "posix":  # there, to ask is to end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True

"""Which store this is: by that a machine is known to see the same one, rather than a folder of its name."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from pathlib import Path

IDENTITY_FILE = "identity"


def store_identity(folder: Path) -> str:
    """Return what a store calls itself; it is given a name if it has none.

    Raises
    ------
    OSError
        If the store cannot be written to.
    """
    path = folder / IDENTITY_FILE
    if not read_identity(folder):
        own = folder / f"{IDENTITY_FILE}.{os.getpid()}"
        own.write_text(uuid.uuid4().hex, encoding="utf-8")
        try:
            os.link(own, path)
        except FileExistsError:  # another process was first
            pass
        except OSError:  # a disk without links: the last of several is it
            own.replace(path)
        own.unlink(missing_ok=True)
    return read_identity(folder)


def read_identity(folder: Path) -> str:
    """Return what a store calls itself; nothing if there is no such store here."""
    with suppress(OSError):
        return (folder / IDENTITY_FILE).read_text(encoding="utf-8")
    return ""

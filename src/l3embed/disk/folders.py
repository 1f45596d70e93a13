"""The folders outside any project, where what was fetched or computed is kept."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from l3embed.errors import OpenL3Error

CACHE_VARIABLE = "L3EMBED_CACHE"
"""Environment variable that names the cache folder."""

STORE_VARIABLE = "L3EMBED_STORE"
"""Environment variable that names the folder of the pipeline's results of single inputs."""


NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
"""What the system answers when a disk, or a user's share of it, is full."""


class FolderError(OSError):
    """A folder that l3embed keeps things in cannot be used: which, why, and what to do.

    An `OSError`, since it is no fault of the input whose result was to be kept there.
    """


@contextmanager
def explaining_disk_errors(
    folder: Path, content: str, remedy: str, kind: type[Exception] = OpenL3Error
) -> Iterator[None]:
    """Turn the operating system's errors about a folder into errors of a kind that say what to do.

    Parameters
    ----------
    folder : Path
        Which.
    content : str
        What is kept there.
    remedy : str
        What else than making room or getting access helps, as in ``set L3EMBED_CACHE to another folder``.
    kind : type
        `OpenL3Error`, or `FolderError` where one input's faults are told apart from those of all.
    """
    try:
        yield
    except FolderError:
        raise
    except OSError as error:
        if error.errno in NO_SPACE:
            told = f"No space is left in {folder} for {content} ({error}). Free some, or {remedy}."
        else:
            told = (
                f"{folder} cannot be read from or written to ({error}). "
                f"Give yourself access to it, or {remedy}."
            )
        raise kind(told) from error


def cache_folder() -> Path:
    """Return the cache folder, which need not exist: as ``L3EMBED_CACHE`` says, or the user's."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("l3embed")


def store_folder() -> Path:
    """Return the store's folder, which need not exist: as ``L3EMBED_STORE`` says, or in the cache."""
    chosen = os.environ.get(STORE_VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else cache_folder() / "store"

"""Files that appear all at once, or not at all."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ABANDONED_AFTER_S = 3600.0
"""Age from which a temporary file belongs to a process that was killed: a living one writes all the time."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name in the file's folder; give it the file's name if the block succeeds.

    Whatever ends the block otherwise, the temporary file is removed and the old file stays.
    """
    # Without the file's own name, which may be as long as a name can be.
    temporary = path.with_name(f".{os.urandom(8).hex()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_abandoned(folder: Path) -> None:
    """Remove the temporary files that killed processes have left in a folder: pooch's and ours."""
    oldest_living = time.time() - ABANDONED_AFTER_S
    for pattern in ("tmp*", ".*.tmp"):
        for path in folder.glob(pattern):
            if path.is_file() and path.stat().st_mtime < oldest_living:
                path.unlink(missing_ok=True)

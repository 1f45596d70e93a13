"""What a process that ends all at once must not leave behind: temporary files, and programs that it runs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen
from threading import Lock
from weakref import WeakSet

SETTLING_S = 0.02
"""Time for other threads to open what they have a name for, so that it is found the second time."""

programs: WeakSet[Popen[bytes]] = WeakSet()
"""Programs that this process has started."""

_temporaries: set[Path] = set()
_beginning = Lock()


@contextmanager
def temporary_path(path: Path) -> Iterator[Path]:
    """Know of a temporary file or folder meanwhile."""
    with _beginning:
        _temporaries.add(path)
    try:
        yield path
    finally:
        _temporaries.discard(path)


def remove_leftovers() -> None:
    """End those programs, and remove those files, for good: the process has to end now."""
    _beginning.acquire(timeout=1)  # and it is not let go of: no others may begin
    for program in list(programs):
        with suppress(OSError):
            program.kill()
    for _ in range(2):
        for path in tuple(_temporaries):
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        time.sleep(SETTLING_S)

"""What one stage writes and others read: known to be as it was written, and named if it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from l3embed.disk.atomic import replacing
from l3embed.disk.checksums import sha256
from l3embed.errors import OpenL3Error, source_faults

SEALS_FILE = ".sha256"
"""Beside the sealed files; ``sha256sum --check`` understands it."""


def seal(*paths: Path) -> None:
    """Write down the checksums of files of one folder, by which `reading` knows them again."""
    seals = paths[0].with_name(SEALS_FILE)
    known = _read_seals(seals) if seals.is_file() else {}
    known |= {path.name: sha256(path) for path in paths}
    with replacing(seals) as temporary:
        temporary.write_bytes(b"".join(b"%s  %s\n" % (known[name].encode(), name.encode()) for name in known))


def is_sealed(path: Path) -> bool:
    """Tell whether a file was sealed, and so has to be there."""
    seals = path.with_name(SEALS_FILE)
    return seals.is_file() and path.name in _read_seals(seals)


@contextmanager
def reading(path: Path, stage: str) -> Iterator[None]:
    """Read what a stage has written: whatever goes wrong names the file, and how to have it written anew.

    Raises
    ------
    OpenL3Error
        Also if the file is sealed, and is not as it was then.
    """
    try:
        with source_faults():
            seals = path.with_name(SEALS_FILE)
            sealed = _read_seals(seals).get(path.name) if seals.is_file() else None
            if sealed and sealed != sha256(path):
                raise OpenL3Error("It is not as it was written.")
            yield
    except OpenL3Error as error:
        raise OpenL3Error(f"{path}: {error} Run 'dvc repro -f {stage}', which writes it anew.") from error


def _read_seals(seals: Path) -> dict[str, str]:
    lines = seals.read_text(encoding="utf-8", errors="replace").splitlines()
    pairs = (line.partition("  ") for line in lines)
    return {name: digest for digest, _, name in pairs if name}

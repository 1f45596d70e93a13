"""Which folders and modules of this package decide about what: one table, from which all others follow.

By stages in ``dvc.yaml``: a clone's depends on the files themselves (``src/l3embed/...``), that of a project of
one's own on their checksums, which ``store/kept_code.py`` keeps. By steps in ``store/code.py``, for results of
single inputs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]

STAGE_SOURCES: dict[str, tuple[str, ...]] = {
    "sample": ("sample",),
    "weights": ("networks", "stages/weights.py", "variants.py", "weights"),
    "preprocess": (
        *("decoding", "disk/rows.py", "frontends", "inputs", "stages/dataset.py", "stages/packed"),
        *("stages/preprocess.py", "variants.py"),
    ),
    "embed": (
        *("disk/rows.py", "export", "frontends", "inputs", "models", "networks", "runtimes"),
        *("stages/embed.py", "stages/network.py", "stages/packed", "variants.py", "weights/file.py"),
    ),
    "export": (
        *("disk/rows.py", "export", "stages/export.py", "stages/packed", "stages/pooling.py", "variants.py"),
    ),
    "evaluate": (
        *("disk/rows.py", "distances", "evaluation", "export", "stages/evaluate.py"),
        *("stages/reference_distances.py", "variants.py"),
    ),
    "report": (
        *("decoding", "disk/rows.py", "evaluation", "export", "inputs", "report", "stages/report.py"),
        *("stages/stored_previews.py", "variants.py"),
    ),
}
"""What each stage's outputs depend on, by folders where all of one counts.

``check`` is not among them: what it depends on is all of this.
"""


def sources_of(stage: str, *, but: Iterable[str] = ()) -> tuple[str, ...]:
    """Return a stage's sources without those that do not decide about results of single inputs."""
    left_out = set(but)
    return tuple(source for source in STAGE_SOURCES[stage] if source not in left_out)


def source_files(sources: Iterable[str]) -> Iterator[Path]:
    """Yield the files of sources, in an order that is always the same."""
    for name in sources:
        path = PACKAGE / name
        inside = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        yield from (file for file in inside if file.suffix != ".pyc")


def sources_checksum(sources: Iterable[str]) -> str:
    """Return the SHA-256 of all files of sources, with their names."""
    digest = hashlib.sha256()
    for path in source_files(sources):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(PACKAGE).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


@cache
def stage_checksum(stage: str) -> str:
    """Return the checksum of the code that a stage's outputs depend on."""
    return sources_checksum(STAGE_SOURCES[stage])

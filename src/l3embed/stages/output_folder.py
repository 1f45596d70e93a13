"""The folders that stages write: where they lie, how they are known, and what an input's files are called."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error
from l3embed.profiling import Phase, phase
from l3embed.stages.results import Result

MARK_FILE = ".l3embed"
"""By this an output folder is known to be a stage's own, even if that was killed."""

MARK = "A stage of l3embed's pipeline writes this folder, and replaces all that is in it.\n"
EMBEDDINGS_SUFFIX = ".npz"
"""What an input's embeddings are called in a stage's output, after its path."""

TIMES_SUFFIX = ".times.npy"
"""What the times of a video's frames are called in a stage's output, after the video's path."""


@dataclass(frozen=True)
class Layout:
    """Where the stages write: folders below one, named as in ``dvc.yaml``."""

    root: Path = Path("data")

    def folder(self, name: str) -> Path:
        """Return a folder of what stages write, such as ``export`` or ``metrics``."""
        return self.root / name

    def metrics_of(self, stage: str) -> Path:
        """Return the file with what a stage counted."""
        return self.folder("metrics") / f"{stage}.json"


def make_empty(folder: Path) -> None:
    """Make a stage's output folder, without what an earlier run has left in it: so does DVC.

    Raises
    ------
    OpenL3Error
        If it holds files that no stage has put there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / MARK_FILE).is_file():
        raise OpenL3Error(
            f"{folder} holds files that are not the pipeline's, which would be replaced. Choose another "
            "folder (hydra.run.dir=..., hydra.sweep.dir=...), or move them away."
        )
    # Written first, and never taken away: without it the next run would not know what a killed one left.
    (folder / MARK_FILE).write_text(MARK, encoding="utf-8")
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != MARK_FILE:
            path.unlink()


def array_path(folder: Path, result: Result, suffix: str = ".npy") -> Path:
    """Return the file of one input in a stage's output folder; no two inputs share one."""
    return folder / result.modality.value / f"{result.path}{suffix}"


def read_blocks(path: Path, rows: int) -> Iterator[npt.NDArray[Any]]:
    """Read the array of a file, ``(N, ...)``, in blocks of at most `rows` rows."""
    for start in range(0, len(np.load(path, mmap_mode="r")), rows):
        with phase(Phase.DECODE):
            # Mapped anew for each block: all that is read from one mapping counts as this process's memory.
            block = np.load(path, mmap_mode="r")[start : start + rows].copy()
        yield block

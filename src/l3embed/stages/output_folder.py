"""The folders that stages write: where they lie, how they are known, and what an input's files are called."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.disk.atomic import remove_all_left_behind
from l3embed.disk.seals import reading
from l3embed.errors import OpenL3Error
from l3embed.profiling import Phase, phase
from l3embed.stages.packed.partitions import Shard
from l3embed.stages.results import Result

MARK_FILE = ".l3embed"
"""By this an output folder is known to be a stage's own, even if that was killed."""

MARK = "A stage of l3embed's pipeline writes this folder, and replaces all that is in it.\n"
EMBEDDINGS_SUFFIX = ".npz"
"""What an input's embeddings are called in a stage's output, after its path."""

TIMES_SUFFIX = ".times.npy"
"""What the times of a video's frames are called in a stage's output, after the video's path."""

EMBEDDINGS_FILE = "embeddings.npz"
"""File of a stored result of ``embed``."""

ROWS_FILE = "rows.npy"
TIMES_FILE = "times.npy"
"""Files of a stored result of ``preprocess``; the second holds the times of a video's frames."""

ARRAY_NAME = re.compile(r"\.np[yz]_*\Z", re.IGNORECASE)
"""What outputs' names end in, and what folders' names then do."""

Kind = tuple[type[np.generic], tuple[int, ...]]
"""What an array holds: the type of its numbers, and the shape of a row."""


@dataclass(frozen=True)
class Layout:
    """Where the stages write: folders below one, named as in ``dvc.yaml``.

    Parameters
    ----------
    root : Path
        The folder that they are below.
    store : Path, optional
        The store, if it is not the user's.
    shard : Shard, optional
        The part of the work that is to be done.
    """

    root: Path = Path("data")
    store: Path | None = None
    shard: Shard | None = None

    def folder(self, name: str) -> Path:
        """Return a folder of what stages write, such as ``export`` or ``metrics``."""
        return self.root / name

    def metrics_of(self, stage: str) -> Path:
        """Return the file with what a stage counted."""
        return self.folder("metrics") / f"{stage}.json"

    def tidy(self) -> None:
        """Remove what killed processes have left where stages do not begin with an empty folder."""
        for folder in (self.root, *map(self.folder, ("check", "metrics", "evaluation", "report", "weights"))):
            remove_all_left_behind(folder)


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
    return folder / result.modality.value / f"{with_folders_apart(result.path)}{suffix}"


def with_folders_apart(path: str, reserved: Collection[str] = ()) -> str:
    """Return the path of an input, its folders renamed where an output of another one may be called so.

    A folder that ends like an array's file gets an underscore behind its name, and so does the first one if
    its name is reserved: ``a.npz/b.wav`` becomes ``a.npz_/b.wav``. As does one that ends like that and in
    underscores: no two become one.

    Parameters
    ----------
    path : str
        Below the dataset's folder, with slashes.
    reserved : collection of str
        Names of files and folders in the output's own folder, in lower case.
    """
    *folders, name = path.split("/")
    apart = [
        f"{folder}_" if ARRAY_NAME.search(folder) or (not place and _plain(folder) in reserved) else folder
        for place, folder in enumerate(folders)
    ]
    return "/".join([*apart, name])


def _plain(name: str) -> str:
    # Regardless of case, as some file systems have it.
    return name.rstrip("_").casefold()


def read_blocks(path: Path, rows: int, kind: Kind) -> Iterator[npt.NDArray[Any]]:
    """Read what was preprocessed of an input, ``(N, ...)``, in blocks of at most `rows` rows.

    Raises
    ------
    OpenL3Error
        If the file does not hold finite numbers of this kind; it is named, with the remedy.
    """
    with reading(path, "preprocess"):
        count = len(_mapped(path, kind))
    for start in range(0, count, rows):
        with reading(path, "preprocess"), phase(Phase.DECODE):
            # Mapped anew for each block: all that is read from one mapping counts as this process's memory.
            block = _mapped(path, kind)[start : start + rows].copy()
            if not np.isfinite(block).all():
                raise OpenL3Error("It holds numbers that are not finite.")
        yield block


def _mapped(path: Path, kind: Kind) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.load(path, mmap_mode="r")
    dtype, row_shape = kind
    if array.dtype != dtype or array.shape[1:] != row_shape or not array.size or not array.flags.c_contiguous:
        wanted = ", ".join(("N", *map(str, row_shape)))
        raise OpenL3Error(
            f"It must hold an array ({wanted}) of {np.dtype(dtype)}; got {array.shape} of {array.dtype}."
        )
    return array

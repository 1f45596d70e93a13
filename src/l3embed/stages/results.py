"""What became of each input: the table that each stage hands on, and how a stage tells of it."""

from __future__ import annotations

import csv
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.disk.tables import FAILED, OK, write_csv, write_json
from l3embed.errors import OpenL3Error
from l3embed.profiling import Phase, phase
from l3embed.progress import say
from l3embed.variants import Media, Modality

RESULTS_FILE = "results.csv"
MARK_FILE = ".l3embed"
"""By this an output folder is known to be a stage's own, even if that was killed."""

MARK = "A stage of l3embed's pipeline writes this folder, and replaces all that is in it.\n"
EMBEDDINGS_SUFFIX = ".npz"
"""What an input's embeddings are called in a stage's output, after its path."""

TIMES_SUFFIX = ".times.npy"
"""What the times of a video's frames are called in a stage's output, after the video's path."""

NAMED = 20
"""Inputs of one kind that a stage names on the terminal; the manifest names all that failed."""


class OnError(str, Enum):
    """What to do about an input that cannot be processed: leave it out and name it, or end at once."""

    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True)
class Result:
    """One input in one modality.

    Parameters
    ----------
    path : str
        Below the dataset's folder, with slashes.
    modality : Modality
        Which network it is for.
    media : Media
        What kind of file it is.
    sha256 : str
        Of the input's bytes.
    status, reason : str
        ``ok``, or ``failed`` and why.
    duration_s, sample_rate_hz : float or None
        Of the recording or video, and its sound.
    channels : int or None
        Of the sound.
    frames, dimension : int
        Of the embeddings; 0 until they are computed.
    runtime : str
        What computed the network.
    preprocessed, embedded : str
        Keys of what was computed, in the store.
    """

    path: str
    modality: Modality
    media: Media = Media.AUDIO
    sha256: str = ""
    status: str = OK
    reason: str = ""
    duration_s: float | None = None
    sample_rate_hz: float | None = None
    channels: int | None = None
    frames: int = 0
    dimension: int = 0
    runtime: str = ""
    preprocessed: str = ""
    embedded: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether the input is there for the next stage."""
        return self.status == OK

    def failed(self, reason: str) -> Result:
        """Return the same input, failed."""
        return replace(self, status=FAILED, reason=reason, frames=0, dimension=0)


@dataclass
class Counts:
    """How many inputs a stage has computed itself, taken from the store, and lost."""

    computed: int = 0
    reused: int = 0
    failed: int = 0

    def add(self, was_computed: bool, *, failed: bool = False) -> None:
        """Count one input."""
        if failed:
            self.failed += 1
        elif was_computed:
            self.computed += 1
        else:
            self.reused += 1

    @property
    def figures(self) -> dict[str, int]:
        """The same, as a stage's metrics have it."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.computed:,} computed, {self.reused:,} reused, {self.failed:,} failed"


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
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    (folder / MARK_FILE).write_text(MARK, encoding="utf-8")


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


def write_results(results: Iterable[Result], folder: Path) -> None:
    """Write the table into a stage's output folder."""
    columns = [field.name for field in fields(Result)]
    rows = (
        {**asdict(result), "modality": result.modality.value, "media": result.media.value}.values()
        for result in results
    )
    write_csv(folder / RESULTS_FILE, columns, rows)


def read_results(folder: Path) -> list[Result]:
    """Read the table of a stage's output folder."""
    with (folder / RESULTS_FILE).open(newline="", encoding="utf-8") as file:
        return [_parse(row) for row in csv.DictReader(file)]


class StageMetrics:
    """What a stage counts, and the seconds that it takes: from here on until it is written.

    Parameters
    ----------
    path : Path
        The file of metrics.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._started_s = path, time.perf_counter()

    def write(self, figures: Mapping[str, Any]) -> None:
        """Write figures, with the seconds behind them."""
        seconds = round(time.perf_counter() - self._started_s, 3)
        write_json(self._path, {**figures, "seconds": seconds})


def check_failure(result: Result, on_error: OnError) -> None:
    """End the stage with a failed input's reason, if that is what is to be done about it.

    Raises
    ------
    OpenL3Error
        Naming the input.
    """
    if on_error is OnError.FAIL and not result.is_ok:
        raise OpenL3Error(f"{result.path}: {result.reason} (on_error=skip would go on with the others.)")


def name_failures(stage: str, results: Iterable[Result]) -> None:
    """Name the failed inputs on the terminal, with reasons."""
    failed = list(dict.fromkeys((result.path, result.reason) for result in results if not result.is_ok))
    for path, reason in failed[:NAMED]:
        say(f"{stage}: failed: {path}: {reason}")
    if len(failed) > NAMED:
        say(f"{stage}: failed: {len(failed) - NAMED} more; data/export/manifest.csv will name them all")


def require_one(stage: str, results: Sequence[Result]) -> None:
    """Check that at least one input is left.

    Raises
    ------
    OpenL3Error
        If all have failed.
    """
    if not any(result.is_ok for result in results):
        first = f"{results[0].path}: {results[0].reason}"
        raise OpenL3Error(f"{stage}: all of {len(results)} inputs failed. The first: {first}")


def _parse(row: dict[str, str]) -> Result:
    return Result(
        path=row["path"],
        modality=Modality(row["modality"]),
        media=Media(row["media"]),
        sha256=row["sha256"],
        status=row["status"],
        reason=row["reason"],
        duration_s=float(row["duration_s"]) if row["duration_s"] else None,
        sample_rate_hz=float(row["sample_rate_hz"]) if row["sample_rate_hz"] else None,
        channels=int(row["channels"]) if row["channels"] else None,
        frames=int(row["frames"]),
        dimension=int(row["dimension"]),
        runtime=row["runtime"],
        preprocessed=row["preprocessed"],
        embedded=row["embedded"],
    )

"""What became of each recording: the files and the table that each stage hands on to the next."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l3embed.atomic import replacing
from l3embed.errors import OpenL3Error
from l3embed.progress import say

RESULTS_FILE = "results.csv"
NAMED = 20
"""Recordings of one kind that a stage names on the terminal; the table names all that failed."""


@dataclass(frozen=True)
class Result:
    """One recording.

    Parameters
    ----------
    path : str
        Below the dataset's folder, with slashes.
    status : str
        ``ok`` or ``failed``.
    reason : str
        Why it failed.
    frames : int
        Embeddings; 0 until they are computed.
    seconds : float
        Length of the recording.
    """

    path: str
    status: str = "ok"
    reason: str = ""
    frames: int = 0
    seconds: float = 0.0

    @property
    def is_ok(self) -> bool:
        """Whether the recording is there for the next stage."""
        return self.status == "ok"

    def failed(self, reason: str) -> Result:
        """Return the same recording, failed."""
        return replace(self, status="failed", reason=reason, frames=0)


def array_path(folder: Path, recording: str) -> Path:
    """Return the file of one recording in a stage's output folder; no two recordings share one."""
    return folder / f"{recording}.npy"


def read_blocks(path: Path, rows: int) -> Iterator[npt.NDArray[np.float32]]:
    """Read the array of a file, ``(N, ...)``, in blocks of at most `rows` rows."""
    for start in range(0, len(np.load(path, mmap_mode="r")), rows):
        # Mapped anew for each block: all that is read from one mapping counts as this process's memory.
        yield np.load(path, mmap_mode="r")[start : start + rows].copy()


def write_results(results: Iterable[Result], folder: Path) -> None:
    """Write the table into a stage's output folder."""
    columns = [field.name for field in fields(Result)]
    write_csv(folder / RESULTS_FILE, columns, (asdict(result).values() for result in results))


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a table, which is there as a whole or not at all."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def read_results(folder: Path) -> list[Result]:
    """Read the table of a stage's output folder."""
    with (folder / RESULTS_FILE).open(newline="", encoding="utf-8") as file:
        return [
            Result(row["path"], row["status"], row["reason"], int(row["frames"]), float(row["seconds"]))
            for row in csv.DictReader(file)
        ]


def summarise(stage: str, results: Sequence[Result], what: str) -> str:
    """Return a stage's last line: how many recordings were done and failed, and what else there is to say."""
    failed = sum(not result.is_ok for result in results)
    return f"{stage}: {len(results)} recordings, {len(results) - failed} done, {failed} failed; {what}"


def name_failures(stage: str, results: Iterable[Result]) -> None:
    """Name the failed recordings on the terminal, with reasons."""
    failed = [result for result in results if not result.is_ok]
    for result in failed[:NAMED]:
        say(f"{stage}: failed: {result.path}: {result.reason}")
    if len(failed) > NAMED:
        say(f"{stage}: failed: {len(failed) - NAMED} more; data/export/manifest.csv will name them all")


def require_one(stage: str, results: Sequence[Result]) -> None:
    """Check that at least one recording is left.

    Raises
    ------
    OpenL3Error
        If all have failed.
    """
    if not any(result.is_ok for result in results):
        first = f"{results[0].path}: {results[0].reason}"
        raise OpenL3Error(f"{stage}: all of {len(results)} recordings failed. The first: {first}")

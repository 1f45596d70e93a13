"""The files of an index of moments: rows that are appended, and a table that says which of them count.

A row that is appended counts when the table has been replaced by one that knows it. So a killed run leaves
nothing but rows at the end that the next one writes over, and readers keep what they have mapped.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from l3embed.disk.atomic import replacing
from l3embed.search.embedded_inputs import MadeWith, Times, Vectors
from l3embed.search.half_floats import Halves, as_halves

TABLE = "segments"
LAYOUT = 1
"""Of the files; another one begins anew."""

COPIED_ROWS = 8192
"""Rows that are copied at a time."""

DTYPES = {"halves": np.float16, "lengths": np.float32, "times": np.float64, "means": np.float32}
"""The files of rows, by what they hold; each is named after the generation, too."""

WIDE = ("halves", "means")
"""Those with a number for each dimension."""


@dataclass(frozen=True)
class Segment:
    """The rows of one input: `count` from `start` on; none, if it has nothing in this modality."""

    fingerprint: str
    start: int
    count: int
    mean: int  # its place in the file of means


@dataclass(frozen=True)
class Table:
    """Which rows there are.

    Parameters
    ----------
    generation : int
        Which files: another one, when they are written anew.
    made_with : MadeWith or None
        What all embeddings were computed with; None without any.
    base : np.ndarray
        What was taken off all embeddings before they were rounded, ``(D,)``: near to their mean, so that the
        rounding is small against what is left.
    rows, means : int
        How many there are in the files, with those that count no more.
    segments : dict of str to Segment
        By the inputs' paths.
    """

    generation: int = 0
    made_with: MadeWith | None = None
    base: Vectors = field(default_factory=lambda: np.empty(0, np.float32))
    rows: int = 0
    means: int = 0
    segments: dict[str, Segment] = field(default_factory=dict)


@dataclass(frozen=True)
class Mapped:
    """The rows of all segments, mapped from the files; none of it is held."""

    halves: Halves  # (N, D), directions from the base: see `half_floats.as_halves`
    lengths: Vectors  # (N,), distances from the base
    times: Times  # (N,), in seconds
    means: Vectors  # (segments, D)


def read_table(folder: Path) -> Table:
    """Return the table of an index; an empty one if there is none, or one of another layout or damaged."""
    try:
        with np.load(folder / TABLE, allow_pickle=False) as arrays:
            if int(arrays["layout"]) != LAYOUT:
                return Table()
            names = [bytes(arrays[name]).decode().split("\0") for name in ("paths", "fingerprints")]
            made_with = MadeWith(str(arrays["variant"]), str(arrays["weights"]))
            numbers = arrays["numbers"].tolist()
            rows = zip(*names, numbers, strict=True) if numbers else ()
            segments = {path: Segment(fingerprint, *places) for path, fingerprint, places in rows}
            generation, count, means = (int(arrays[name]) for name in ("generation", "rows", "means"))
            table = Table(generation, made_with, arrays["base"], count, means, segments)
    except Exception:  # noqa: BLE001 (whatever is wrong with it, it is built anew)
        return Table()
    return table if _is_whole(folder, table) else Table(generation=table.generation + 1)


def write_table(folder: Path, table: Table) -> None:
    """Write the table of an index: from now on its rows count."""
    made_with = table.made_with or MadeWith("", "")
    segments = table.segments.values()
    arrays: dict[str, Any] = {
        "layout": LAYOUT,
        "generation": table.generation,
        "rows": table.rows,
        "means": table.means,
        "variant": made_with.variant,
        "weights": made_with.weights,
        "base": table.base,
        "paths": _joined(table.segments),
        "fingerprints": _joined(segment.fingerprint for segment in segments),
        "numbers": np.array([(each.start, each.count, each.mean) for each in segments], np.int64),
    }
    with replacing(folder / TABLE) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **arrays)


def _joined(texts: Iterable[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer("\0".join(texts).encode("utf-8", "surrogateescape"), np.uint8)


def map_rows(folder: Path, table: Table) -> Mapped:
    """Map the rows of an index, of which there must be some."""
    arrays: dict[str, Any] = {}
    for name, dtype in DTYPES.items():
        rows = table.means if name == "means" else table.rows
        shape = (rows, len(table.base)) if name in WIDE else (rows,)
        arrays[name] = np.memmap(_path(folder, name, table.generation), dtype, "r", shape=shape)
    return Mapped(**arrays)


def remove_other_generations(folder: Path, table: Table) -> None:
    """Remove the files that a table knows nothing of."""
    own = {_path(folder, name, table.generation) for name in DTYPES}
    for path in folder.glob("*.rows"):
        if path not in own:
            path.unlink(missing_ok=True)


def _path(folder: Path, name: str, generation: int) -> Path:
    return folder / f"{name}-{generation}.rows"


def _is_whole(folder: Path, table: Table) -> bool:
    """Tell whether the files have all the rows that a table says."""
    for name, dtype in DTYPES.items():
        rows = table.means if name == "means" else table.rows
        width = len(table.base) if name in WIDE else 1
        path = _path(folder, name, table.generation)
        if rows and (not path.is_file() or path.stat().st_size < rows * width * np.dtype(dtype).itemsize):
            return False
    return True


class RowWriter:
    """Appends rows to the files of a table; `table` knows those of the inputs that are done."""

    def __init__(self, folder: Path, table: Table) -> None:
        self._stack = ExitStack()
        self._folder, self.table = folder, table
        self._files: dict[str, IO[bytes]] = {}
        self._total: npt.NDArray[np.float64] = np.zeros(len(table.base))
        self._rows = table.rows
        for name in DTYPES:
            path = _path(folder, name, table.generation)
            self._files[name] = self._stack.enter_context(path.open("r+b" if path.exists() else "w+b"))
        self.forget()

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def pending(self) -> int:
        """How many rows of the input under way there are."""
        return self._rows - self.table.rows

    def forget(self) -> None:
        """Take back the rows of the input under way."""
        self._rows, self._total = self.table.rows, np.zeros(len(self.table.base))
        for name, dtype in DTYPES.items():
            rows = self.table.means if name == "means" else self.table.rows
            width = len(self.table.base) if name in WIDE else 1
            self._files[name].seek(rows * width * np.dtype(dtype).itemsize)
            self._files[name].truncate()

    def begin(self, made_with: MadeWith, base: Vectors) -> None:
        """Say what the embeddings are of, and what is taken off them: before the first."""
        self.table = replace(self.table, made_with=made_with, base=base)
        self._total = np.zeros(len(base))

    def append(self, embeddings: Vectors, times_s: Times) -> None:
        """Append rows of the input under way, ``(n, D)`` and ``(n,)``."""
        centred = embeddings - self.table.base
        lengths = np.linalg.norm(centred, axis=1).astype(np.float32)
        units = np.divide(
            centred, lengths[:, np.newaxis], out=np.zeros_like(centred), where=lengths[:, np.newaxis] > 0
        )
        self._write(halves=as_halves(units), lengths=lengths, times=times_s.astype(np.float64))
        self._total += embeddings.sum(axis=0, dtype=np.float64)
        self._rows += len(embeddings)

    def copy(self, path: str, segment: Segment, other: Mapped) -> None:
        """Append the rows of an input that other files hold, as they are."""
        for start in range(segment.start, segment.start + segment.count, COPIED_ROWS):
            rows = slice(start, min(start + COPIED_ROWS, segment.start + segment.count))
            self._write(halves=other.halves[rows], lengths=other.lengths[rows], times=other.times[rows])
        self._rows += segment.count
        self._end(path, segment.fingerprint, other.means[segment.mean])

    def end(self, path: str, fingerprint: str) -> None:
        """Put the input under way into the table; without rows it has nothing in this modality."""
        if self.pending:
            self._end(path, fingerprint, (self._total / self.pending).astype(np.float32))
        else:
            self._note(path, Segment(fingerprint, self.table.rows, 0, -1))

    def commit(self) -> None:
        """Let all inputs count that are done."""
        for file in self._files.values():
            file.flush()
        write_table(self._folder, self.table)

    def _end(self, path: str, fingerprint: str, mean: Vectors) -> None:
        self._write(means=mean)
        segment = Segment(fingerprint, self.table.rows, self.pending, self.table.means)
        self.table = replace(self.table, rows=self._rows, means=self.table.means + 1)
        self._total = np.zeros(len(self.table.base))
        self._note(path, segment)

    def _note(self, path: str, segment: Segment) -> None:
        self.table.segments[path] = segment

    def _write(self, **arrays: npt.NDArray[Any]) -> None:
        for name, array in arrays.items():
            self._files[name].write(np.ascontiguousarray(array).tobytes())

"""Files of one part of a packed dataset, with their one writer and their one reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.disk.atomic import replacing
from l3embed.disk.folders import FolderError
from l3embed.disk.npy_rows import NpyRows
from l3embed.disk.rows import RowSpool
from l3embed.errors import OpenL3Error, source_faults
from l3embed.export.formats import RowLayout
from l3embed.export.manifest import ManifestRow
from l3embed.export.parquet import regrouped, row_batch, row_schema, rows_a_group, writer_options
from l3embed.stages.results import Result
from l3embed.store.entries import Entry
from l3embed.variants import DoubtKind, Media, Modality

ROWS_FILE = "rows.parquet"
RESULTS_FILE = "results.parquet"
MEANS_FILE = "means.npy"
"""Files of a stored result of `Step.PACK`: the embeddings, what became of each input, and the mean of each
input that has embeddings, ``(inputs, D)`` in float32."""

RESULT_ROWS = 256
"""Results in a row group: many parts are read side by side."""

RESULTS_AT_ONCE = 32
"""Results of a part that are held as such."""

STORED_ELSEWHERE = ("preprocessed", "embedded")
"""Columns of results that say where single inputs lie in the store, which packed ones do not."""

Block = tuple[npt.NDArray[np.int64], npt.NDArray[Any], npt.NDArray[Any]]
"""Some of an input's rows: numbers from 0 on, seconds (NaN: none), and embeddings, ``(n, D)``."""


@dataclass(frozen=True)
class PackedResult:
    """What became of one input, with all that a packed dataset knows of it.

    Parameters
    ----------
    result : Result
        As `stages.results` has it. One without fault and frames is a video that lacks sound or pictures.
    part : int
        Which part it is in.
    first_row : int
        Its first row in that part.
    row_key : str
        By which its rows are found again, in whatever part; empty if there are none.
    seconds : float or None
        What it took.
    """

    result: Result
    part: int = 0
    first_row: int = 0
    row_key: str = ""
    seconds: float | None = None

    @property
    def has_embeddings(self) -> bool:
        """Whether there are any."""
        return self.result.is_ok and self.result.frames > 0


def results_schema() -> Any:
    """Return the columns of results as Parquet has them."""
    import pyarrow as pa

    kinds = {"duration_s": pa.float64(), "sample_rate_hz": pa.float64(), "channels": pa.int32()}
    kinds |= {"frames": pa.int64(), "dimension": pa.int32(), "start_s": pa.float64(), "end_s": pa.float64()}
    names = [each.name for each in fields(Result) if each.name not in STORED_ELSEWHERE]
    own = [("part", pa.int32()), ("first_row", pa.int64())]
    own += [("row_key", pa.string()), ("seconds", pa.float64())]
    return pa.schema([(name, kinds.get(name, pa.string())) for name in names] + own)


def results_table(results: Sequence[PackedResult]) -> Any:
    """Return results as a table of Arrow's."""
    import pyarrow as pa

    rows = [_as_row(each) for each in results]
    return pa.Table.from_pylist(rows, schema=results_schema())


def read_results(path: Path, doubted: DoubtKind | None = None) -> Iterator[PackedResult]:
    """Read results one after the other; only a row group is held.

    Parameters
    ----------
    path : Path
        The table.
    doubted : DoubtKind, optional
        Only those about which there may be such a doubt.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            if doubted is None:
                for batch in file.read_row_group(group).to_batches(max_chunksize=RESULTS_AT_ONCE):
                    yield from map(_from_row, batch.to_pylist())
                continue
            warnings = file.read_row_group(group, columns=["warnings"])["warnings"]
            is_doubted = pc.match_substring(warnings, doubted.value)
            if pc.any(is_doubted).as_py():
                yield from map(_from_row, file.read_row_group(group).filter(is_doubted).to_pylist())


def _as_row(each: PackedResult) -> dict[str, Any]:
    row = {name: value for name, value in vars(each.result).items() if name not in STORED_ELSEWHERE}
    row |= {"modality": each.result.modality.value, "media": each.result.media.value}
    own = {name: getattr(each, name) for name in ("part", "first_row", "row_key", "seconds")}
    return row | own


def _from_row(row: dict[str, Any]) -> PackedResult:
    own = {name: row.pop(name) for name in ("part", "first_row", "row_key", "seconds")}
    row |= {"modality": Modality(row["modality"]), "media": Media(row["media"])}
    return PackedResult(Result(**row), **own)


class PartWriter(AbstractContextManager["PartWriter"]):
    """Writes the files of one part; they are there as a whole when the context ends well, or not at all.

    It is the one writer of such files, whichever engine computes what they hold.

    Parameters
    ----------
    paths : mapping of str to Path
        Where each of them is to lie.
    made_with : ManifestRow
        What all rows are computed with: variant, weights, dimension, packages.
    layout : RowLayout
        The type of the embeddings.
    """

    def __init__(self, paths: Mapping[str, Path], made_with: ManifestRow, layout: RowLayout) -> None:
        self._paths, self._made_with, self._layout = paths, made_with, layout
        self._schema = row_schema(made_with, layout)
        self._held: list[Any] = []
        self._held_rows = 0
        self._opened = ExitStack()
        self.results: list[PackedResult] = []
        self.rows = 0

    def __enter__(self) -> PartWriter:
        import pyarrow.parquet as pq

        with ExitStack() as opening:
            temporary = opening.enter_context(replacing(self._paths[ROWS_FILE]))
            writer = pq.ParquetWriter(temporary, self._schema, **writer_options(self._layout))
            self._writer = opening.enter_context(writer)
            self._means = opening.enter_context(RowSpool(self._paths[MEANS_FILE].parent))
            self._opened = opening.pop_all()
        return self

    def add(self, result: PackedResult, blocks: Iterator[Block], mean: npt.NDArray[np.float32]) -> None:
        """Take in an input that has embeddings: its rows in blocks, and their mean, ``(D,)``."""
        row = replace(
            self._made_with,
            path=result.result.path,
            label=result.result.label,
            fold=result.result.fold,
            sha256=result.result.sha256,
        )
        first_row = self.rows
        for block in blocks:
            self._append(row_batch(row, block, self._schema, self._layout))
        self._means.append(mean[np.newaxis])
        self.results.append(replace(result, first_row=first_row))

    def add_without_rows(self, result: PackedResult) -> None:
        """Take in an input that has none: one that failed, or a video that lacks what the network is for."""
        self.results.append(replace(result, first_row=self.rows))

    def _append(self, batch: Any) -> None:
        self._held.append(batch)
        self._held_rows += batch.num_rows
        self.rows += batch.num_rows
        if self._held_rows >= rows_a_group(self._schema):
            self._write(is_end=False)

    def _write(self, *, is_end: bool) -> None:
        size = rows_a_group(self._schema)
        held, self._held, self._held_rows = self._held, [], 0
        for group in regrouped(iter(held), size):
            if group.num_rows == size or is_end:
                self._writer.write_table(group, row_group_size=size)
            else:  # the rest waits for more
                self._held, self._held_rows = group.to_batches(), group.num_rows

    def __exit__(self, *fault: Any) -> None:
        import pyarrow.parquet as pq

        if fault[0] is not None:
            self._opened.__exit__(*fault)
            return
        with self._opened:
            self._write(is_end=True)
            self._means.save_npy(self._paths[MEANS_FILE])
            with replacing(self._paths[RESULTS_FILE]) as temporary:
                # Of so many files that are read side by side, statistics would be most of the memory.
                table, options = results_table(self.results), {"write_statistics": False}
                pq.write_table(table, temporary, row_group_size=RESULT_ROWS, **options)


class OldPart:
    """A part that was written before, from which rows are taken into another one."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._file: Any = None
        self._means: NpyRows | None = None
        self._group: tuple[int, Any] = (-1, None)
        self.results: dict[str, tuple[PackedResult, int]] = {}
        place = 0
        with _whole(entry.files[RESULTS_FILE]):
            for each in read_results(entry.files[RESULTS_FILE]):
                if each.result.is_ok:
                    self.results[each.row_key] = (each, place)
                place += each.has_embeddings

    def mean(self, row_key: str) -> npt.NDArray[np.float32]:
        """Return the mean embedding of an input, ``(D,)``."""
        path = self._entry.files[MEANS_FILE]
        with _whole(path):
            self._means = self._means or NpyRows(path)
            place = self.results[row_key][1]
            mean: npt.NDArray[np.float32] = self._means[place : place + 1][0]
            return mean

    def blocks(self, row_key: str) -> Iterator[Block]:
        """Yield the rows of an input. It is quickest to ask for inputs in the order of the part."""
        each, _ = self.results[row_key]
        done = 0
        while done < each.result.frames:
            with _whole(self._entry.files[ROWS_FILE]):
                table, start = self._rows_at(each.first_row + done)
            some = table.slice(start, each.result.frames - done)
            embeddings = some.column("embedding").combine_chunks()
            numbers = embeddings.flatten().to_numpy().reshape(len(some), -1)
            times_s = some.column("timestamp_s").to_numpy()
            yield np.arange(done, done + len(some)), times_s, numbers
            done += len(some)

    def _rows_at(self, row: int) -> tuple[Any, int]:
        """Return the row group that a row is in, and its place there."""
        import pyarrow.parquet as pq

        if self._file is None:
            path = self._entry.files[ROWS_FILE]
            self._file = pq.ParquetFile(path, page_checksum_verification=True)
        start = 0
        for number in range(self._file.num_row_groups):
            count = self._file.metadata.row_group(number).num_rows
            if row < start + count:
                if self._group[0] != number:
                    columns = ["timestamp_s", "embedding"]
                    self._group = (number, self._file.read_row_group(number, columns=columns))
                return self._group[1], row - start
            start += count
        raise OpenL3Error(f"It has fewer rows than {row + 1}.")

    def close(self) -> None:
        """Let go of its file."""
        if self._file is not None:
            self._file.close()


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Name a file of the store that is not as it was written: no fault of the input that is to be written."""
    try:
        with source_faults():
            yield
    except OpenL3Error as error:
        raise FolderError(
            f"{path} is not as it was written: {error} Remove it, and its rows are computed again."
        ) from error

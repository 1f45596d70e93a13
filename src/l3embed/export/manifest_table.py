"""The manifest of a packed export as columns: written as rows come, and read without them all being made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, overload

import numpy as np

from l3embed.disk.atomic import replacing
from l3embed.disk.tables import OK, column_names
from l3embed.export.manifest_row import ManifestRow
from l3embed.variants import Modality

WHOLE = -1.0
"""In place of the seconds of what is no section."""

ROWS_AT_ONCE = 4096
"""Rows that are held as such, in writing and in reading."""

FLOATS = ("duration_s", "sample_rate_hz", "seconds", "start_s", "end_s")
DIFFERENT_IN_EACH = ("path", "sha256", "location")
"""Texts that hardly two rows share; all others are held once each."""


def manifest_schema() -> Any:
    """Return the columns of a manifest as Parquet has them."""
    import pyarrow as pa

    numbers = {"frames": pa.int64(), "dimension": pa.int32(), "channels": pa.int32()}
    numbers |= dict.fromkeys(FLOATS, pa.float64())
    return pa.schema([(name, numbers.get(name, pa.string())) for name in column_names(ManifestRow)])


def write_table(path: Path, rows: Iterable[ManifestRow]) -> None:
    """Write a manifest as Parquet; some thousands of rows are held at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = manifest_schema()
    waiting = iter(rows)
    with replacing(path) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        while some := [vars(row) for row in islice(waiting, ROWS_AT_ONCE)]:
            writer.write_table(pa.Table.from_pylist(some, schema=schema))


def read_table(path: Path, columns: Sequence[str] | None = None) -> ManifestTable:
    """Read a manifest that `write_table` has written: some columns, or all."""
    import pyarrow.parquet as pq

    texts = [each.name for each in manifest_schema() if str(each.type) == "string"]
    shared = [name for name in texts if name not in DIFFERENT_IN_EACH]
    return ManifestTable(pq.read_table(path, columns=columns and list(columns), read_dictionary=shared))


def iterate_table(path: Path) -> Iterator[ManifestRow]:
    """Read the rows of such a manifest one by one; some thousands are held at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
            yield from ManifestTable(pa.Table.from_batches([batch]))


class ManifestTable(Sequence[ManifestRow]):
    """The rows of a manifest as columns: a tenth of what as many `ManifestRow` take.

    Parameters
    ----------
    table : pyarrow.Table
        With the columns of `manifest_schema`.
    """

    def __init__(self, table: Any) -> None:
        self._table = table

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __iter__(self) -> Iterator[ManifestRow]:
        for batch in self._table.to_batches(max_chunksize=ROWS_AT_ONCE):
            columns = [_values(column) for column in batch.columns]
            for row in zip(*columns, strict=True):
                yield ManifestRow(**dict(zip(batch.schema.names, row, strict=True)))

    @overload
    def __getitem__(self, place: int) -> ManifestRow: ...

    @overload
    def __getitem__(self, place: slice) -> ManifestTable: ...

    def __getitem__(self, place: int | slice) -> ManifestRow | ManifestTable:
        if isinstance(place, slice):
            return ManifestTable(self._table.take(np.arange(len(self))[place]))
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        (row,) = self._table.slice(int(place) % len(self), 1).to_pylist()
        return ManifestRow(**row)

    def embedded_in(self, modality: Modality) -> ManifestTable:
        """Return the inputs that have embeddings in one modality."""
        import pyarrow.compute as pc

        is_own = pc.equal(self._table["modality"].cast("string"), modality.value)
        return self._where(pc.and_(is_own, self._is_ok()))

    def embedded(self) -> ManifestTable:
        """Return the inputs that have embeddings in any modality."""
        return self._where(self._is_ok())

    def copies(self) -> Iterator[ManifestTable]:
        """Yield the sets of two or more files that have the same bytes, and are the same section of them.

        They come in the manifest's order; a video, which has two rows, is one file, at the first of them.
        Of each file there is what is said of it, its path, modality and label, and not the bytes' checksum.
        """
        import pyarrow.compute as pc

        digests = self._table["sha256"].combine_chunks().dictionary_encode().indices.to_numpy()
        starts_s, ends_s = (
            self._table[name].to_numpy(zero_copy_only=False).astype(np.float64)
            for name in ("start_s", "end_s")
        )
        starts_s = np.where(np.isnan(starts_s), np.where(np.isnan(ends_s), WHOLE, 0.0), starts_s)
        ends_s = np.where(np.isnan(ends_s), WHOLE, ends_s)
        paths = self._table["path"].combine_chunks()
        is_second = np.zeros(len(self), np.bool_)
        if len(self) > 1:
            is_second[1:] = pc.equal(paths[1:], paths[:-1]).to_numpy(zero_copy_only=False)
        places = np.flatnonzero(~is_second)
        order = places[np.lexsort((places, ends_s[places], starts_s[places], digests[places]))]
        keys = np.stack([digests[order].astype(np.float64), starts_s[order], ends_s[order]])
        sets = np.split(order, np.flatnonzero((keys[:, 1:] != keys[:, :-1]).any(axis=0)) + 1)
        for places in sorted((each for each in sets if len(each) > 1), key=lambda each: int(each[0])):
            yield ManifestTable(self._table.select(["path", "modality", "label"]).take(places))

    def chosen(self, places: Any) -> ManifestTable:
        """Return some of the rows, by their places."""
        return ManifestTable(self._table.take(places))

    def paths(self) -> Iterator[str]:
        """Yield the paths alone."""
        for batch in self._table.select(["path"]).to_batches(max_chunksize=ROWS_AT_ONCE):
            yield from batch.column(0).to_pylist()

    def _where(self, mask: Any) -> ManifestTable:
        """Return the rows that a mask tells; without a copy, if it tells all."""
        import pyarrow.compute as pc

        return self if pc.all(mask).as_py() else ManifestTable(self._table.filter(mask))

    def _is_ok(self) -> Any:
        import pyarrow.compute as pc

        return pc.equal(self._table["status"].cast("string"), OK)


def _values(column: Any) -> list[Any]:
    """Return a column's values; texts that rows share are one object."""
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        values: list[Any] = column.to_pylist()
        return values
    shared = column.dictionary.to_pylist()
    return [None if place is None else shared[place] for place in column.indices.to_pylist()]

"""The table of a listing, Parquet or CSV: read, checked and written by columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l3embed.errors import OpenL3Error, source_faults

PARQUET_SUFFIX = ".parquet"
CSV_SUFFIX = ".csv"
LISTING_SUFFIXES = (PARQUET_SUFFIX, CSV_SUFFIX)

PATH = "path"
TEXTS = (PATH, "label", "fold", "sha256", "version")
SECONDS = ("start_s", "end_s")
COUNTS = ("bytes", "offset")
COLUMNS = (*TEXTS, *SECONDS, *COUNTS)
"""What a listing may have; the first it must have."""

OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs"}
FIRST_CSV_ROW = 2
"""The header is row 1, as spreadsheets count."""


@dataclass(frozen=True)
class ListingTable:
    """A listing as it was read.

    Parameters
    ----------
    path : Path
        Its file.
    table : pyarrow.Table
        All of `COLUMNS`, in one piece each; what is missing is null. Paths are not.
    unused : tuple of str
        Other columns that the file has.
    """

    path: Path
    table: Any
    unused: tuple[str, ...] = ()

    def row_name(self, index: int) -> str:
        """Return how a row is called in an error."""
        return f"Row {index + (FIRST_CSV_ROW if self.path.suffix == CSV_SUFFIX else 1):,}"

    @property
    def has_labels(self) -> bool:
        """Whether any row has one."""
        column = self.table.column("label")
        return bool(column.null_count < len(column))


def is_listing(path: Path) -> bool:
    """Tell whether a dataset's path is one of a table, and not of a folder."""
    return path.suffix.lower() in LISTING_SUFFIXES and not path.is_dir()


def read_listing(path: Path) -> ListingTable:
    """Read a listing.

    Raises
    ------
    OpenL3Error
        If it is not there, cannot be read, has no column ``path``, no rows, or a row without a path.
    """
    if not path.is_file():
        raise OpenL3Error(f"There is no listing {path}. Make one: l3embed list FOLDER -o {path}.")
    with source_faults(f"The listing {path} could not be read", _arrow_errors()):
        raw = _read_parquet(path) if path.suffix.lower() == PARQUET_SUFFIX else _read_csv(path)
    unused = tuple(name for name in raw.names if name not in COLUMNS)
    read = ListingTable(path, None, unused)
    columns = [_column(read, raw.table, name) for name in COLUMNS]
    import pyarrow as pa

    table = pa.table(columns, names=list(COLUMNS)).combine_chunks()
    if not table.num_rows:
        raise OpenL3Error(f"The listing {path} has no rows. Add one for each input, or make it anew.")
    found = ListingTable(path, table, unused)
    _check_paths(found)
    return found


def _arrow_errors() -> tuple[type[BaseException], ...]:
    """Return what Arrow raises of values that are not of a type, or that it cannot turn into it."""
    import pyarrow as pa

    return (pa.ArrowInvalid, pa.ArrowNotImplementedError)


@dataclass(frozen=True)
class _Raw:
    names: Sequence[str]
    table: Any


def _read_parquet(path: Path) -> _Raw:
    import pyarrow.parquet as pq

    names = pq.read_schema(path).names
    _check_names(path, names)
    table = pq.read_table(path, columns=[name for name in COLUMNS if name in names], partitioning=None)
    return _Raw(names, table)


def _read_csv(path: Path) -> _Raw:
    from pyarrow import csv, string

    parsing = csv.ParseOptions(newlines_in_values=True)
    if not path.stat().st_size:
        raise OpenL3Error(f"The listing {path} is empty. Its first row must name its columns.")
    with csv.open_csv(path, parse_options=parsing) as reader:
        names = reader.schema.names
    _check_names(path, names)
    used = [name for name in COLUMNS if name in names]
    converting = csv.ConvertOptions(
        column_types=dict.fromkeys(used, string()), include_columns=used, quoted_strings_can_be_null=True,
        strings_can_be_null=True, null_values=[""],
    )  # fmt: skip
    return _Raw(names, csv.read_csv(path, parse_options=parsing, convert_options=converting))


def _check_names(path: Path, names: Sequence[str]) -> None:
    twice = {name for name in names if names.count(name) > 1} & set(COLUMNS)
    if twice:
        raise OpenL3Error(f"The listing {path} has the column {sorted(twice)[0]} twice. Remove one.")
    if PATH in names:
        return
    hint = ""
    for separator, word in OTHER_SEPARATORS.items():
        if len(names) == 1 and separator in names[0]:
            hint = f" Separate columns with commas, not {word}."
    found = ", ".join(map(repr, names)) or "none"
    others = ", ".join(COLUMNS[1:])
    raise OpenL3Error(
        f"The listing {path} must have the column {PATH}, and may have {others}; it has: {found}.{hint}"
    )


def _column(read: ListingTable, table: Any, name: str) -> Any:
    """Return a column in the type that it is used in, in one piece."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = pa.large_string() if name in TEXTS else pa.float64() if name in SECONDS else pa.int64()
    if name not in table.column_names:
        return pa.nulls(table.num_rows, kind)
    column = table.column(name).combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.nulls(0, kind)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        cast = column.cast(kind)
    except _arrow_errors() as error:
        raise _bad_cell(read, column, name, kind) from error
    if name in SECONDS:  # pandas has such where nothing is known
        cast = pc.if_else(pc.is_nan(cast), pa.scalar(None, kind), cast)
    if name in TEXTS:
        cast = pc.if_else(pc.equal(cast, ""), pa.scalar(None, kind), cast)
    if name == "sha256":
        cast = pc.utf8_lower(pc.utf8_trim_whitespace(cast))
    return cast


def _bad_cell(read: ListingTable, column: Any, name: str, kind: Any) -> OpenL3Error:

    wanted = "text" if name in TEXTS else "a number of seconds" if name in SECONDS else "a whole number"
    for index in range(len(column)):
        try:
            column.slice(index, 1).cast(kind)
        except _arrow_errors():
            got = f"{read.row_name(index)} has {column[index].as_py()!r}"
            break
    else:
        got = f"it is of the type {column.type}"
    return OpenL3Error(f"The column {name} of {read.path} must hold {wanted}; {got}.")


def _check_paths(listing: ListingTable) -> None:
    import pyarrow.compute as pc

    column = listing.table.column(PATH)
    if column.null_count:
        index = pc.index(pc.is_null(column), value=True).as_py()
        raise OpenL3Error(
            f"{listing.row_name(index)} of {listing.path} has no path. Fill it in, or remove the row."
        )


def write_listing(path: Path, columns: dict[str, Iterable[Any]]) -> None:
    """Write a listing, which is there as a whole or not at all; columns without any value are left out."""
    import pyarrow as pa
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq

    from l3embed.disk.atomic import replacing

    kinds = {name: pa.string() for name in TEXTS} | {name: pa.float64() for name in SECONDS}
    table = pa.table(
        {name: pa.array(values, kinds.get(name, pa.int64())) for name, values in columns.items()}
    )
    kept = [name for name in table.column_names if table.column(name).null_count < table.num_rows]
    table = table.select(kept or [PATH])
    with replacing(path) as temporary:
        if path.suffix.lower() == PARQUET_SUFFIX:
            pq.write_table(table, temporary)
        else:
            pa_csv.write_csv(table, temporary)

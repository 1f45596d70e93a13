"""The inputs that a listing names: made one by one as they are asked for, from columns."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

from l3embed.errors import OpenL3Error
from l3embed.listings.listing_table import PATH, ListingTable
from l3embed.listings.location import name_of
from l3embed.stages.dataset_input import Input
from l3embed.variants import Media

PLAIN = re.compile(r"[^/.:\\][^/:\\]*(?:/[^/.:\\][^/:\\]*)*")
"""A path that is its own name: relative, without steps that begin with a dot, or signs of a URI."""

NAME, MEDIA = "name", "media"
BATCH = 4096
"""Rows that are made into objects at a time."""

KINDS = tuple(Media)
DESCRIBED = ("label", "fold", "sha256", "version", "bytes", "offset")


@dataclass(frozen=True)
class Listed:
    """What a listing names.

    Parameters
    ----------
    inputs : sequence of Input
        The files and sections to embed, sorted by name.
    left_out : int
        Rows of other kinds, or not selected.
    repeated : int
        Rows that say what another has said.
    """

    inputs: Sequence[Input]
    left_out: int
    repeated: int


class ListedInputs(Sequence[Input]):
    """Inputs that are held as columns.

    Parameters
    ----------
    table : pyarrow.Table
        Of a listing, with the columns ``name`` and ``media``, a number from `KINDS`.
    """

    def __init__(self, table: Any) -> None:
        self._table = table

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __iter__(self) -> Iterator[Input]:
        for start in range(0, len(self), BATCH):
            columns = self._table.slice(start, BATCH).to_pydict()
            for row in zip(*columns.values(), strict=True):
                yield _input(dict(zip(columns, row, strict=True)))

    @overload
    def __getitem__(self, place: int) -> Input: ...
    @overload
    def __getitem__(self, place: slice) -> ListedInputs: ...
    def __getitem__(self, place: int | slice) -> Input | ListedInputs:
        if isinstance(place, slice):
            return ListedInputs(self._table.take(list(range(len(self))[place])))
        (row,) = self._table.slice(range(len(self))[place], 1).to_pylist()
        return _input(row)

    @property
    def kinds(self) -> dict[Media, int]:
        """How many there are of each kind."""
        counted = self._table.column(MEDIA).value_counts().to_pylist()
        return {KINDS[pair["values"]]: pair["counts"] for pair in counted}


def _input(row: dict[str, Any]) -> Input:
    return Input(
        row[NAME],
        KINDS[row[MEDIA]],
        row[PATH],
        row["label"],
        row["start_s"],
        row["end_s"],
        row["sha256"],
        row["fold"],
        row["bytes"],
        row["version"],
        row["offset"],
    )


def listed_inputs(listing: ListingTable, media_of: Callable[[str], Media | None]) -> Listed:
    """Return the inputs of a listing that are selected.

    Parameters
    ----------
    listing : ListingTable
        The listing.
    media_of : callable
        Returns the kind of a file of a name, or None if it does not count.

    Raises
    ------
    OpenL3Error
        If rows contradict one another, or different files would have one name in outputs.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    names, kinds = _names_and_kinds(listing, media_of)
    chosen = np.flatnonzero(np.asarray(kinds, np.int8) >= 0)
    table = listing.table.append_column(NAME, pa.array(names, pa.large_string()))
    table = table.append_column(MEDIA, pa.array(kinds, pa.int8())).append_column(
        "row", pa.array(np.arange(len(kinds)))
    )
    del names, kinds
    table = table.take(pa.array(chosen))
    order = pc.sort_indices(table, sort_keys=[(NAME, "ascending"), ("row", "ascending")])
    table = table.take(order).combine_chunks()
    kept = _without_repeats(listing, table)
    repeated = table.num_rows - kept.num_rows
    return Listed(ListedInputs(kept.drop_columns(["row"])), listing.table.num_rows - len(chosen), repeated)


def _names_and_kinds(
    listing: ListingTable, media_of: Callable[[str], Media | None]
) -> tuple[list[str], list[int]]:
    """Return the name of each row, and the number of its kind, -1 if it does not count."""
    names: list[str] = []
    kinds: list[int] = []
    for start in range(0, listing.table.num_rows, BATCH):
        part = listing.table.select([PATH, "start_s", "end_s"]).slice(start, BATCH).to_pydict()
        for path, start_s, end_s in zip(*part.values(), strict=True):
            name = path if PLAIN.fullmatch(path) else name_of(path)
            media = media_of(name)
            names.append(name if start_s is None and end_s is None else _of_section(name, start_s, end_s))
            kinds.append(-1 if media is None else KINDS.index(media))
    return names, kinds


def _of_section(name: str, start_s: float | None, end_s: float | None) -> str:
    """Return the name of a section: its seconds stand before the ending, by which its kind is known."""
    stem, suffix = os.path.splitext(name)  # noqa: PTH122
    return f"{stem}@{_seconds(start_s or 0.0)}-{'' if end_s is None else _seconds(end_s)}{suffix}"


def _seconds(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _without_repeats(listing: ListingTable, table: Any) -> Any:
    """Return a sorted table without rows that repeat another."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    names = table.column(NAME).combine_chunks()
    if len(names) < len(("one", "another")):
        return table
    same = np.flatnonzero(np.asarray(pc.equal(names[1:], names[:-1]).to_numpy(zero_copy_only=False)))
    for place in same.tolist():
        _check_repeat(listing, *table.slice(place, 2).to_pylist())
    kept = np.ones(len(names), bool)
    kept[same + 1] = False
    return table.filter(pa.array(kept)) if len(same) else table


def _check_repeat(listing: ListingTable, first: dict[str, Any], second: dict[str, Any]) -> None:
    rows = f"{listing.row_name(first['row'])} and {listing.row_name(second['row']).lower()} of {listing.path}"
    if first[PATH] != second[PATH]:
        raise OpenL3Error(
            f"{rows} would have one name in outputs, {first[NAME]!r}: they are {first[PATH]!r} and "
            f"{second[PATH]!r}. Rename one, or put both into listings of their own."
        )
    for name in ("start_s", "end_s", *DESCRIBED):
        if first[name] != second[name]:
            raise OpenL3Error(
                f"{rows} disagree on {first[PATH]!r}: {name} is {first[name]!r}, and {second[name]!r}. "
                "Keep one of them."
            )

"""Make a listing of a folder or a URI, or make it anew: what has not changed is not read again."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from l3embed.errors import OpenL3Error
from l3embed.listings.fetching import Opening, Wanted, opening_ahead
from l3embed.listings.found_files import IsWanted, Leftovers, Row, Source, rows_of, sources
from l3embed.listings.listing_table import (
    COLUMNS,
    LISTING_SUFFIXES,
    PATH,
    ListingTable,
    read_listing,
    write_listing,
)
from l3embed.listings.location import address_in, parse_location, scheme_of

KEPT = ("label", "fold", "start_s", "end_s")
"""Columns that people add, and that stay with a path."""

Values = dict[str, Any]


@dataclass
class Made:
    """What became of a listing.

    Parameters
    ----------
    rows, bytes : int
        How many it has, and how large their files are, as far as that is known.
    new, changed, unchanged, gone : int
        Files against the listing before.
    left : Leftovers
        What was not listed.
    unkept : tuple of str
        Columns of the listing before that a listing has no use for, and that are gone.
    """

    rows: int = 0
    bytes: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    left: Leftovers = field(default_factory=Leftovers)
    unkept: tuple[str, ...] = ()


class _Before:
    """The listing as it was."""

    def __init__(self, listing: ListingTable | None) -> None:
        columns = listing.table.to_pydict() if listing else {}
        self._columns: dict[str, list[Any]] = {name: columns.get(name, []) for name in COLUMNS}
        self.unused = listing.unused if listing else ()
        self._places: defaultdict[str, list[int]] = defaultdict(list)
        self._of_shard: defaultdict[str, list[str]] = defaultdict(list)
        for place, path in enumerate(self._columns[PATH]):
            if path not in self._places and address_in(path) != path:
                self._of_shard[address_in(path)].append(path)
            self._places[path].append(place)

    def __len__(self) -> int:
        return len(self._places)

    def rows(self, path: str) -> list[Values]:
        """Return all rows of a file: its sections have one each."""
        places = self._places.get(path, ())
        return [{name: column[place] for name, column in self._columns.items()} for place in places]

    def members(self, source: Source, path: str) -> list[Row] | None:
        """Return the rows of a shard that has not changed; None if it has to be read."""
        found = [(name, self.rows(name)[0]) for name in self._of_shard.get(path, ())]
        if not found or any(row["version"] != source.shard_version for _, row in found):
            return None
        return [Row(name, row["bytes"], row["version"], row["offset"]) for name, row in found]


def make_listing(root: str, listing: Path, is_wanted: IsWanted, *, checksums: bool = False) -> Made:
    """Write the listing of all files below a folder or a URI; members of shards are files, too.

    Labels, folds and sections that the listing had stay with their paths.

    Parameters
    ----------
    root : str
        A folder, a URI of one, or one file.
    listing : Path
        Where it goes; local paths in it count from its folder.
    is_wanted : callable
        Tells whether a file is to be listed, by its name.
    checksums : bool
        Whether to read the files for their checksums: those that are new or have changed.

    Raises
    ------
    OpenL3Error
        If there is nothing to list, or the listing that was there cannot be read.
    """
    if listing.suffix.lower() not in LISTING_SUFFIXES:
        raise OpenL3Error(f"A listing must end in one of {', '.join(LISTING_SUFFIXES)}; got {listing}.")
    before = _Before(read_listing(listing) if listing.is_file() else None)
    made = Made(unkept=before.unused)
    rows = sorted(_rows(root, listing, is_wanted, before, made.left), key=lambda row: row.path)
    if not rows:
        raise OpenL3Error(_nothing(root, made.left))
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for row in rows:
        _add(columns, row, before.rows(row.path), made)
    made.gone = len(before) - made.changed - made.unchanged
    made.rows, made.bytes = len(columns[PATH]), sum(row.bytes or 0 for row in rows)
    listing.parent.mkdir(parents=True, exist_ok=True)  # paths count from it
    if checksums:
        _fill_checksums(columns, listing, made.left)
    write_listing(listing, dict(columns))
    return made


def _nothing(root: str, left: Leftovers) -> str:
    faults = "".join(f" {name}: {reason}" for name, reason in left.faults[:3])
    return f"There is nothing to list at {root}: {left.others:,} files of other kinds.{faults}"


def _rows(root: str, listing: Path, is_wanted: IsWanted, before: _Before, left: Leftovers) -> Iterator[Row]:
    for source in sources(root, left):
        path = _listed_path(source.address, listing)
        unchanged = before.members(source, path) if source.is_shard else None
        yield from rows_of(source, path, is_wanted, left) if unchanged is None else unchanged


def _listed_path(address: str, listing: Path) -> str:
    """Return a path as the listing has it: from its own folder, where there is a way."""
    if scheme_of(address):
        return address
    try:
        return Path(os.path.relpath(address, listing.parent)).as_posix()
    except ValueError:  # on another drive of Windows
        return Path(address).absolute().as_posix()


def _add(columns: dict[str, list[Any]], row: Row, before: list[Values], made: Made) -> None:
    """Add the rows of a file: one, or one for each section that the listing had."""
    is_same = bool(before) and (before[0]["bytes"], before[0]["version"]) == (row.bytes, row.version or None)
    if not before:
        made.new += 1
    elif is_same:
        made.unchanged += 1
    else:
        made.changed += 1
    for old in before or [dict.fromkeys(COLUMNS)]:
        values = {name: old[name] for name in KEPT}
        values |= {PATH: row.path, "bytes": row.bytes, "version": row.version or None, "offset": row.offset}
        values["sha256"] = old["sha256"] if is_same else None
        for name, column in columns.items():
            column.append(values[name])


def _fill_checksums(columns: dict[str, list[Any]], listing: Path, left: Leftovers) -> None:
    """Read the files whose checksums are not known: several at a time, if they lie elsewhere."""
    places = [place for place, checksum in enumerate(columns["sha256"]) if not checksum]

    def wanted(place: int) -> Wanted:
        location = parse_location(columns[PATH][place], listing.parent)
        return Wanted(location, columns["bytes"][place], columns["offset"][place])

    for place, opening in opening_ahead(places, wanted):
        try:
            columns["sha256"][place] = _checksum(opening)
        except (OpenL3Error, OSError) as error:
            left.faults.append((columns[PATH][place], str(error)))


def _checksum(opening: Opening) -> str:
    from l3embed.disk.checksums import sha256

    with opening as path:
        return opening.sha256 or sha256(path)

"""Inputs as files that lie here: where they are, or fetched from where a listing says, ahead of their use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from l3embed.listings.fetching import AHEAD, Opening, Wanted, opening_ahead
from l3embed.listings.location import Location, parse_location
from l3embed.stages.dataset_input import Input

Item = TypeVar("Item")


def location_of(input_: Input, dataset: Path) -> Location:
    """Return where an input lies.

    Parameters
    ----------
    input_ : Input
        One of the dataset's.
    dataset : Path
        A folder, or the file of a listing: its paths count from its own folder.

    Raises
    ------
    OpenL3Error
        If its location is none.
    """
    if input_.location is None:
        return Location(str(dataset / input_.path))
    return parse_location(input_.location, dataset.parent)


def wanted_of(input_: Input, dataset: Path, sha256: str = "") -> Wanted:
    """Return what has to be here of an input.

    Parameters
    ----------
    input_, dataset : Input and Path
        As `location_of` takes them.
    sha256 : str
        The checksum that it must have, if it is known better than by the listing.

    Raises
    ------
    OpenL3Error
        If its location is none.
    """
    location = location_of(input_, dataset)
    if location.is_local_file:
        return Wanted(location)
    listed = input_.version if location.member and input_.offset is not None else None
    return Wanted(location, input_.bytes, input_.offset, sha256 or input_.sha256 or "", listed or "")


def opened(input_: Input, dataset: Path) -> Opening:
    """Return a context with the path of an input's file: it is there until the context is left.

    A local file is opened where it is. Any other is fetched into a temporary folder, under a name with the
    same ending; inputs that are sections of one file share it. Entering raises `OpenL3Error` if it cannot be
    had; what the readers of a local file would say is left to them.

    Raises
    ------
    OpenL3Error
        If its location is none.
    """
    return Opening(wanted_of(input_, dataset))


def opened_ahead(
    items: Iterable[Item], dataset: Path, input_of: Callable[[Item], Input], ahead: int = AHEAD
) -> Iterator[tuple[Item, Opening]]:
    """Yield items with their inputs' files, which are fetched while others are used, as far as there is room.

    Each has to be entered once, or closed, from whatever thread and in whatever order::

        for input_, file in opened_ahead(inputs, dataset, lambda input_: input_):
            with file as path:
                ...

    Parameters
    ----------
    items : iterable
        Inputs, or whatever has one. It is used by the caller's thread, `ahead` items before they are yielded.
    dataset : Path
        As `location_of` takes it.
    input_of : callable
        Returns the input of an item.
    ahead : int
        How many items are looked at ahead.
    """
    return opening_ahead(items, lambda item: wanted_of(input_of(item), dataset), ahead)

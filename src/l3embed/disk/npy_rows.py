"""Rows of an ``.npy`` file, read as they are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt


class NpyRows:
    """The rows of an array, ``(N, D)``, on the disk.

    All that is read of a mapped file counts as this process's memory, for as long as it is mapped; here only
    what was asked for does.

    Parameters
    ----------
    path : Path
        An ``.npy`` file, in C's order.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            self.shape, self.dtype = read_header(file)
            self._start = file.tell()

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, places: slice | npt.NDArray[np.intp]) -> npt.NDArray[Any]:
        """Return some rows, by a slice without steps or by their places."""
        with self._path.open("rb") as file:
            if isinstance(places, slice):
                start, stop, _ = places.indices(len(self))
                return self._read(file, start, max(0, stop - start))
            rows = [self._read(file, int(place), 1) for place in places]
        return np.concatenate(rows) if rows else np.empty((0, *self.shape[1:]), self.dtype)

    def _read(self, file: IO[bytes], first: int, count: int) -> npt.NDArray[Any]:
        width = int(np.prod(self.shape[1:]))
        file.seek(self._start + first * width * self.dtype.itemsize)
        return np.fromfile(file, self.dtype, count * width).reshape(count, *self.shape[1:])


def read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Go to the first number of an ``.npy`` file, and return the array's shape and type."""
    np.lib.format.read_magic(file)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    return tuple(shape), dtype

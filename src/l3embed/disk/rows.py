"""Embeddings to files: appended as they are computed, in place only when they are whole."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from l3embed.disk.atomic import replacing

MEMORY_BYTES = 32 * 2**20
"""Rows up to this size wait in memory, more on disk."""

COPY_BYTES = 2**20

BLOCK_ROWS = 256
"""Rows that are read at a time, unless told otherwise."""


class RowSpool(AbstractContextManager["RowSpool"]):
    """Rows of one shape and type, as many as come, that end up in an ``.npz`` or ``.npy`` file.

    Parameters
    ----------
    folder : Path
        Where rows that do not fit into memory wait, in a file without a name: a killed process leaves
        nothing there.
    """

    def __init__(self, folder: Path) -> None:
        self._file = SpooledTemporaryFile(max_size=MEMORY_BYTES, dir=str(folder))  # noqa: SIM115
        self._row_shape: tuple[int, ...] = ()
        self._dtype = np.dtype(np.float32)
        self.rows = 0

    def append(self, rows: npt.NDArray[Any]) -> None:
        """Append rows, shape ``(n, ...)``."""
        self._row_shape, self._dtype = rows.shape[1:], rows.dtype
        self._file.write(np.ascontiguousarray(rows).tobytes())
        self.rows += len(rows)

    def save_npz(self, path: Path, name: str, others: Mapping[str, Any]) -> None:
        """Write the rows under `name`, and other arrays, to a file for ``np.load``."""
        with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
            with archive.open(_member(name), "w", force_zip64=True) as member:
                self._copy_to(member)
            for other, value in others.items():
                with archive.open(_member(other), "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asanyarray(value), allow_pickle=False)

    def save_npy(self, path: Path) -> None:
        """Write the rows to a file for ``np.load``."""
        with replacing(path) as temporary, temporary.open("wb") as stream:
            self._copy_to(stream)

    def blocks(self, rows: int = BLOCK_ROWS) -> Iterator[npt.NDArray[Any]]:
        """Yield the rows again, from the first on, in blocks of at most `rows` rows."""
        row_bytes = self._dtype.itemsize * int(np.prod(self._row_shape))
        self._file.seek(0)
        while block := self._file.read(rows * row_bytes):
            yield np.frombuffer(block, self._dtype).reshape(-1, *self._row_shape)

    def _copy_to(self, stream: IO[bytes]) -> None:
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self.rows, *self._row_shape),
        }
        np.lib.format.write_array_header_1_0(stream, header)
        self._file.seek(0)
        while chunk := self._file.read(COPY_BYTES):
            stream.write(chunk)

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # of a full disk, once more: rows that are still to be written are not needed
            self._file.close()


def _member(array: str) -> zipfile.ZipInfo:
    """Name an array of an archive, without the time of day: the same arrays are to make the same bytes."""
    return zipfile.ZipInfo(f"{array}.npy")


def read_npz_rows(path: Path, name: str, rows: int = BLOCK_ROWS) -> Iterator[npt.NDArray[Any]]:
    """Read an array that `RowSpool.save_npz` has written, ``(N, ...)``, in blocks of at most `rows` rows."""
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
        np.lib.format.read_magic(member)
        shape, _, dtype = np.lib.format.read_array_header_1_0(member)
        row_bytes = dtype.itemsize * int(np.prod(shape[1:]))
        while block := member.read(rows * row_bytes):
            yield np.frombuffer(block, dtype).reshape(-1, *shape[1:])

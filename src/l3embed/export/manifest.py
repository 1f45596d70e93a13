"""What an export holds: the manifest, one row an input and modality, and the pooled embeddings.

This is what the pipeline hands to its users, and to its own evaluation and report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l3embed.disk.seals import is_sealed, reading, seal
from l3embed.disk.tables import iterate_rows, read_rows, write_csv, write_rows
from l3embed.errors import OpenL3Error
from l3embed.export.manifest_row import ManifestRow as ManifestRow
from l3embed.export.manifest_table import ManifestTable, iterate_table, read_table, write_table
from l3embed.variants import Modality

MANIFEST_CSV = "manifest.csv"
MANIFEST_PARQUET = "manifest.parquet"
STAGE = "export"
"""Which stage writes all of it."""

MEAN_COLUMNS = ("row", "path", "label")
"""What is said of each row of the mean embeddings; the first is 0."""


def write_manifest(export: Path, rows: Sequence[ManifestRow]) -> None:
    """Write the manifest of an export, as CSV and as Parquet."""
    write_rows(export / MANIFEST_CSV, ManifestRow, rows)
    write_table(export / MANIFEST_PARQUET, rows)
    seal(export / MANIFEST_CSV)


def write_packed_manifest(export: Path, rows: Iterable[ManifestRow]) -> None:
    """Write the manifest of a packed export, as Parquet alone: its rows are not all held."""
    write_table(export / MANIFEST_PARQUET, rows)
    seal(export / MANIFEST_PARQUET)


def is_packed(export: Path) -> bool:
    """Tell whether a folder is an export that is packed, by its manifest."""
    is_there = [(export / name).exists() for name in (MANIFEST_CSV, MANIFEST_PARQUET)]
    return is_there == [False, True] and is_sealed(export / MANIFEST_PARQUET)


def manifest_path(export: Path) -> Path:
    """Return the manifest of an export, whether it is packed or not."""
    return export / (MANIFEST_PARQUET if is_packed(export) else MANIFEST_CSV)


def is_export(folder: Path) -> bool:
    """Tell whether a folder is an export, packed or not, be its manifest whole or damaged."""
    path = manifest_path(folder)
    return path.exists() or is_sealed(path)


def has_npz(export: Path, rows: Iterable[ManifestRow]) -> bool:
    """Tell whether inputs of an export have their frames in ``.npz`` files; if not, they are in Parquet."""
    return not is_packed(export) and all(row.output for row in rows)


def read_manifest(export: Path) -> Sequence[ManifestRow]:
    """Read the manifest of an export; that of a packed one makes its rows when they are asked for.

    Raises
    ------
    OpenL3Error
        If there is none, or it is not as the stage has written it.
    """
    path = _manifest_that_is_there(export)
    with reading(path, STAGE):
        return read_table(path) if path.name == MANIFEST_PARQUET else read_rows(path, ManifestRow)


def iterate_manifest(export: Path) -> Iterator[ManifestRow]:
    """Read the manifest of an export row by row, without holding them, with the errors of `read_manifest`."""
    path = _manifest_that_is_there(export)
    with reading(path, STAGE):
        is_table = path.name == MANIFEST_PARQUET
        yield from iterate_table(path) if is_table else iterate_rows(path, ManifestRow)


def _manifest_that_is_there(export: Path) -> Path:
    path = manifest_path(export)
    if not path.exists() and not is_sealed(path):
        raise OpenL3Error(f"There is no {path}. Name the folder of an export, as 'dvc repro' writes it.")
    return path


def mean_path(export: Path, modality: Modality) -> Path:
    """Return the file of an export with each input's mean embedding in one modality."""
    return export / f"{modality.value}_mean.npy"


def mean_index_path(export: Path, modality: Modality) -> Path:
    """Return the file of an export that says which input each row of the mean embeddings is of."""
    return mean_path(export, modality).with_suffix(".csv")


def write_mean_index(export: Path, modality: Modality, inputs: Iterable[ManifestRow]) -> None:
    """Write which input each row of the mean embeddings is of."""
    path = mean_index_path(export, modality)
    write_csv(path, MEAN_COLUMNS, ((number, row.path, row.label) for number, row in enumerate(inputs)))
    seal(path)


def embedded_in(rows: Sequence[ManifestRow], modality: Modality) -> Sequence[ManifestRow]:
    """Return the inputs that have embeddings in one modality, in the manifest's order."""
    if isinstance(rows, ManifestTable):
        return rows.embedded_in(modality)
    return [row for row in rows if row.is_ok and row.modality == modality.value]


def read_means(export: Path, modality: Modality) -> tuple[Sequence[ManifestRow], npt.NDArray[np.float32]]:
    """Return the inputs that have embeddings in one modality, and their mean embeddings, ``(inputs, D)``.

    The array is mapped, not held. Without any such input it has the shape ``(0, 0)``.

    Raises
    ------
    OpenL3Error
        If the export does not fit its manifest, or is not as the stage has written it.
    """
    rows = embedded_in(read_manifest(export), modality)
    return rows, means_of(rows, export, modality)


def means_of(rows: Sequence[ManifestRow], export: Path, modality: Modality) -> npt.NDArray[np.float32]:
    """Return the mean embeddings of all inputs that have some in one modality, as `read_means` does."""
    if not rows:
        return np.empty((0, 0), np.float32)
    path = mean_path(export, modality)
    with reading(path, STAGE):
        means: npt.NDArray[np.float32] = np.load(path, mmap_mode="r")
        if means.ndim != 2 or means.dtype != np.float32 or len(means) != len(rows):
            raise OpenL3Error(
                f"It must hold {len(rows)} rows of float32, one for each input that has embeddings; "
                f"got {means.shape} of {means.dtype}."
            )
    return means

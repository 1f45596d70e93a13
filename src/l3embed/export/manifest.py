"""What an export holds: the manifest, one row an input and modality, and the pooled embeddings.

This is what the pipeline hands to its users, and to its own evaluation and report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l3embed.disk.atomic import replacing
from l3embed.disk.seals import is_sealed, reading, seal
from l3embed.disk.tables import OK, column_names, read_rows, write_csv, write_rows
from l3embed.errors import OpenL3Error
from l3embed.variants import Modality

MANIFEST_CSV = "manifest.csv"
MANIFEST_PARQUET = "manifest.parquet"
STAGE = "export"
"""Which stage writes all of it."""

SECTION = ("start_s", "end_s")

MEAN_COLUMNS = ("row", "path", "label")
"""What is said of each row of the mean embeddings; the first is 0."""


@dataclass(frozen=True)
class ManifestRow:
    """One input in one modality: a video has two rows.

    Parameters
    ----------
    path : str
        Below the dataset's folder, with slashes; of a listing, the input's name in outputs.
    modality : str
        ``audio`` or ``image``: which network its embeddings are from.
    label : str
        Class of the input; empty if it has none.
    fold : str
        Fold that the dataset's authors put it into; empty if they did not.
    sha256 : str
        Of the input's bytes; empty if they could not be read.
    status : str
        ``ok`` or ``failed``.
    reason : str
        Why it failed.
    warnings : str
        What is odd about it, though it can be embedded: cut short, silent, shorter than a window, ...
    duration_s : float or None
        Length of the recording or the video; None for an image.
    sample_rate_hz : float or None
        Of the sound as it was decoded; None without any.
    channels : int or None
        Of the sound as it was decoded; None without any.
    frames : int
        Embeddings: windows of sound, images, or frames of a video.
    dimension : int
        Numbers in each embedding.
    output : str
        The ``.npz`` file, below the export's folder; empty if there is none.
    variant : str
        The model, as in ``audio_mel256_music_6144_kapre``.
    weights : str
        The weights' identity, as in ``random:20260101``.
    precision : str
        What the convolutions computed in: ``float32``, unless asked otherwise.
    runtime : str
        What computed the network, as in ``ncnn``.
    packages : str
        Versions of what computed it, as in ``l3embed 0.1.0, keras 3.12.4``.
    seconds : float or None
        What computing it took, preprocessing included; None if that is not known any more.
    location : str
        Path or URI of the file, as a listing has it; empty in a folder, where `path` says it.
    start_s, end_s : float or None
        Which section of the file it is; None for its beginning and its end.
    """

    path: str
    modality: str
    label: str = ""
    fold: str = ""
    sha256: str = ""
    status: str = OK
    reason: str = ""
    warnings: str = ""
    duration_s: float | None = None
    sample_rate_hz: float | None = None
    channels: int | None = None
    frames: int = 0
    dimension: int = 0
    output: str = ""
    variant: str = ""
    weights: str = ""
    precision: str = ""
    runtime: str = ""
    packages: str = ""
    seconds: float | None = None
    location: str = ""
    start_s: float | None = None
    end_s: float | None = None

    @property
    def content(self) -> str:
        """By which copies are known: the checksum, and of a section its seconds; empty if unknown."""
        if not self.sha256 or (self.start_s is None and self.end_s is None):
            return self.sha256
        return f"{self.sha256}@{self.start_s or 0.0}-{self.end_s}"

    @property
    def is_ok(self) -> bool:
        """Whether there are embeddings."""
        return self.status == OK


def write_manifest(export: Path, rows: Sequence[ManifestRow]) -> None:
    """Write the manifest of an export, as CSV and as Parquet."""
    write_rows(export / MANIFEST_CSV, ManifestRow, rows)
    _write_parquet(export / MANIFEST_PARQUET, rows)
    seal(export / MANIFEST_CSV)


def read_manifest(export: Path) -> list[ManifestRow]:
    """Read the manifest of an export.

    Raises
    ------
    OpenL3Error
        If there is none, or it is not as the stage has written it.
    """
    path = export / MANIFEST_CSV
    if not path.exists() and not is_sealed(path):
        raise OpenL3Error(f"There is no {path}. Name the folder of an export, as 'dvc repro' writes it.")
    with reading(path, STAGE):
        return read_rows(path, ManifestRow)


def mean_path(export: Path, modality: Modality) -> Path:
    """Return the file of an export with each input's mean embedding in one modality."""
    return export / f"{modality.value}_mean.npy"


def mean_index_path(export: Path, modality: Modality) -> Path:
    """Return the file of an export that says which input each row of the mean embeddings is of."""
    return mean_path(export, modality).with_suffix(".csv")


def write_mean_index(export: Path, modality: Modality, inputs: Sequence[ManifestRow]) -> None:
    """Write which input each row of the mean embeddings is of."""
    path = mean_index_path(export, modality)
    write_csv(path, MEAN_COLUMNS, ((number, row.path, row.label) for number, row in enumerate(inputs)))
    seal(path)


def embedded_in(rows: Sequence[ManifestRow], modality: Modality) -> list[ManifestRow]:
    """Return the inputs that have embeddings in one modality, in the manifest's order."""
    return [row for row in rows if row.is_ok and row.modality == modality.value]


def read_means(export: Path, modality: Modality) -> tuple[list[ManifestRow], npt.NDArray[np.float32]]:
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


def _write_parquet(path: Path, rows: Sequence[ManifestRow]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    numbers = {"frames": pa.int64(), "dimension": pa.int32(), "channels": pa.int32()}
    numbers |= dict.fromkeys(("duration_s", "sample_rate_hz", "seconds", *SECTION), pa.float64())
    schema = pa.schema([(name, numbers.get(name, pa.string())) for name in column_names(ManifestRow)])
    table = pa.Table.from_pylist([vars(row) for row in rows], schema=schema)
    with replacing(path) as temporary:
        pq.write_table(table, temporary)

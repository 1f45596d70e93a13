"""Embeddings as Parquet datasets, for pandas, Polars, DuckDB and Hugging Face datasets.

Each modality has its own, since they differ in dimension: a folder of parts, ``part-00000.parquet`` and so
on. With float32, parts open in all four. Half floats (float16) need Polars 1.27 and DuckDB 1.3, which gives
them as floats; so does Hugging Face datasets in NumPy's format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.disk.atomic import remove_abandoned, replacing
from l3embed.errors import OpenL3Error
from l3embed.export.manifest import ManifestRow
from l3embed.export.moments import StreamingMoments
from l3embed.variants import Modality
from l3embed.version import __version__

GROUP_BYTES = 16 * 2**20
"""Embeddings in a row group: what is held in memory, and what a reader takes in at a time."""

PART_GROUPS = 8
"""Row groups in a part: 128 MB, so that readers share the parts among them, few files are opened, and
data that are added to the end of a dataset leave most parts as they were."""

COMPRESSION, COMPRESSION_LEVEL = "zstd", 1
"""With the bytes of floats split: 18 % smaller than the numbers, at 300 MB/s. Higher levels gain nothing."""

TEXTS = ("path", "label", "fold", "sha256")
"""Columns of the manifest that each row repeats."""


class Rows(str, Enum):
    """What has a row: each frame (a window of sound, an image, a frame of a video), or each file."""

    FRAMES = "frames"
    FILES = "files"


class Pooling(str, Enum):
    """How a file's frames become one row: their mean, or their mean followed by their standard deviation."""

    MEAN = "mean"
    MEAN_STD = "mean_std"


class Dtype(str, Enum):
    """What the numbers are stored as."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"


NUMBERS = {Rows.FRAMES: ("frame", "timestamp_s"), Rows.FILES: ("frames", "duration_s")}
"""The columns between the texts and the embedding, by kind of row: an integer and a time in seconds."""


@dataclass(frozen=True)
class ParquetOptions:
    """How a dataset is laid out; `pooling` counts only where files have rows."""

    rows: Rows = Rows.FRAMES
    pooling: Pooling = Pooling.MEAN
    dtype: Dtype = Dtype.FLOAT32

    @property
    def pooling_name(self) -> str:
        """The pooling as the datasets state it: none where frames have rows."""
        return self.pooling.value if self.rows is Rows.FILES else "none"

    def width(self, dimension: int) -> int:
        """Return how many numbers a row's embedding has."""
        return 2 * dimension if self.pooling_name == Pooling.MEAN_STD else dimension


class ParquetDataset:
    """The embeddings of one modality, written to ``folder/<modality>/part-*.parquet`` as they come.

    A context manager: parts appear whole, one by one, and the last one at its end. An earlier dataset is
    removed at its beginning; without any embeddings there is no folder.

    A frame's row has ``path``, ``label``, ``fold``, ``sha256``, ``frame`` (from 0), ``timestamp_s`` (null
    for images) and ``embedding``, a list of fixed size, ``D``. A file's row has ``frames`` (how many) and
    ``duration_s`` (null for images) instead, and its embedding is the mean over the frames, ``D``, or the
    mean and the standard deviation (of a population), ``2 D``, computed in float64. Each part says in its
    metadata what the embeddings were computed with: ``variant``, ``weights``, ``version``, ``packages``
    and ``pooling``.

    Parameters
    ----------
    folder : Path
        Where the dataset's own folder goes.
    modality : Modality
        Whose embeddings.
    dimension : int
        Numbers in each embedding, ``D``.
    options : ParquetOptions
        How it is laid out.
    """

    def __init__(self, folder: Path, modality: Modality, dimension: int, options: ParquetOptions) -> None:
        self._folder = folder / modality.value
        self._dimension = dimension
        self._options = options
        self._group = _RowGroup(options, options.width(dimension))
        self._part = ExitStack()
        self._parts = self._groups_in_part = 0
        self._writer: Any = None

    def __enter__(self) -> ParquetDataset:
        """Remove an earlier dataset."""
        if self._folder.is_dir():
            remove_abandoned(self._folder)
            for path in self._folder.glob("part-*.parquet"):
                path.unlink()
            if not any(self._folder.iterdir()):
                self._folder.rmdir()
        return self

    def add(
        self,
        row: ManifestRow,
        timestamps_s: npt.NDArray[np.floating[Any]] | None,
        blocks: Iterable[npt.NDArray[np.float32]],
    ) -> None:
        """Take one input's embeddings.

        Parameters
        ----------
        row : ManifestRow
            Its row of the manifest.
        timestamps_s : np.ndarray or None
            The frames' times, shape ``(T,)``; None for images.
        blocks : iterable of np.ndarray
            Its embeddings, in blocks of any number of rows, shape ``(n, D)``.

        Raises
        ------
        OpenL3Error
            If an embedding has another dimension, or is too large for float16, or lacks its timestamp.
        """
        blocks = self._checked(row, blocks)
        if self._options.rows is Rows.FILES:
            self._add_file(row, blocks)
        else:
            self._add_frames(row, timestamps_s, blocks)

    def _add_frames(
        self,
        row: ManifestRow,
        timestamps_s: npt.NDArray[np.floating[Any]] | None,
        blocks: Iterable[npt.NDArray[np.float32]],
    ) -> None:
        frames = 0
        for block in blocks:
            rows = slice(frames, frames + len(block))
            times = np.full(len(block), np.nan) if timestamps_s is None else np.asarray(timestamps_s[rows])
            if len(times) < len(block):
                raise OpenL3Error(f"{row.path} has more embeddings than timestamps: {frames + len(times)}.")
            self._append(row, np.arange(rows.start, rows.stop), times, block)
            frames = rows.stop

    def _add_file(self, row: ManifestRow, blocks: Iterable[npt.NDArray[np.float32]]) -> None:
        moments = StreamingMoments()
        for block in blocks:
            moments.add(block)
        if not moments.count:
            return
        has_std = self._group.width > self._dimension
        pooled = [moments.mean, moments.std] if has_std else [moments.mean]
        duration_s = np.nan if row.duration_s is None else row.duration_s
        numbers = np.array([moments.count]), np.array([duration_s])
        self._append(row, *numbers, np.concatenate(pooled)[np.newaxis])

    def _checked(
        self, row: ManifestRow, blocks: Iterable[npt.NDArray[np.float32]]
    ) -> Iterator[npt.NDArray[np.float32]]:
        for block in blocks:
            if block.shape[1:] != (self._dimension,):
                raise OpenL3Error(
                    f"The embeddings of {row.path} have the shape {block.shape}; the dataset's dimension is "
                    f"{self._dimension}."
                )
            yield block

    def _append(
        self,
        row: ManifestRow,
        integers: npt.NDArray[np.int64],
        seconds: npt.NDArray[np.floating[Any]],
        embeddings: npt.NDArray[Any],
    ) -> None:
        start = 0
        while start < len(embeddings):
            stop = min(start + self._group.room, len(embeddings))
            self._group.fill(row, integers[start:stop], seconds[start:stop], embeddings[start:stop])
            start = stop
            if not self._group.room:
                self._flush()

    def _flush(self) -> None:
        """Write the rows that were collected; end the part if it is full."""
        if not self._group.count:
            return
        if self._writer is None:
            self._open_part(self._group.first)
        self._writer.write_table(self._group.take(self._writer.schema), row_group_size=self._group.capacity)
        self._groups_in_part += 1
        if self._groups_in_part == PART_GROUPS:
            self._part.close()
            self._writer, self._groups_in_part = None, 0

    def _open_part(self, row: ManifestRow) -> None:
        import pyarrow.parquet as pq

        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"part-{self._parts:05d}.parquet"
        temporary = self._part.enter_context(replacing(path))
        schema = _schema(self._options, self._group.width, row)
        # DuckDB does not read half floats with their bytes split (they would be 8 % smaller).
        is_split = self._options.dtype is Dtype.FLOAT32
        self._writer = pq.ParquetWriter(
            temporary,
            schema,
            compression=COMPRESSION,
            compression_level=COMPRESSION_LEVEL,
            use_dictionary=list(TEXTS),
            write_statistics=[*TEXTS, *NUMBERS[self._options.rows]],
            column_encoding={"embedding.list.element": "BYTE_STREAM_SPLIT"} if is_split else None,
        )
        self._part.enter_context(self._writer)
        self._parts += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Write what is left; after an error, drop the part that is not whole."""
        if error is not None:
            self._part.__exit__(kind, error, traceback)
            return
        with self._part:
            self._flush()


class _RowGroup:
    """Rows until they are written, in arrays that are made once."""

    def __init__(self, options: ParquetOptions, width: int) -> None:
        self.width = width
        self.capacity = max(1, GROUP_BYTES // (width * np.dtype(options.dtype.value).itemsize))
        self.count = 0
        self._names = NUMBERS[options.rows]
        self._embeddings = np.empty((self.capacity, width), options.dtype.value)
        self._integers = np.empty(self.capacity, np.int64)
        self._seconds = np.empty(self.capacity, np.float64)
        self._rows: list[tuple[ManifestRow, int]] = []

    @property
    def room(self) -> int:
        """How many more rows it takes."""
        return self.capacity - self.count

    @property
    def first(self) -> ManifestRow:
        """The input that the first row is of."""
        return self._rows[0][0]

    def fill(
        self,
        row: ManifestRow,
        integers: npt.NDArray[np.int64],
        seconds: npt.NDArray[np.floating[Any]],
        embeddings: npt.NDArray[Any],
    ) -> None:
        """Add rows of one input, of which there is room for all."""
        largest = float(np.finfo(self._embeddings.dtype).max)
        if (
            self._embeddings.itemsize < embeddings.itemsize
            and (reached := np.abs(embeddings).max()) > largest
        ):
            raise OpenL3Error(
                f"An embedding of {row.path} holds {reached:.6g}, and {self._embeddings.dtype} ends at "
                f"{largest:.6g}. Set export.dtype=float32."
            )
        place = slice(self.count, self.count + len(embeddings))
        self._embeddings[place] = embeddings
        self._integers[place] = integers
        self._seconds[place] = seconds
        self._rows.append((row, len(embeddings)))
        self.count = place.stop

    def take(self, schema: Any) -> Any:
        """Return the rows as a table of Arrow, which shares their memory, and start anew."""
        import pyarrow as pa

        inputs, counts = zip(*self._rows, strict=True)
        repeated = pa.array(np.repeat(np.arange(len(inputs)), counts))
        columns = {name: pa.array([getattr(row, name) for row in inputs]).take(repeated) for name in TEXTS}
        integer, seconds = self._names
        columns[integer] = pa.array(self._integers[: self.count])
        columns[seconds] = pa.array(self._seconds[: self.count], from_pandas=True)  # NaN becomes null
        numbers = pa.array(self._embeddings[: self.count].reshape(-1))
        kind = schema.field("embedding").type
        columns["embedding"] = pa.FixedSizeListArray.from_arrays(numbers, type=kind)
        self._rows, self.count = [], 0
        return pa.table(columns, schema=schema)


def _schema(options: ParquetOptions, width: int, row: ManifestRow) -> Any:
    import pyarrow as pa

    integer, seconds = NUMBERS[options.rows]
    kind = pa.from_numpy_dtype(np.dtype(options.dtype.value))
    fields = [pa.field(name, pa.string(), nullable=False) for name in TEXTS]
    fields += [pa.field(integer, pa.int64(), nullable=False), pa.field(seconds, pa.float64())]
    embedding = pa.list_(pa.field("element", kind, nullable=False), width)
    fields.append(pa.field("embedding", embedding, nullable=False))
    made_with = {
        "variant": row.variant,
        "weights": row.weights,
        "version": __version__,
        "packages": row.packages,
        "pooling": options.pooling_name,
    }
    return pa.schema(fields, metadata=made_with)

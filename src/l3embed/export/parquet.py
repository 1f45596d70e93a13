"""Embeddings as Parquet datasets, for pandas, Polars, DuckDB and Hugging Face datasets.

Each modality has its own, since they differ in dimension: a folder of parts, ``part-00000.parquet`` and so
on. With float32, parts open in all four. Half floats (float16) need Polars 1.27 and DuckDB 1.3, which gives
them as floats; so does Hugging Face datasets in NumPy's format.

A frame's row has ``path``, ``label``, ``fold``, ``sha256``, ``frame`` (from 0), ``timestamp_s`` (null for
images) and ``embedding``, a list of fixed size, ``D``. A file's row has ``frames`` (how many) and
``duration_s`` (null for images) instead, and its embedding is the mean over the frames, ``D``, or the mean
and the standard deviation (of a population), ``2 D``. Each part says in its metadata what the embeddings
were computed with: ``variant``, ``weights``, ``version``, ``packages`` and ``pooling``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.disk.atomic import replacing_folder
from l3embed.disk.rows import read_npz_rows
from l3embed.disk.seals import reading
from l3embed.errors import OpenL3Error
from l3embed.export.formats import Dtype, Embedded, RowLayout, Rows
from l3embed.export.manifest import STAGE, ManifestRow
from l3embed.progress import progress_bar
from l3embed.variants import Modality
from l3embed.version import __version__

FOLDER = "parquet"

GROUP_BYTES = 16 * 2**20
"""Embeddings in a row group: what is held in memory, and what a reader takes in at a time."""

PART_GROUPS = 8
"""Row groups in a part: 128 MB, so that readers share the parts among them, few files are opened, and
data that are added to the end of a dataset leave most parts as they were."""

COMPRESSION, COMPRESSION_LEVEL = "zstd", 1
"""With the bytes of floats split: 18 % smaller than the numbers, at 300 MB/s. Higher levels gain nothing."""

TEXTS = ("path", "label", "fold", "sha256")
"""Columns of the manifest that each row repeats."""

NUMBERS = {Rows.FRAMES: ("frame", "timestamp_s"), Rows.FILES: ("frames", "duration_s")}
"""The columns between the texts and the embedding, by kind of row: an integer and a time in seconds."""


def write(folder: Path, inputs: Sequence[Embedded], layout: RowLayout) -> None:
    """Write a dataset of each modality to ``folder/parquet/<modality>``, in place of earlier ones.

    They appear whole, all at once. A modality without embeddings has no folder.

    Raises
    ------
    OpenL3Error
        If an embedding has another dimension than the first input's, or is too large for float16, or lacks
        its timestamp.
    """
    embeddings = sum(item.row.frames for item in inputs)
    with (
        replacing_folder(folder / FOLDER) as temporary,
        progress_bar("Writing Parquet", total=embeddings, unit="embedding") as bar,
    ):
        for modality in Modality:
            own = [item for item in inputs if item.row.modality == modality.value and item.row.frames]
            if own:
                schema = _schema(own[0].row, layout)
                _write_parts(temporary / modality.value, _batches(own, layout, schema, bar), schema, layout)


def has_frames(folder: Path, modality: Modality) -> bool:
    """Tell whether an export holds a dataset of a modality that has a row for each frame."""
    import pyarrow.parquet as pq

    first = next(iter(_parts(folder, modality)), None)
    if first is None:
        return False
    with reading(first, STAGE):
        return NUMBERS[Rows.FRAMES][0] in pq.read_schema(first).names


FrameBlock = tuple[list[str], npt.NDArray[np.float64], npt.NDArray[Any]]
"""Some rows of frames: the input of each, its time in seconds (NaN: none), and embeddings, ``(n, D)``."""


def read_frames(
    folder: Path, modality: Modality, wanted: Collection[str] | None = None
) -> Iterator[FrameBlock]:
    """Read a modality's dataset that has a row for each frame, in blocks.

    Parameters
    ----------
    folder : Path
        The export's.
    modality : Modality
        Which dataset.
    wanted : collection of str, optional
        Paths of inputs: row groups that hold frames of others alone are left out.

    Raises
    ------
    OpenL3Error
        If a part is damaged.
    """
    import pyarrow.parquet as pq

    for path in _parts(folder, modality):
        with reading(path, STAGE), pq.ParquetFile(path, page_checksum_verification=True) as part:
            groups = [number for number in range(part.num_row_groups) if _holds(part, number, wanted)]
            columns = ["path", NUMBERS[Rows.FRAMES][1], "embedding"]
            for batch in part.iter_batches(row_groups=groups, columns=columns) if groups else ():
                inputs, times_s, embeddings = batch.columns
                numbers = embeddings.flatten().to_numpy().reshape(len(batch), -1)
                yield inputs.to_pylist(), times_s.to_numpy(zero_copy_only=False), numbers


def _holds(part: Any, group: int, wanted: Collection[str] | None) -> bool:
    """Tell whether a row group has frames of inputs that are wanted."""
    if wanted is None:
        return True
    paths = part.read_row_group(group, columns=["path"]).column("path").unique().to_pylist()
    return any(path in wanted for path in paths)


def _parts(folder: Path, modality: Modality) -> list[Path]:
    return sorted((folder / FOLDER / modality.value).glob("part-*.parquet"))


def _schema(row: ManifestRow, layout: RowLayout) -> Any:
    import pyarrow as pa

    integer, seconds = NUMBERS[layout.rows]
    kind = pa.from_numpy_dtype(np.dtype(layout.dtype.value))
    fields = [pa.field(name, pa.string(), nullable=False) for name in TEXTS]
    fields += [pa.field(integer, pa.int64(), nullable=False), pa.field(seconds, pa.float64())]
    embedding = pa.list_(pa.field("element", kind, nullable=False), layout.width(row.dimension))
    fields.append(pa.field("embedding", embedding, nullable=False))
    made_with = {"variant": row.variant, "weights": row.weights, "version": __version__}
    made_with |= {"packages": row.packages, "pooling": layout.pooling_name}
    return pa.schema(fields, metadata=made_with)


def _write_parts(folder: Path, batches: Iterator[Any], schema: Any, layout: RowLayout) -> None:
    import pyarrow.parquet as pq

    # Not pyarrow.dataset.write_dataset: it lets millions of rows wait in memory, whatever their size.
    kind = schema.field("embedding").type
    rows = max(1, GROUP_BYTES // (kind.list_size * kind.value_type.bit_width // 8))
    # DuckDB does not read half floats with their bytes split (they would be 8 % smaller).
    is_split = layout.dtype is Dtype.FLOAT32
    options = {
        "compression": COMPRESSION,
        "compression_level": COMPRESSION_LEVEL,
        "use_dictionary": list(TEXTS),
        "write_page_checksum": True,  # for `read_frames`, and whoever else asks for it
        "write_statistics": [*TEXTS, *NUMBERS[layout.rows]],
        "column_encoding": {"embedding.list.element": "BYTE_STREAM_SPLIT"} if is_split else None,
    }
    with ExitStack() as part:
        for number, group in enumerate(_regrouped(batches, rows)):
            if number % PART_GROUPS == 0:
                part.close()
                folder.mkdir(parents=True, exist_ok=True)
                path = folder / f"part-{number // PART_GROUPS:05d}.parquet"
                writer = part.enter_context(pq.ParquetWriter(path, schema, **options))
            writer.write_table(group, row_group_size=rows)


def _regrouped(batches: Iterator[Any], rows: int) -> Iterator[Any]:
    """Yield the batches' rows as tables of `rows` rows; the last may have fewer."""
    import pyarrow as pa

    held: list[Any] = []
    room = rows
    for batch in batches:
        for start in chain([0], range(room, batch.num_rows, rows)):
            held.append(batch.slice(start, room))
            room -= held[-1].num_rows
            if not room:
                # In one piece: a group's bytes do not depend on the batches that its rows came in.
                group, held, room = pa.Table.from_batches(held).combine_chunks(), [], rows
                yield group
    if held:
        yield pa.Table.from_batches(held).combine_chunks()


def _batches(inputs: Sequence[Embedded], layout: RowLayout, schema: Any, bar: Any) -> Iterator[Any]:
    for item in inputs:
        blocks = _file_row(item, layout) if layout.rows is Rows.FILES else _frame_rows(item)
        for block in blocks:
            yield _batch(item.row, block, schema, layout)
            bar.update(item.row.frames if layout.rows is Rows.FILES else len(block[-1]))


Block = tuple[npt.NDArray[np.int64], npt.NDArray[Any], npt.NDArray[Any]]
"""Some of an input's rows: integers and seconds, shape ``(n,)``, and embeddings, ``(n, D)``."""


def _frame_rows(item: Embedded) -> Iterator[Block]:
    with np.load(item.embeddings) as arrays:
        timestamps_s = arrays.get("timestamps")
    frames = 0
    for block in read_npz_rows(item.embeddings, "embedding"):
        rows = slice(frames, frames + len(block))
        times_s = np.full(len(block), np.nan) if timestamps_s is None else timestamps_s[rows]
        if len(times_s) < len(block):
            known = frames + len(times_s)
            raise OpenL3Error(f"{item.row.path} has more embeddings than timestamps: {known}.")
        yield np.arange(rows.start, rows.stop), times_s, block
        frames = rows.stop


def _file_row(item: Embedded, layout: RowLayout) -> Iterator[Block]:
    pooled = np.load(item.moments)[: layout.width(1)].reshape(1, -1)
    duration_s = np.nan if item.row.duration_s is None else item.row.duration_s
    yield np.array([item.row.frames]), np.array([duration_s]), pooled


def _batch(row: ManifestRow, block: Block, schema: Any, layout: RowLayout) -> Any:
    """Return some of an input's rows as a batch of Arrow's."""
    import pyarrow as pa

    integers, seconds, embeddings = block
    kind = schema.field("embedding").type
    if embeddings.shape[1:] != (kind.list_size,):
        raise OpenL3Error(
            f"The embeddings of {row.path} have the shape {embeddings.shape}; the dataset's dimension is "
            f"{kind.list_size}."
        )
    numbers = _narrowed(row, embeddings, np.dtype(layout.dtype.value))
    columns = [pa.repeat(getattr(row, name), len(embeddings)) for name in TEXTS]
    columns += [pa.array(integers, pa.int64()), pa.array(seconds, pa.float64(), from_pandas=True)]  # no NaN
    columns.append(pa.FixedSizeListArray.from_arrays(pa.array(numbers.reshape(-1)), type=kind))
    return pa.record_batch(columns, schema=schema)


def _narrowed(row: ManifestRow, embeddings: npt.NDArray[Any], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return embeddings in the dataset's type, which must not end before they do."""
    largest = float(np.finfo(dtype).max)
    if dtype.itemsize < embeddings.itemsize and (reached := np.abs(embeddings).max()) > largest:
        raise OpenL3Error(
            f"An embedding of {row.path} holds {reached:.6g}, and {dtype} ends at {largest:.6g}. "
            "Set export.dtype=float32."
        )
    return embeddings.astype(dtype, copy=False)

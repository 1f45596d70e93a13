"""Embeddings as LanceDB tables, with an index that finds the nearest without looking at all of them.

For archives that are too large to be compared whole. ``lance/`` is a LanceDB database with a table for each
modality, ``audio`` and ``image``: a row for each frame or file, with ``path``, ``label``, ``fold``,
``frame`` (from 0; of a file how many it has), ``timestamp_s`` (null for images and files) and ``vector``,
the direction of the embedding from the mean of all, of length 1: so LanceDB's cosine is the centred cosine
of the report and of ``l3embed search``. ``<modality>.json`` beside them tells how many of the index's
partitions are looked at, and which share of the nearest is found so; ``<modality>_centre.npy`` has the mean.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.disk.atomic import replacing_folder
from l3embed.disk.json_files import read_whole_object, write_json
from l3embed.disk.rows import read_npz_rows
from l3embed.disk.seals import reading, seal
from l3embed.errors import OpenL3Error
from l3embed.export.cosine import Vectors
from l3embed.export.formats import Embedded, RowLayout, Rows, check_installed
from l3embed.export.manifest import STAGE
from l3embed.progress import counted, progress_bar, say
from l3embed.variants import Modality

FOLDER = "lance"
VECTOR = "vector"

FEWEST_INDEXED = 10_000
"""Of fewer rows, looking at all of them takes no longer."""

ROWS_PER_PARTITION = 1000
NEAREST = 10
SAMPLED = 100
"""The recall is measured for the nearest of so many rows, drawn from the table itself."""

RECALL = 0.95
"""As many partitions are looked at as it takes to find so many of the nearest."""

SEED = 0


@dataclass(frozen=True)
class LanceFacts:
    """What is known of one table.

    Parameters
    ----------
    rows : str
        ``frames`` or ``files``: what has a row.
    count : int
        How many rows there are.
    partitions : int
        Of the index; 0 without one.
    looked_at : int
        Partitions that a search looks at.
    recall : float
        The share of the nearest rows that are found so, as it was measured on the table.
    """

    rows: str
    count: int
    partitions: int = 0
    looked_at: int = 0
    recall: float = 1.0


def connect(folder: Path) -> Any:
    """Open a LanceDB database.

    Raises
    ------
    OpenL3Error
        If LanceDB is not installed.
    """
    check_installed("lance")
    os.environ.setdefault("LANCEDB_LOG", "error")  # its warnings are about its own doings
    import lancedb

    return lancedb.connect(str(folder))


def write(folder: Path, inputs: Sequence[Embedded], layout: RowLayout) -> None:
    """Write a table of each modality to ``folder/lance``, in place of earlier ones, with its index.

    They appear whole, all at once. Half floats are kept as they are asked for; the pooling is the mean.

    Raises
    ------
    OpenL3Error
        If LanceDB is not installed.
    """
    with replacing_folder(folder / FOLDER) as temporary:
        temporary.mkdir(parents=True)
        database = connect(temporary)
        for modality in Modality:
            own = [item for item in inputs if item.row.modality == modality.value and item.row.frames]
            if own:
                centre = _centre(own, layout)
                table = _write_table(database, modality, own, centre, layout)
                facts = _indexed(table, layout)
                _say(modality, facts)
                np.save(_centre_path(temporary, modality), centre)
                write_json(_facts_path(temporary, modality), asdict(facts))
                seal(_centre_path(temporary, modality), _facts_path(temporary, modality))


def read_facts(export: Path, modality: Modality) -> tuple[LanceFacts, Vectors]:
    """Return what is known of a modality's table, and the mean that was taken off its embeddings, ``(D,)``.

    Raises
    ------
    OpenL3Error
        If the export has no such table, or it is damaged.
    """
    folder = export / FOLDER
    if not _facts_path(folder, modality).is_file():
        raise OpenL3Error(
            f"{export} has no LanceDB table of {modality.value}. Export with export.formats=[npz,lance], or "
            "leave out --lance."
        )
    with reading(_facts_path(folder, modality), STAGE):
        facts = LanceFacts(**read_whole_object(_facts_path(folder, modality)))
    with reading(_centre_path(folder, modality), STAGE):
        return facts, np.load(_centre_path(folder, modality), allow_pickle=False)


def nearest_rows(table: Any, unit: Vectors, count: int, facts: LanceFacts, where: str = "") -> Any:
    """Return the rows of a table that are nearest to a direction, ``(D,)``, as a table of Arrow's.

    Its column ``_distance`` is 1 less the cosine.
    """
    query = table.search(unit, vector_column_name=VECTOR).distance_type("cosine").limit(count)
    query = query.nprobes(facts.looked_at) if facts.looked_at else query.bypass_vector_index()
    return (query.where(where, prefilter=True) if where else query).to_arrow()


def _centre(items: Sequence[Embedded], layout: RowLayout) -> Vectors:
    """Return the mean of all rows, as the means of the inputs tell it."""
    total, count = np.zeros(items[0].row.dimension, np.float64), 0
    for item in items:
        weight = 1 if layout.rows is Rows.FILES else item.row.frames
        total += weight * np.load(item.moments)[0]
        count += weight
    return (total / count).astype(np.float32)


def _write_table(
    database: Any, modality: Modality, items: Sequence[Embedded], centre: Vectors, layout: RowLayout
) -> Any:
    import pyarrow as pa

    schema = _schema(len(centre), layout)
    total = len(items) if layout.rows is Rows.FILES else sum(item.row.frames for item in items)
    with progress_bar("Writing LanceDB", total=total, unit="row") as bar:

        def batches() -> Iterator[Any]:
            for item in items:
                for frames, times_s, embeddings in _rows(item, layout):
                    yield _batch(item, frames, times_s, embeddings - centre, schema)
                    bar.update(len(embeddings))

        reader = pa.RecordBatchReader.from_batches(schema, batches())
        return database.create_table(modality.value, data=reader, mode="overwrite")


def _schema(dimension: int, layout: RowLayout) -> Any:
    import pyarrow as pa

    texts = [pa.field(name, pa.string()) for name in ("path", "label", "fold")]
    kind = pa.from_numpy_dtype(np.dtype(layout.dtype.value))
    numbers = [pa.field("frame", pa.int64()), pa.field("timestamp_s", pa.float64())]
    return pa.schema([*texts, *numbers, pa.field(VECTOR, pa.list_(kind, dimension))])


Block = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[Any]]


def _rows(item: Embedded, layout: RowLayout) -> Iterator[Block]:
    if layout.rows is Rows.FILES:
        yield np.array([item.row.frames]), np.array([np.nan]), np.load(item.moments)[:1]
        return
    with np.load(item.embeddings) as arrays:
        known_s = arrays.get("timestamps")
    start = 0
    for block in read_npz_rows(item.embeddings, "embedding"):
        rows = slice(start, start + len(block))
        times_s = np.full(len(block), np.nan) if known_s is None else known_s[rows]
        yield np.arange(rows.start, rows.stop), times_s, block
        start = rows.stop


def _batch(
    item: Embedded,
    frames: npt.NDArray[np.int64],
    times_s: npt.NDArray[np.float64],
    centred: npt.NDArray[Any],
    schema: Any,
) -> Any:
    import pyarrow as pa

    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    units = np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0)
    kind = schema.field(VECTOR).type
    numbers = pa.array(units.astype(kind.value_type.to_pandas_dtype()).reshape(-1))
    columns = [pa.repeat(getattr(item.row, name), len(frames)) for name in ("path", "label", "fold")]
    columns += [pa.array(frames, pa.int64()), pa.array(times_s, pa.float64(), from_pandas=True)]
    return pa.record_batch([*columns, pa.FixedSizeListArray.from_arrays(numbers, type=kind)], schema=schema)


def _indexed(table: Any, layout: RowLayout) -> LanceFacts:
    """Give a table its index, and measure how many partitions have to be looked at."""
    count = table.count_rows()
    if count < FEWEST_INDEXED:
        return LanceFacts(layout.rows.value, count)
    from lancedb.index import IvfFlat

    partitions = max(2, count // ROWS_PER_PARTITION)
    table.create_index(VECTOR, config=IvfFlat(distance_type="cosine", num_partitions=partitions))
    sampled = np.sort(np.random.default_rng(SEED).permutation(count)[:SAMPLED])
    units = [
        np.array(row.as_py(), np.float32)
        for row in table.take_offsets(sampled.tolist()).select([VECTOR]).to_arrow().column(VECTOR)
    ]
    exact = [_found(table, unit, LanceFacts("", count)) for unit in units]
    looked_at = 1
    while True:
        facts = LanceFacts(layout.rows.value, count, partitions, looked_at)
        found = [_found(table, unit, facts) for unit in units]
        recall = float(
            np.mean([len(one & other) / len(other) for one, other in zip(found, exact, strict=True)])
        )
        if recall >= RECALL or looked_at >= partitions:
            return LanceFacts(layout.rows.value, count, partitions, looked_at, round(recall, 4))
        looked_at = min(partitions, 2 * looked_at)


def _found(table: Any, unit: Vectors, facts: LanceFacts) -> set[tuple[str, int]]:
    rows = nearest_rows(table, unit, NEAREST, facts)
    return set(zip(rows["path"].to_pylist(), rows["frame"].to_pylist(), strict=True))


def _say(modality: Modality, facts: LanceFacts) -> None:
    words = f"export: lance: {modality.value}: {counted(facts.count, 'row')}"
    if not facts.partitions:
        say(f"{words}; so few are compared without an index")
        return
    say(
        f"{words} in {facts.partitions:,} partitions; a search looks at {facts.looked_at:,} of them, and "
        f"finds {100 * facts.recall:.1f} % of the {NEAREST} nearest (measured for {SAMPLED} of its rows)"
    )


def _facts_path(folder: Path, modality: Modality) -> Path:
    return folder / f"{modality.value}.json"


def _centre_path(folder: Path, modality: Modality) -> Path:
    return folder / f"{modality.value}_centre.npy"

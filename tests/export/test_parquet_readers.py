"""Parquet datasets, as pandas, Polars, DuckDB and pyarrow open them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from l3embed.export import parquet
from l3embed.export.formats import Dtype, Embedded, RowLayout, Rows

from .conftest import AUDIO, DIMENSION, EMBEDDINGS, INPUTS, PARTS, Array, read

Reader = Callable[[Path], tuple[list[str], Array]]


def by_pandas(folder: Path) -> tuple[list[str], Array]:
    import pandas

    frame = pandas.read_parquet(folder / AUDIO)
    return list(frame["path"]), np.stack(list(frame["embedding"]))


def by_polars(folder: Path) -> tuple[list[str], Array]:
    import polars

    frame = polars.read_parquet(folder / PARTS)
    return frame["path"].to_list(), frame["embedding"].to_numpy()


def by_duckdb(folder: Path) -> tuple[list[str], Array]:
    import duckdb

    rows = duckdb.sql(f"SELECT path, embedding FROM '{folder / PARTS}'").fetchall()
    return [row[0] for row in rows], np.array([row[1] for row in rows])


def by_pyarrow(folder: Path) -> tuple[list[str], Array]:
    rows = read(folder)
    return rows["path"], np.array(rows["embedding"])


@pytest.mark.parametrize("reader", [by_pandas, by_polars, by_duckdb, by_pyarrow])
@pytest.mark.parametrize("dtype", Dtype, ids=lambda dtype: dtype.value)
@pytest.mark.parametrize("rows", Rows, ids=lambda rows: rows.value)
@pytest.mark.usefixtures("small_parts")
def test_it_opens(tmp_path: Path, inputs: list[Embedded], reader: Reader, dtype: Dtype, rows: Rows) -> None:
    parquet.write(tmp_path, inputs, RowLayout(rows, dtype=dtype))
    paths, embeddings = reader(tmp_path)
    expected = EMBEDDINGS if rows is Rows.FRAMES else [e.mean(axis=0, keepdims=True) for e in EMBEDDINGS]
    assert paths == [row.path for row, e in zip(INPUTS, expected, strict=True) for _ in e]
    np.testing.assert_allclose(embeddings, np.concatenate(expected).astype(dtype.value), rtol=1e-6)


@pytest.mark.parametrize("dtype", Dtype, ids=lambda dtype: dtype.value)
def test_readers_see_lists_of_a_fixed_size(tmp_path: Path, inputs: list[Embedded], dtype: Dtype) -> None:
    import polars
    import pyarrow as pa
    import pyarrow.parquet

    parquet.write(tmp_path, inputs, RowLayout(dtype=dtype))
    kind = pyarrow.parquet.read_schema(tmp_path / f"{AUDIO}/part-00000.parquet").field("embedding").type
    assert (kind.list_size, kind.value_type) == (DIMENSION, pa.from_numpy_dtype(dtype.value))
    assert polars.read_parquet_schema(tmp_path / f"{AUDIO}/part-00000.parquet")["embedding"].is_(
        polars.Array(polars.Float32 if dtype is Dtype.FLOAT32 else polars.Float16, DIMENSION)
    )


@pytest.mark.parametrize("dtype", Dtype, ids=lambda dtype: dtype.value)
@pytest.mark.usefixtures("small_parts")
def test_sql_reaches_into_embeddings(tmp_path: Path, inputs: list[Embedded], dtype: Dtype) -> None:
    import duckdb

    parquet.write(tmp_path, inputs, RowLayout(dtype=dtype))
    means = duckdb.sql(
        f"SELECT label, count(*), avg(embedding[1]) FROM '{tmp_path / PARTS}' GROUP BY label ORDER BY label"
    ).fetchall()
    expected = sorted(
        (row.label, row.frames, e[:, 0].mean()) for row, e in zip(INPUTS, EMBEDDINGS, strict=True)
    )
    assert [row[:2] for row in means] == [row[:2] for row in expected]
    np.testing.assert_allclose([row[2] for row in means], [row[2] for row in expected], atol=1e-3)


@pytest.mark.usefixtures("small_parts")
def test_sql_finds_the_nearest_frame(tmp_path: Path, inputs: list[Embedded]) -> None:
    import duckdb

    parquet.write(tmp_path, inputs, RowLayout())
    ((frame,),) = duckdb.execute(
        f"SELECT frame FROM '{tmp_path / PARTS}' WHERE label = 'rain' ORDER BY "
        f"array_cosine_similarity(embedding::FLOAT[{DIMENSION}], ?::FLOAT[{DIMENSION}]) DESC LIMIT 1",
        [EMBEDDINGS[1][17].tolist()],
    ).fetchall()
    assert frame == 17

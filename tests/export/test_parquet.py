"""Parquet datasets, as pandas, Polars, DuckDB and pyarrow read them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import l3embed
from l3embed.errors import OpenL3Error
from l3embed.export import parquet
from l3embed.export.manifest import ManifestRow
from l3embed.export.parquet import Dtype, ParquetDataset, ParquetOptions, Pooling, Rows
from l3embed.variants import Modality

DIMENSION = 8
MADE_WITH: dict[str, Any] = {
    "variant": "audio_mel256_music_512_kapre",
    "weights": "random:7",
    "packages": "keras 3.1, numpy 2",
}
INPUTS = [
    ManifestRow("bells/a.wav", "audio", "bells", "1", "00ff", duration_s=2.5, frames=5, **MADE_WITH),
    ManifestRow(
        "rain/Глава 日本.flac", "audio", "rain", "2", "11ee", duration_s=20.0, frames=40, **MADE_WITH
    ),
    ManifestRow("loose.ogg", "audio", "", "", "22dd", duration_s=0.1, frames=1, **MADE_WITH),
]
EMBEDDINGS = [
    np.random.default_rng(number).normal(1, 2, (row.frames, DIMENSION)).astype(np.float32)
    for number, row in enumerate(INPUTS)
]
FRAMES = ParquetOptions()
PARTS = "audio/part-*.parquet"

Reader = Callable[[Path], tuple[list[str], npt.NDArray[Any]]]


def write(folder: Path, options: ParquetOptions = FRAMES, modality: Modality = Modality.AUDIO) -> None:
    with ParquetDataset(folder, modality, DIMENSION, options) as dataset:
        for row, embeddings in zip(INPUTS, EMBEDDINGS, strict=True):
            times_s = 0.5 * np.arange(len(embeddings)) if modality is Modality.AUDIO else None
            dataset.add(row, times_s, np.array_split(embeddings, 3))


def read(folder: Path, name: str = "audio") -> dict[str, list[Any]]:
    import pyarrow.dataset

    content: dict[str, list[Any]] = pyarrow.dataset.dataset(folder / name).to_table().to_pydict()
    return content


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups of 7 frames in float32, parts of 2 groups."""
    monkeypatch.setattr(parquet, "GROUP_BYTES", 7 * DIMENSION * 4 + 3)
    monkeypatch.setattr(parquet, "PART_GROUPS", 2)


# What is in a dataset


@pytest.mark.usefixtures("small_parts")
def test_every_frame_has_a_row(tmp_path: Path) -> None:
    write(tmp_path)
    rows = read(tmp_path)
    assert list(rows) == ["path", "label", "fold", "sha256", "frame", "timestamp_s", "embedding"]
    for name in ("path", "label", "fold", "sha256"):
        assert rows[name] == [getattr(row, name) for row in INPUTS for _ in range(row.frames)]
    assert rows["frame"] == [frame for row in INPUTS for frame in range(row.frames)]
    assert rows["timestamp_s"] == [0.5 * frame for frame in rows["frame"]]
    np.testing.assert_array_equal(rows["embedding"], np.concatenate(EMBEDDINGS))


def test_images_have_no_times(tmp_path: Path) -> None:
    write(tmp_path, modality=Modality.IMAGE)
    assert read(tmp_path, "image")["timestamp_s"] == [None] * 46


def test_a_file_s_row_has_its_mean(tmp_path: Path) -> None:
    write(tmp_path, ParquetOptions(Rows.FILES))
    rows = read(tmp_path)
    assert list(rows) == ["path", "label", "fold", "sha256", "frames", "duration_s", "embedding"]
    assert rows["path"] == [row.path for row in INPUTS]
    assert rows["frames"] == [5, 40, 1]
    assert rows["duration_s"] == [2.5, 20.0, 0.1]
    means = np.array([embeddings.mean(axis=0, dtype=np.float64) for embeddings in EMBEDDINGS])
    np.testing.assert_array_equal(rows["embedding"], means.astype(np.float32))


def test_a_file_s_row_has_its_mean_and_then_its_deviation(tmp_path: Path) -> None:
    write(tmp_path, ParquetOptions(Rows.FILES, Pooling.MEAN_STD))
    moments = [np.concatenate([e.mean(axis=0), e.std(axis=0)]) for e in EMBEDDINGS]
    np.testing.assert_allclose(read(tmp_path)["embedding"], moments, rtol=1e-6)


def test_a_file_without_a_duration_has_none(tmp_path: Path) -> None:
    with ParquetDataset(tmp_path, Modality.IMAGE, DIMENSION, ParquetOptions(Rows.FILES)) as dataset:
        dataset.add(ManifestRow("a.png", "image"), None, [EMBEDDINGS[0]])
    assert read(tmp_path, "image")["duration_s"] == [None]


@pytest.mark.parametrize(
    ("options", "pooling"),
    [
        (ParquetOptions(Rows.FRAMES, Pooling.MEAN_STD), "none"),
        (ParquetOptions(Rows.FILES, Pooling.MEAN), "mean"),
        (ParquetOptions(Rows.FILES, Pooling.MEAN_STD), "mean_std"),
    ],
    ids=["frames", "mean", "mean and deviation"],
)
@pytest.mark.usefixtures("small_parts")
def test_every_part_says_what_it_was_computed_with(
    tmp_path: Path, options: ParquetOptions, pooling: str
) -> None:
    import pyarrow.parquet

    write(tmp_path, options)
    parts = sorted(tmp_path.glob(PARTS))
    assert parts
    for part in parts:
        metadata = pyarrow.parquet.read_schema(part).metadata
        assert {key.decode(): value.decode() for key, value in metadata.items()} == {
            **MADE_WITH,
            "version": l3embed.__version__,
            "pooling": pooling,
        }


# Who opens it


def by_pandas(folder: Path) -> tuple[list[str], npt.NDArray[Any]]:
    import pandas

    frame = pandas.read_parquet(folder / "audio")
    return list(frame["path"]), np.stack(list(frame["embedding"]))


def by_polars(folder: Path) -> tuple[list[str], npt.NDArray[Any]]:
    import polars

    frame = polars.read_parquet(folder / PARTS)
    return frame["path"].to_list(), frame["embedding"].to_numpy()


def by_duckdb(folder: Path) -> tuple[list[str], npt.NDArray[Any]]:
    import duckdb

    rows = duckdb.sql(f"SELECT path, embedding FROM '{folder / PARTS}'").fetchall()
    return [row[0] for row in rows], np.array([row[1] for row in rows])


def by_pyarrow(folder: Path) -> tuple[list[str], npt.NDArray[Any]]:
    rows = read(folder)
    return rows["path"], np.array(rows["embedding"])


@pytest.mark.parametrize("reader", [by_pandas, by_polars, by_duckdb, by_pyarrow])
@pytest.mark.parametrize("dtype", Dtype, ids=lambda dtype: dtype.value)
@pytest.mark.parametrize("rows", Rows, ids=lambda rows: rows.value)
@pytest.mark.usefixtures("small_parts")
def test_it_opens(tmp_path: Path, reader: Reader, dtype: Dtype, rows: Rows) -> None:
    write(tmp_path, ParquetOptions(rows, dtype=dtype))
    paths, embeddings = reader(tmp_path)
    expected = EMBEDDINGS if rows is Rows.FRAMES else [e.mean(axis=0, keepdims=True) for e in EMBEDDINGS]
    assert paths == [row.path for row, e in zip(INPUTS, expected, strict=True) for _ in e]
    np.testing.assert_allclose(embeddings, np.concatenate(expected).astype(dtype.value), rtol=1e-6)


@pytest.mark.parametrize("dtype", Dtype, ids=lambda dtype: dtype.value)
def test_readers_see_lists_of_a_fixed_size(tmp_path: Path, dtype: Dtype) -> None:
    import polars
    import pyarrow as pa
    import pyarrow.parquet

    write(tmp_path, ParquetOptions(dtype=dtype))
    kind = pyarrow.parquet.read_schema(tmp_path / "audio/part-00000.parquet").field("embedding").type
    assert (kind.list_size, kind.value_type) == (DIMENSION, pa.from_numpy_dtype(dtype.value))
    assert polars.read_parquet_schema(tmp_path / "audio/part-00000.parquet")["embedding"].is_(
        polars.Array(polars.Float32 if dtype is Dtype.FLOAT32 else polars.Float16, DIMENSION)
    )


@pytest.mark.parametrize("dtype", Dtype, ids=lambda dtype: dtype.value)
@pytest.mark.usefixtures("small_parts")
def test_sql_reaches_into_embeddings(tmp_path: Path, dtype: Dtype) -> None:
    import duckdb

    write(tmp_path, ParquetOptions(dtype=dtype))
    means = duckdb.sql(
        f"SELECT label, count(*), avg(embedding[1]) FROM '{tmp_path / PARTS}' GROUP BY label ORDER BY label"
    ).fetchall()
    expected = sorted(
        (row.label, row.frames, e[:, 0].mean()) for row, e in zip(INPUTS, EMBEDDINGS, strict=True)
    )
    assert [row[:2] for row in means] == [row[:2] for row in expected]
    np.testing.assert_allclose([row[2] for row in means], [row[2] for row in expected], atol=1e-3)


@pytest.mark.usefixtures("small_parts")
def test_sql_finds_the_nearest_frame(tmp_path: Path) -> None:
    import duckdb

    write(tmp_path)
    ((frame,),) = duckdb.execute(
        f"SELECT frame FROM '{tmp_path / PARTS}' WHERE label = 'rain' ORDER BY "
        f"array_cosine_similarity(embedding::FLOAT[{DIMENSION}], ?::FLOAT[{DIMENSION}]) DESC LIMIT 1",
        [EMBEDDINGS[1][17].tolist()],
    ).fetchall()
    assert frame == 17


# How it lies in files


def row_groups(folder: Path) -> list[list[int]]:
    import pyarrow.parquet

    parts = [pyarrow.parquet.ParquetFile(path).metadata for path in sorted(folder.glob(PARTS))]
    return [[part.row_group(index).num_rows for index in range(part.num_row_groups)] for part in parts]


@pytest.mark.usefixtures("small_parts")
def test_row_groups_and_parts_are_bounded_whatever_the_length_of_a_file(tmp_path: Path) -> None:
    write(tmp_path)
    assert row_groups(tmp_path) == [[7, 7], [7, 7], [7, 7], [4]]
    assert sorted(path.name for path in (tmp_path / "audio").iterdir()) == [
        f"part-0000{number}.parquet" for number in range(4)
    ]


@pytest.mark.usefixtures("small_parts")
def test_a_dataset_may_end_with_a_full_part(tmp_path: Path) -> None:
    with ParquetDataset(tmp_path, Modality.AUDIO, DIMENSION, FRAMES) as dataset:
        dataset.add(INPUTS[1], np.arange(28.0), [EMBEDDINGS[1][:28]])
    assert row_groups(tmp_path) == [[7, 7], [7, 7]]


@pytest.mark.usefixtures("small_parts")
def test_half_floats_let_twice_as_many_rows_into_a_group(tmp_path: Path) -> None:
    write(tmp_path, ParquetOptions(dtype=Dtype.FLOAT16))
    assert row_groups(tmp_path) == [[14, 14], [14, 4]]


def test_a_part_holds_128_megabytes() -> None:
    assert parquet.PART_GROUPS * parquet.GROUP_BYTES == 128 * 2**20


@pytest.mark.parametrize("dtype", Dtype, ids=lambda dtype: dtype.value)
def test_numbers_are_compressed_and_not_looked_up(tmp_path: Path, dtype: Dtype) -> None:
    import pyarrow.parquet

    write(tmp_path, ParquetOptions(dtype=dtype))
    group = pyarrow.parquet.ParquetFile(tmp_path / "audio/part-00000.parquet").metadata.row_group(0)
    columns = {group.column(index).path_in_schema.split(".")[0]: group.column(index) for index in range(7)}
    assert columns["embedding"].compression == "ZSTD"
    assert not columns["embedding"].has_dictionary_page
    assert not columns["embedding"].is_stats_set
    assert ("BYTE_STREAM_SPLIT" in columns["embedding"].encodings) == (dtype is Dtype.FLOAT32)
    assert columns["path"].has_dictionary_page
    assert columns["path"].is_stats_set


@pytest.mark.usefixtures("small_parts")
def test_the_same_embeddings_give_the_same_bytes_in_whatever_blocks_they_come(tmp_path: Path) -> None:
    write(tmp_path / "one")
    with ParquetDataset(tmp_path / "other", Modality.AUDIO, DIMENSION, FRAMES) as dataset:
        for row, embeddings in zip(INPUTS, EMBEDDINGS, strict=True):
            dataset.add(row, 0.5 * np.arange(len(embeddings)), iter([embeddings]))
    for part in (tmp_path / "one").glob(PARTS):
        assert part.read_bytes() == (tmp_path / "other" / "audio" / part.name).read_bytes()


# Ends of all kinds


@pytest.mark.parametrize("rows", Rows, ids=lambda rows: rows.value)
def test_without_embeddings_there_is_no_folder(tmp_path: Path, rows: Rows) -> None:
    with ParquetDataset(tmp_path, Modality.AUDIO, DIMENSION, ParquetOptions(rows)) as dataset:
        dataset.add(INPUTS[0], np.empty(0), [EMBEDDINGS[0][:0]])
        dataset.add(INPUTS[0], np.empty(0), [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("small_parts")
def test_an_earlier_dataset_is_replaced(tmp_path: Path) -> None:
    write(tmp_path)
    with ParquetDataset(tmp_path, Modality.AUDIO, DIMENSION, FRAMES) as dataset:
        dataset.add(INPUTS[2], np.zeros(1), [EMBEDDINGS[2]])
    assert read(tmp_path)["path"] == ["loose.ogg"]


@pytest.mark.usefixtures("small_parts")
def test_an_earlier_dataset_goes_if_there_is_nothing_any_more(tmp_path: Path) -> None:
    write(tmp_path)
    with ParquetDataset(tmp_path, Modality.AUDIO, DIMENSION, FRAMES):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("small_parts")
def test_a_failure_leaves_whole_parts_only(tmp_path: Path) -> None:
    def blocks() -> Iterator[npt.NDArray[np.float32]]:
        yield EMBEDDINGS[1][:25]
        raise OSError("The disk is on fire.")

    with (
        pytest.raises(OSError, match="on fire"),
        ParquetDataset(tmp_path, Modality.AUDIO, DIMENSION, FRAMES) as dataset,
    ):
        dataset.add(INPUTS[1], np.arange(40.0), blocks())
    assert [path.name for path in (tmp_path / "audio").iterdir()] == ["part-00000.parquet"]
    assert row_groups(tmp_path) == [[7, 7]]


def test_a_failure_at_the_end_leaves_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet

    def fail(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(pyarrow.parquet.ParquetWriter, "write_table", fail)
    dataset = ParquetDataset(tmp_path, Modality.AUDIO, DIMENSION, FRAMES)
    with pytest.raises(OSError, match="No space left"), dataset:
        dataset.add(INPUTS[2], np.zeros(1), [EMBEDDINGS[2]])
    assert list((tmp_path / "audio").iterdir()) == []


def test_a_number_beyond_half_floats_is_an_error(tmp_path: Path) -> None:
    embeddings = np.zeros((2, DIMENSION), np.float32)
    embeddings[1, 3] = -70_000
    options = ParquetOptions(dtype=Dtype.FLOAT16)
    with (
        pytest.raises(OpenL3Error, match=r"bells/a\.wav holds 70000, and float16 ends at 65504\. Set export"),
        ParquetDataset(tmp_path, Modality.AUDIO, DIMENSION, options) as dataset,
    ):
        dataset.add(INPUTS[0], np.zeros(2), [embeddings])


def test_embeddings_of_another_dimension_are_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(OpenL3Error, match=r"bells/a\.wav have the shape \(5, 7\); .* dimension is 8"),
        ParquetDataset(tmp_path, Modality.AUDIO, DIMENSION, FRAMES) as dataset,
    ):
        dataset.add(INPUTS[0], np.zeros(5), [EMBEDDINGS[0][:, :7]])


def test_embeddings_without_a_time_are_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(OpenL3Error, match=r"bells/a\.wav has more embeddings than timestamps: 4"),
        ParquetDataset(tmp_path, Modality.AUDIO, DIMENSION, FRAMES) as dataset,
    ):
        dataset.add(INPUTS[0], np.zeros(4), np.array_split(EMBEDDINGS[0], 2))


def test_each_row_keeps_what_the_manifest_says_of_it(tmp_path: Path) -> None:
    """One path with two checksums: rows are not told apart by their paths."""
    with ParquetDataset(tmp_path, Modality.AUDIO, DIMENSION, FRAMES) as dataset:
        for checksum in ("aa", "bb"):
            dataset.add(replace(INPUTS[2], sha256=checksum), np.zeros(1), [EMBEDDINGS[2]])
    assert read(tmp_path)["sha256"] == ["aa", "bb"]


MEMORY_PROGRAM = """
import resource, sys
from pathlib import Path
import numpy as np
import pyarrow.parquet
from l3embed.export.manifest import ManifestRow
from l3embed.export.parquet import ParquetDataset, ParquetOptions
from l3embed.variants import Modality

rng = np.random.default_rng(0)
times_s = np.arange(200_000) / 10
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with ParquetDataset(Path(sys.argv[1]), Modality.AUDIO, 512, ParquetOptions()) as dataset:
    blocks = (rng.random((1000, 512), np.float32) for _ in range(200))
    dataset.add(ManifestRow("long.wav", "audio"), times_s, blocks)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_memory_does_not_grow_with_a_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MEMORY_PROGRAM, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    megabytes = 200_000 * 512 * 4 / 2**20
    assert float(done.stdout) < megabytes / 2
    assert sum(sum(groups) for groups in row_groups(tmp_path)) == 200_000

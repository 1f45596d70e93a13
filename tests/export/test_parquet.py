"""Parquet datasets: what is in them, how it lies in files, and what becomes of them in the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from conftest import NEEDS_OWN_PEAK, OWN_PEAK, run_child

import l3embed
from l3embed.disk.rows import read_npz_rows
from l3embed.errors import OpenL3Error
from l3embed.export import parquet
from l3embed.export.formats import Dtype, Embedded, Pooling, RowLayout, Rows

from .conftest import AUDIO, DIMENSION, EMBEDDINGS, INPUTS, MADE_WITH, PARTS, Array, One, read

FRAMES = RowLayout()

# What is in a dataset


@pytest.mark.usefixtures("small_parts")
def test_every_frame_has_a_row(tmp_path: Path, inputs: list[Embedded]) -> None:
    parquet.write(tmp_path, inputs, FRAMES)
    rows = read(tmp_path)
    assert list(rows) == ["path", "label", "fold", "sha256", "frame", "timestamp_s", "embedding"]
    for name in ("path", "label", "fold", "sha256"):
        assert rows[name] == [getattr(row, name) for row in INPUTS for _ in range(row.frames)]
    assert rows["frame"] == [frame for row in INPUTS for frame in range(row.frames)]
    assert rows["timestamp_s"] == [0.5 * frame for frame in rows["frame"]]
    np.testing.assert_array_equal(rows["embedding"], np.concatenate(EMBEDDINGS))


def test_images_have_no_times(tmp_path: Path, one: One) -> None:
    parquet.write(tmp_path, one(replace(INPUTS[0], modality="image"), EMBEDDINGS[0]), FRAMES)
    assert read(tmp_path, "image")["timestamp_s"] == [None] * 5


def test_each_modality_has_its_own_dataset(tmp_path: Path, inputs: list[Embedded], one: One) -> None:
    wider = np.ones((2, DIMENSION + 1), np.float32)
    row = replace(INPUTS[0], path="a.png", modality="image", dimension=DIMENSION + 1, frames=2)
    parquet.write(tmp_path, [inputs[0], *one(row, wider), *inputs[1:]], FRAMES)
    assert read(tmp_path, "image")["path"] == ["a.png", "a.png"]
    assert len(read(tmp_path)["path"]) == 46


def test_a_file_s_row_has_its_mean(tmp_path: Path, inputs: list[Embedded]) -> None:
    parquet.write(tmp_path, inputs, RowLayout(Rows.FILES))
    rows = read(tmp_path)
    assert list(rows) == ["path", "label", "fold", "sha256", "frames", "duration_s", "embedding"]
    assert rows["path"] == [row.path for row in INPUTS]
    assert rows["frames"] == [5, 40, 1]
    assert rows["duration_s"] == [2.5, 20.0, 0.1]
    means = np.array([embeddings.mean(axis=0, dtype=np.float64) for embeddings in EMBEDDINGS])
    np.testing.assert_array_equal(rows["embedding"], means.astype(np.float32))


def test_a_file_s_row_has_its_mean_and_then_its_deviation(tmp_path: Path, inputs: list[Embedded]) -> None:
    parquet.write(tmp_path, inputs, RowLayout(Rows.FILES, Pooling.MEAN_STD))
    moments = [np.concatenate([e.mean(axis=0), e.std(axis=0)]) for e in EMBEDDINGS]
    np.testing.assert_allclose(read(tmp_path)["embedding"], moments, rtol=1e-6)


def test_a_half_float_is_the_nearest_to_the_mean(tmp_path: Path, one: One) -> None:
    """And not to the mean in float32, which lies halfway between two of them here."""
    embeddings = np.ones((4, DIMENSION), np.float32)
    embeddings[0] += 4 * (2.0**-11)
    embeddings[1] += 2.0**-23
    mean = embeddings.mean(axis=0, dtype=np.float64)
    parquet.write(
        tmp_path, one(replace(INPUTS[0], frames=4), embeddings), RowLayout(Rows.FILES, dtype=Dtype.FLOAT16)
    )
    assert (mean.astype(np.float32).astype(np.float16) != mean.astype(np.float16)).all()
    np.testing.assert_array_equal(read(tmp_path)["embedding"], [mean.astype(np.float16)])


def test_a_file_without_a_duration_has_none(tmp_path: Path, one: One) -> None:
    row = replace(INPUTS[0], path="a.png", modality="image", duration_s=None)
    parquet.write(tmp_path, one(row, EMBEDDINGS[0]), RowLayout(Rows.FILES))
    assert read(tmp_path, "image")["duration_s"] == [None]


@pytest.mark.parametrize(
    ("options", "pooling"),
    [
        (RowLayout(Rows.FRAMES, Pooling.MEAN_STD), "none"),
        (RowLayout(Rows.FILES, Pooling.MEAN), "mean"),
        (RowLayout(Rows.FILES, Pooling.MEAN_STD), "mean_std"),
    ],
    ids=["frames", "mean", "mean and deviation"],
)
@pytest.mark.usefixtures("small_parts")
def test_every_part_says_what_it_was_computed_with(
    tmp_path: Path, inputs: list[Embedded], options: RowLayout, pooling: str
) -> None:
    import pyarrow.parquet

    parquet.write(tmp_path, inputs, options)
    parts = sorted(tmp_path.glob(PARTS))
    assert parts
    for part in parts:
        metadata = pyarrow.parquet.read_schema(part).metadata
        assert {key.decode(): value.decode() for key, value in metadata.items()} == {
            **MADE_WITH,
            "version": l3embed.__version__,
            "pooling": pooling,
        }


# How it lies in files


def row_groups(folder: Path) -> list[list[int]]:
    import pyarrow.parquet

    parts = [pyarrow.parquet.ParquetFile(path).metadata for path in sorted(folder.glob(PARTS))]
    return [[part.row_group(index).num_rows for index in range(part.num_row_groups)] for part in parts]


@pytest.mark.usefixtures("small_parts")
def test_row_groups_and_parts_are_bounded_whatever_the_length_of_a_file(
    tmp_path: Path, inputs: list[Embedded]
) -> None:
    parquet.write(tmp_path, inputs, FRAMES)
    assert row_groups(tmp_path) == [[7, 7], [7, 7], [7, 7], [4]]
    assert sorted(path.name for path in (tmp_path / AUDIO).iterdir()) == [
        f"part-0000{number}.parquet" for number in range(4)
    ]


@pytest.mark.usefixtures("small_parts")
def test_a_dataset_may_end_with_a_full_part(tmp_path: Path, one: One) -> None:
    parquet.write(tmp_path, one(INPUTS[1], EMBEDDINGS[1][:28], np.arange(28.0)), FRAMES)
    assert row_groups(tmp_path) == [[7, 7], [7, 7]]


@pytest.mark.usefixtures("small_parts")
def test_half_floats_let_twice_as_many_rows_into_a_group(tmp_path: Path, inputs: list[Embedded]) -> None:
    parquet.write(tmp_path, inputs, RowLayout(dtype=Dtype.FLOAT16))
    assert row_groups(tmp_path) == [[14, 14], [14, 4]]


def test_a_part_holds_128_megabytes() -> None:
    assert parquet.PART_GROUPS * parquet.GROUP_BYTES == 128 * 2**20


@pytest.mark.parametrize("dtype", Dtype, ids=lambda dtype: dtype.value)
def test_numbers_are_compressed_and_not_looked_up(
    tmp_path: Path, inputs: list[Embedded], dtype: Dtype
) -> None:
    import pyarrow.parquet

    parquet.write(tmp_path, inputs, RowLayout(dtype=dtype))
    group = pyarrow.parquet.ParquetFile(tmp_path / f"{AUDIO}/part-00000.parquet").metadata.row_group(0)
    columns = {group.column(index).path_in_schema.split(".")[0]: group.column(index) for index in range(7)}
    assert columns["embedding"].compression == "ZSTD"
    assert not columns["embedding"].has_dictionary_page
    assert not columns["embedding"].is_stats_set
    assert ("BYTE_STREAM_SPLIT" in columns["embedding"].encodings) == (dtype is Dtype.FLOAT32)
    assert columns["path"].has_dictionary_page
    assert columns["path"].is_stats_set


@pytest.mark.parametrize("rows", [1, 3, 40])
@pytest.mark.usefixtures("small_parts")
def test_the_same_embeddings_give_the_same_bytes_in_whatever_blocks_they_are_read(
    tmp_path: Path, inputs: list[Embedded], rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet.write(tmp_path / "one", inputs, FRAMES)
    monkeypatch.setattr(parquet, "read_npz_rows", partial(read_npz_rows, rows=rows))
    parquet.write(tmp_path / "other", inputs, FRAMES)
    for part in (tmp_path / "one").glob(PARTS):
        assert part.read_bytes() == (tmp_path / "other" / AUDIO / part.name).read_bytes()


# Ends of all kinds


@pytest.mark.parametrize("rows", Rows, ids=lambda rows: rows.value)
def test_without_embeddings_there_is_no_folder(tmp_path: Path, rows: Rows, one: One) -> None:
    nothing = one(replace(INPUTS[0], frames=0), EMBEDDINGS[0][:0], np.empty(0))
    parquet.write(tmp_path, nothing, RowLayout(rows))
    parquet.write(tmp_path, [], RowLayout(rows))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("small_parts")
def test_an_earlier_dataset_is_replaced(tmp_path: Path, inputs: list[Embedded]) -> None:
    parquet.write(tmp_path, inputs, FRAMES)
    parquet.write(tmp_path, inputs[2:], FRAMES)
    assert read(tmp_path)["path"] == ["loose.ogg"]


@pytest.mark.usefixtures("small_parts")
def test_an_earlier_dataset_goes_if_there_is_nothing_any_more(tmp_path: Path, inputs: list[Embedded]) -> None:
    parquet.write(tmp_path, inputs, FRAMES)
    parquet.write(tmp_path, [], FRAMES)
    assert list(tmp_path.iterdir()) == []


def burning(*_: object) -> Iterator[Array]:
    yield EMBEDDINGS[1][:25]
    raise OSError("The disk is on fire.")


@pytest.mark.usefixtures("small_parts")
def test_a_failure_leaves_nothing(
    tmp_path: Path, inputs: list[Embedded], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "read_npz_rows", burning)
    with pytest.raises(OSError, match="on fire"):
        parquet.write(tmp_path, inputs[1:], FRAMES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("small_parts")
def test_a_failure_leaves_the_earlier_dataset(
    tmp_path: Path, inputs: list[Embedded], monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet.write(tmp_path, inputs[2:], FRAMES)
    monkeypatch.setattr(parquet, "read_npz_rows", burning)
    with pytest.raises(OSError, match="on fire"):
        parquet.write(tmp_path, inputs[1:], FRAMES)
    assert read(tmp_path)["path"] == ["loose.ogg"]


def test_a_failure_at_the_end_leaves_no_part(
    tmp_path: Path, inputs: list[Embedded], monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet

    def fail(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(pyarrow.parquet.ParquetWriter, "write_table", fail)
    with pytest.raises(OSError, match="No space left"):
        parquet.write(tmp_path, inputs, FRAMES)
    assert list(tmp_path.iterdir()) == []


KILLED_PROGRAM = """
import os, sys
from pathlib import Path
import numpy as np
from l3embed.export import parquet
from l3embed.export.formats import Embedded, RowLayout
from l3embed.export.manifest import ManifestRow

def blocks(*_):
    yield np.ones((40, 8), np.float32)
    os._exit(9)

parquet.GROUP_BYTES, parquet.read_npz_rows = 7 * 8 * 4, blocks
folder = Path(sys.argv[1])
np.savez(folder / "a.npz", timestamps=np.arange(40.0))
row = ManifestRow("a.wav", "audio", frames=40, dimension=8)
parquet.write(folder, [Embedded(row, folder / "a.npz", folder)], RowLayout())
"""


def test_a_killed_process_leaves_no_dataset_and_the_next_one_tidies_up(
    tmp_path: Path, inputs: list[Embedded]
) -> None:
    run_child([sys.executable, "-c", KILLED_PROGRAM, tmp_path], status=9)
    assert not (tmp_path / "parquet").exists()
    assert list(tmp_path.rglob("part-*"))
    parquet.write(tmp_path, inputs, FRAMES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "parquet"]
    assert len(read(tmp_path)["path"]) == 46


def test_a_number_beyond_half_floats_is_an_error(tmp_path: Path, one: One) -> None:
    embeddings = np.zeros((2, DIMENSION), np.float32)
    embeddings[1, 3] = -70_000
    with pytest.raises(
        OpenL3Error, match=r"bells/a\.wav holds 70000, and float16 ends at 65504\. Set export\.dtype=float32"
    ):
        parquet.write(tmp_path, one(INPUTS[0], embeddings, np.zeros(2)), RowLayout(dtype=Dtype.FLOAT16))


def test_embeddings_of_another_dimension_are_an_error(tmp_path: Path, one: One) -> None:
    with pytest.raises(OpenL3Error, match=r"bells/a\.wav have the shape \(5, 7\); .* dimension is 8"):
        parquet.write(tmp_path, one(INPUTS[0], EMBEDDINGS[0][:, :7], np.zeros(5)), FRAMES)


def test_embeddings_without_a_time_are_an_error(tmp_path: Path, one: One) -> None:
    with pytest.raises(OpenL3Error, match=r"bells/a\.wav has more embeddings than timestamps: 4"):
        parquet.write(tmp_path, one(INPUTS[0], EMBEDDINGS[0], np.zeros(4)), FRAMES)


def test_each_row_keeps_what_the_manifest_says_of_it(tmp_path: Path, one: One) -> None:
    """One path with two checksums: rows are not told apart by their paths."""
    twice = [
        one(replace(INPUTS[2], sha256=checksum), EMBEDDINGS[2], np.zeros(1))[0] for checksum in ("aa", "bb")
    ]
    parquet.write(tmp_path, twice, FRAMES)
    assert read(tmp_path)["sha256"] == ["aa", "bb"]


MEMORY_PROGRAM = """
import sys
from pathlib import Path
import numpy as np
import pyarrow.parquet
from l3embed.disk.rows import RowSpool
from l3embed.export import parquet
from l3embed.export.formats import Embedded, RowLayout
from l3embed.export.manifest import ManifestRow

folder = Path(sys.argv[1])
rng = np.random.default_rng(0)
with RowSpool(folder) as spool:
    for _ in range(200):
        spool.append(rng.random((1000, 512), np.float32))
    spool.save_npz(folder / "long.npz", "embedding", {"timestamps": np.arange(200_000) / 10})
before = own_peak_kib()
row = ManifestRow("long.wav", "audio", frames=200_000, dimension=512)
parquet.write(folder, [Embedded(row, folder / "long.npz", folder)], RowLayout())
print((own_peak_kib() - before) / 1024)
"""


@NEEDS_OWN_PEAK
def test_memory_does_not_grow_with_a_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OWN_PEAK + MEMORY_PROGRAM, str(tmp_path)]
    done = run_child(command)
    megabytes = 200_000 * 512 * 4 / 2**20
    assert float(done.stdout) < megabytes / 2
    assert sum(sum(groups) for groups in row_groups(tmp_path)) == 200_000

"""Tables of inputs are read by columns, and what is wrong with them is told at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from l3embed.errors import OpenL3Error
from l3embed.listings.listing_table import COLUMNS, read_listing, write_listing


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding=encoding)
    return path


def column(path: Path, name: str) -> list[Any]:
    values: list[Any] = read_listing(path).table.column(name).to_pylist()
    return values


def test_csv_and_parquet_say_the_same(tmp_path: Path) -> None:
    rows: dict[str, list[Any]] = {
        "path": ["a.wav", "b.wav"],
        "label": ["01", None],
        "start_s": [None, 2.5],
        "bytes": [7, None],
    }
    for name in ("clips.csv", "clips.parquet"):
        write_listing(tmp_path / name, {**rows})
    csv, parquet = (read_listing(tmp_path / name) for name in ("clips.csv", "clips.parquet"))
    assert csv.table.equals(parquet.table)
    assert csv.table.column_names == list(COLUMNS)
    assert {name: csv.table.column(name).to_pylist() for name in rows} == rows


def test_numbers_may_be_labels_and_pandas_nan_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "clips.parquet"
    table = {"path": pa.array(["a.wav", "b.wav"]).dictionary_encode(), "label": [1, 2]}
    pq.write_table(pa.table(table | {"end_s": [float("nan"), 3.0]}), path)
    assert column(path, "path") == ["a.wav", "b.wav"]
    assert column(path, "label") == ["1", "2"]
    assert column(path, "end_s") == [None, 3.0]


def test_names_may_hold_any_signs(tmp_path: Path) -> None:
    path = write(tmp_path / "clips.csv", 'path,label\n"a, ""b"".wav",x\n"new\nline.wav",y\nnull,z\n')
    assert column(path, "path") == ['a, "b".wav', "new\nline.wav", "null"]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    assert column(write(tmp_path / "clips.csv", "path\na.wav\n", "utf-8-sig"), "path") == ["a.wav"]


def test_columns_without_a_meaning_are_told(tmp_path: Path) -> None:
    path = write(tmp_path / "clips.csv", "path,speaker,start\na.wav,x,1\n")
    assert read_listing(path).unused == ("speaker", "start")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", r"clips\.csv is empty"),
        ("path,label\n", "has no rows"),
        (
            "file,label\na.wav,x\n",
            r"must have the column path, .* it has: 'file', 'label'",
        ),
        ("path;label\na.wav;x\n", "Separate columns with commas, not semicolons"),
        ("path,path\na.wav,b.wav\n", "has the column path twice"),
        ("path,label\na.wav,x\n,y\n", "Row 3 of .* has no path"),
        ("path,start_s\na.wav,1\nb.wav,soon\n", "column start_s of .* a number of seconds; Row 3 has 'soon'"),
        ("path,bytes\na.wav,1.5\n", r"column bytes of .* a whole number; Row 2 has '1\.5'"),
        ("path,label\na.wav\n", r"could not be read: .*Expected 2 columns, got 1"),
    ],
)
def test_what_is_no_listing_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(OpenL3Error, match=reason):
        read_listing(write(tmp_path / "clips.csv", text))


def test_a_file_that_is_not_there_or_no_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpenL3Error, match=r"There is no listing .*Make one: l3embed list"):
        read_listing(tmp_path / "clips.parquet")
    with pytest.raises(OpenL3Error, match=r"clips\.parquet could not be read"):
        read_listing(write(tmp_path / "clips.parquet", "no table"))
    with pytest.raises(OpenL3Error, match=r"clips\.csv could not be read"):
        read_listing(write(tmp_path / "clips.csv", "path\nä.wav\n", "latin-1"))

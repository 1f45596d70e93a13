"""Labels of files, from folders and from tables."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from l3embed.errors import OpenL3Error
from l3embed.export.labels import FolderLabels, Label, LabelTable, assign_labels


def write_table(folder: Path, text: str, encoding: str = "utf-8") -> LabelTable:
    path = folder / "labels.csv"
    path.write_bytes(text.encode(encoding))
    return LabelTable(path)


def test_a_folders_name_is_the_class_of_the_files_directly_in_it() -> None:
    labels = assign_labels(["top.wav", "dog/a.wav", "train/cat/b v1.2.wav"], FolderLabels())
    assert labels == {"dog/a.wav": Label("dog"), "train/cat/b v1.2.wav": Label("cat")}


def test_without_a_source_there_are_no_labels() -> None:
    assert assign_labels(["dog/a.wav"], None) == {}


def test_a_table_gives_labels_and_folds_and_may_have_more_columns(tmp_path: Path) -> None:
    table = write_table(tmp_path, "fold,licence,path,label\n3,CC0,x/a.wav,dog\n4,CC0,b.wav,cat\n")
    labels = assign_labels(["b.wav", "x/a.wav"], table)
    assert labels == {"x/a.wav": Label("dog", "3"), "b.wav": Label("cat", "4")}


def test_a_table_without_folds_gives_none(tmp_path: Path) -> None:
    assert assign_labels(["a.wav"], write_table(tmp_path, "path,label\na.wav,dog\n")) == {
        "a.wav": Label("dog")
    }


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("path,label\n./x/a b.wav,dog\n", id="dot"),
        pytest.param("path,label\nx\\a b.wav,dog\n", id="backslash"),
        pytest.param("path,label\n.\\x\\a b.wav,dog\n", id="dot and backslash"),
        pytest.param("\ufeffpath,label\nx/a b.wav,dog\n", id="byte order mark"),
        pytest.param("path, label\n x/a b.wav , dog \n", id="spaces"),
        pytest.param("path,label\r\nx/a b.wav,dog\r\n\r\n", id="Windows lines and a blank one"),
        pytest.param('"path","label"\n"x/a b.wav","dog"\n', id="quotes"),
        pytest.param("path,label\nx/a b.wav,dog\nx/a b.wav,dog\n", id="the same twice"),
        pytest.param("path,label\nx/a b.wav,dog,,\n", id="empty cells at the end"),
    ],
)
def test_tables_are_read_as_people_write_them(tmp_path: Path, text: str) -> None:
    assert assign_labels(["x/a b.wav"], write_table(tmp_path, text)) == {"x/a b.wav": Label("dog")}


@pytest.mark.parametrize("files", ["NFC", "NFD"])
@pytest.mark.parametrize("rows", ["NFC", "NFD"])
def test_accents_match_however_they_are_written(tmp_path: Path, files: str, rows: str) -> None:
    path = unicodedata.normalize(files, "é/Ü 한.wav")  # type: ignore[arg-type]
    row = unicodedata.normalize(rows, "é/Ü 한.wav")  # type: ignore[arg-type]
    labels = assign_labels([path], write_table(tmp_path, f"path,label\n{row},dog\n"))
    assert labels == {path: Label("dog")}


def test_a_name_with_a_backslash_is_found_as_it_is(tmp_path: Path) -> None:
    labels = assign_labels(["x\\a.wav", "x/a.wav"], write_table(tmp_path, "path,label\nx\\a.wav,dog\n"))
    assert labels == {"x\\a.wav": Label("dog")}


@pytest.mark.parametrize("row", ["a.wav,", "a.wav"], ids=["empty label", "no cell"])
def test_files_without_a_row_or_with_an_empty_label_have_none(tmp_path: Path, row: str) -> None:
    table = write_table(tmp_path, f"path,label\n{row}\nb.wav,cat\n")
    assert assign_labels(["a.wav", "b.wav", "c.wav"], table) == {"b.wav": Label("cat")}


def test_a_path_of_two_modalities_has_one_label(tmp_path: Path) -> None:
    table = write_table(tmp_path, "path,label\na.mp4,dog\n")
    assert assign_labels(["a.mp4", "a.mp4"], table) == {"a.mp4": Label("dog")}


def test_a_dataset_without_files_has_no_labels(tmp_path: Path) -> None:
    assert assign_labels([], write_table(tmp_path, "path,label\na.wav,dog\n")) == {}


def test_rows_without_a_file_are_counted_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write_table(tmp_path, "path,label\na.wav,dog\ngone.wav,cat\nlost.wav,cat\n")
    assert assign_labels(["a.wav"], table) == {"a.wav": Label("dog")}
    said = capsys.readouterr().err
    assert "2 of 3 rows" in said
    assert "row 3: gone.wav" in said


def test_nothing_is_said_if_every_row_has_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assign_labels(["a.wav"], write_table(tmp_path, "path,label\na.wav,dog\n"))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "file,class\na.wav,dog\n", "columns path and label.*it has: 'file', 'class'", id="columns"
        ),
        pytest.param(
            "path;label\na.wav;dog\n", "it has: 'path;label'. Separate.*not semicolons", id="semicolons"
        ),
        pytest.param("path\tlabel\na.wav\tdog\n", "Separate columns with commas, not tabs", id="tabs"),
        pytest.param("", "it has: none", id="empty"),
        pytest.param("path,label\n", "has no rows below its header", id="no rows"),
        pytest.param("path,label\na.wav,dog\n,cat\n", "Row 3 of .* has no path", id="no path"),
        pytest.param("path,label\na, b.wav,dog\n", "Row 2 of .* has 3 cells for 2 columns", id="bare comma"),
        pytest.param(
            "path,label\na.wav,dog\nb.wav,cat\n./a.wav,cat\n",
            r"Rows 2 and 4 of .* disagree on '\./a\.wav': label 'dog', and label 'cat'",
            id="two labels",
        ),
        pytest.param(
            "path,label,fold\na.wav,dog,1\na.wav,dog,2\n",
            "Rows 2 and 3 of .* label 'dog' in fold '1', and label 'dog' in fold '2'",
            id="two folds",
        ),
        pytest.param(
            "path,label\n/home/me/a.wav,dog\n",
            "None of the 1 paths .* The table has '/home/me/a.wav', the dataset has 'a.wav'",
            id="no match",
        ),
    ],
)
def test_errors_say_what_is_wrong_with_a_table(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(OpenL3Error, match=message):
        assign_labels(["a.wav", "b.wav"], write_table(tmp_path, text))


def test_a_table_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(OpenL3Error, match=r"no table of labels .*nowhere\.csv"):
        assign_labels(["a.wav"], LabelTable(tmp_path / "nowhere.csv"))


def test_a_table_must_be_utf_8(tmp_path: Path) -> None:
    with pytest.raises(OpenL3Error, match=r"not UTF-8 \(at byte 11\)"):
        assign_labels(["é.wav"], write_table(tmp_path, "path,label\né.wav,dog\n", encoding="latin-1"))


def test_a_file_that_is_no_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(OpenL3Error, match=r"labels\.csv cannot be read as CSV"):
        assign_labels(["a.wav"], write_table(tmp_path, 'path,label\n"' + "x" * 200_000))

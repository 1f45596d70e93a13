"""Files that appear all at once, and what is left of those whose process was killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from l3embed.disk.atomic import remove_all_left_behind, replacing


def write_half(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError


def test_a_file_stays_as_it_was_when_writing_another_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError):
        write_half(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_text() == "before"


def test_only_temporary_files_are_taken_for_left_behind(tmp_path: Path) -> None:
    with replacing(tmp_path / "a.txt") as temporary:
        temporary.touch()
        left = temporary.name
    (tmp_path / left).touch()
    kept = [".hidden.tmp", ".0123456789abcdeg.tmp", "0123456789abcdef.tmp", "a.txt"]
    for name in kept:
        (tmp_path / name).touch()
    remove_all_left_behind(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(kept)


def test_a_folder_that_is_not_there_has_nothing_left_behind(tmp_path: Path) -> None:
    remove_all_left_behind(tmp_path / "none")

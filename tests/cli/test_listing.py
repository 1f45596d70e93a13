"""``l3embed list``: a table of a folder's files, and words of what is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from l3embed.cli.main import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a.wav", "b/c.PNG", "d.mp4", "notes.txt"):
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_bytes(b"12345")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_says_what_is_in_the_listing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "mine", "-o", "clips.csv"]) == 0
    expected = "clips.csv: 3 rows, 0.0 MB: 3 new, 0 changed, 0 unchanged, 0 gone; 1 other file left out\n"
    assert capsys.readouterr().out == expected
    (folder / "mine" / "a.wav").unlink()
    assert main(["list", "mine", "-o", "clips.csv"]) == 0
    assert ": 0 new, 0 changed, 2 unchanged, 1 gone;" in capsys.readouterr().out


def test_what_could_not_be_read_is_named_and_the_rest_is_listed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mine" / "shard.tar").write_bytes(b"no shard" * 100)
    assert main(["list", "mine", "-o", "clips.csv"]) == 1
    said = capsys.readouterr()
    assert "mine/shard.tar is no plain .tar" in said.err
    assert said.out.startswith("clips.csv: 3 rows")


def test_a_source_that_is_not_there_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "yours", "-o", "clips.csv"]) == 1
    assert capsys.readouterr().err == "l3embed: error: There is no folder yours.\n"

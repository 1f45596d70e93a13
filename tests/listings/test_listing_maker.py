"""Listings are made of folders, shards and servers, and made anew without reading what has not changed."""

from __future__ import annotations

import csv
import hashlib
import os
import tarfile
from pathlib import Path

import pytest

from l3embed.errors import OpenL3Error
from l3embed.listings.listing_maker import Made, make_listing
from l3embed.listings.listing_table import read_listing

from .conftest import FILES, content
from .servers import WebServer


def make(root: Path | str, listing: Path, *, checksums: bool = False) -> Made:
    return make_listing(str(root), listing, lambda name: name.endswith(".wav"), checksums=checksums)


def counts(made: Made) -> tuple[int, int, int, int]:
    return made.new, made.changed, made.unchanged, made.gone


def rows(listing: Path) -> list[dict[str, str]]:
    with listing.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    return tmp_path / "lists" / "clips.csv"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with files of several kinds in it."""
    folder = tmp_path / "files"
    (folder / "deep" / ".hidden").mkdir(parents=True)
    for name in ("b.wav", "deep/a.wav", "deep/c.txt", ".d.wav", "deep/.hidden/e.wav"):
        (folder / name).write_bytes(name.encode())
    return folder


def test_a_folder_is_listed_from_where_the_listing_lies(files: Path, listing: Path) -> None:
    made = make(files, listing)
    assert [row["path"] for row in rows(listing)] == ["../files/b.wav", "../files/deep/a.wav"]
    assert [int(row["bytes"]) for row in rows(listing)] == [5, 10]
    assert (counts(made), made.left.others, made.bytes) == ((2, 0, 0, 0), 1, 15)


def test_made_anew_it_tells_what_has_changed(files: Path, listing: Path) -> None:
    make(files, listing)
    before = listing.read_bytes()
    assert counts(make(files, listing)) == (0, 0, 2, 0)
    assert listing.read_bytes() == before  # so that nothing that depends on it runs again

    (files / "b.wav").unlink()
    (files / "new.wav").touch()
    os.utime(files / "deep" / "a.wav", ns=(1, 1))
    assert counts(make(files, listing)) == (1, 1, 0, 1)
    assert listing.read_bytes() != before


def test_checksums_are_computed_of_what_has_changed_only(
    files: Path, listing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(files, listing, checksums=True)
    expected = [hashlib.sha256(name).hexdigest() for name in (b"b.wav", b"deep/a.wav")]
    assert [row["sha256"] for row in rows(listing)] == expected

    (files / "b.wav").write_bytes(b"other")
    opened: list[object] = []

    def note(opening: object) -> str:
        opened.append(opening)
        return "0" * 64

    monkeypatch.setattr("l3embed.listings.listing_maker._checksum", note)
    make(files, listing, checksums=True)
    assert len(opened) == 1
    assert [row["sha256"] for row in rows(listing)] == ["0" * 64, expected[1]]


def test_what_people_have_added_stays(files: Path, listing: Path) -> None:
    make(files, listing)
    listing.write_text(
        "path,label,start_s,end_s,note\n../files/b.wav,dog,0,1,x\n../files/b.wav,cat,1,2.5,x\n",
        encoding="utf-8",
    )
    made = make(files, listing)
    assert made.unkept == ("note",)
    kept = [(row["path"], row["label"], row["start_s"], row["end_s"]) for row in rows(listing)]
    assert kept == [
        ("../files/b.wav", "dog", "0", "1"),
        ("../files/b.wav", "cat", "1", "2.5"),
        ("../files/deep/a.wav", "", "", ""),
    ]


def test_members_of_a_shard_are_listed_with_their_places(folder: Path) -> None:
    listing = folder / "clips.csv"
    make(folder / "shard.tar", listing)
    whole = (folder / "shard.tar").read_bytes()
    found = rows(listing)
    assert sorted(row["path"] for row in found) == sorted(f"tar://a/{n}.wav::shard.tar" for n in range(FILES))
    for row in found:
        number = int(row["path"].split("/")[3].split(".")[0])
        start = int(row["offset"])
        assert whole[start : start + int(row["bytes"])] == content(number)


def test_a_shard_that_has_not_changed_is_not_read_again(
    folder: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = folder / "clips.csv"
    make(f"{web.address}/shard.tar", listing)
    before = listing.read_bytes()
    assert web.asked["/shard.tar"] > 0
    web.asked.clear()
    assert counts(make(f"{web.address}/shard.tar", listing)) == (0, 0, FILES, 0)
    assert not web.asked["/shard.tar"]
    assert listing.read_bytes() == before


def test_a_shard_that_is_cut_short_costs_no_whole_member(folder: Path) -> None:
    whole = (folder / "shard.tar").read_bytes()
    (folder / "shard.tar").write_bytes(whole[: whole.index(content(5)) + 9])
    made = make(folder / "shard.tar", folder / "clips.csv")
    assert made.rows == 5
    assert [reason for _, reason in made.left.faults] == [
        f"The shard {folder}/shard.tar is cut short: it ends within a member."
    ]


def test_names_that_no_listing_can_hold_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"a")
    with tarfile.open(tmp_path / "s.tar", "w") as shard:
        shard.add(tmp_path / "a.wav", "a::b.wav")
        shard.add(tmp_path / "a.wav", "../c.wav")
    made = make(tmp_path / "s.tar", tmp_path / "clips.csv")
    assert [row["path"] for row in rows(tmp_path / "clips.csv")] == ["tar://../c.wav::s.tar"]
    assert [name for name, _ in made.left.faults] == [f"{tmp_path}/s.tar: a::b.wav"]


@pytest.mark.parametrize(
    ("root", "reason"),
    [
        ("gone", "There is no folder gone"),
        ("empty", "There is nothing to list at empty: 0 files"),
        ("az://x", r"must be a folder, or begin with one of gs://"),
    ],
)
def test_what_cannot_be_listed_is_refused(
    root: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OpenL3Error, match=reason):
        make(root, tmp_path / "clips.csv")
    assert not (tmp_path / "clips.csv").exists()


def test_a_listing_is_a_table(files: Path, tmp_path: Path) -> None:
    with pytest.raises(OpenL3Error, match=r"must end in one of \.parquet, \.csv"):
        make(files, tmp_path / "clips.txt")


def test_many_rows_are_read_back(files: Path, tmp_path: Path) -> None:
    make(files, tmp_path / "clips.parquet")
    assert read_listing(tmp_path / "clips.parquet").table.num_rows == 2

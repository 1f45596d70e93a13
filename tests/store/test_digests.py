"""Checksums of files: read once, and again when a file may have changed."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import PATIENCE_S

from l3embed.store import digests as digests_module
from l3embed.store.digests import KEPT_AT_ONCE, Digests, forget_digests

from .conftest import another_process, first_line

Write = Callable[..., Path]

ADD_MANY = """
import sys
from pathlib import Path
from l3embed.store.digests import Digests
folder = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for path in sorted(folder.iterdir()):
    digests = Digests(Path(sys.argv[2]))
    digests.sha256(path)
    digests.close()
print("done", flush=True)
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "store" / "digests.sqlite"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are read for a checksum, one after the other."""
    paths: list[Path] = []

    def counting(path: Path) -> str:
        paths.append(path)
        return sha256_of(path)

    monkeypatch.setattr(digests_module, "sha256", counting)
    return paths


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file that has not changed for a minute."""

    def write(name: str, content: bytes = b"content", age_s: float = 60.0) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        then_s = time.time() - age_s
        os.utime(path, (then_s, then_s))
        return path

    return write


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_checksum_is_that_of_the_bytes(database: Path, write: Write) -> None:
    path = write("a.wav", b"some bytes")
    assert Digests(database).sha256(path) == sha256_of(path)


def test_a_file_is_read_once(database: Path, write: Write, read: list[Path]) -> None:
    path = write("a.wav")
    digests = Digests(database)
    assert digests.sha256(path) == digests.sha256(path)
    assert read == [path]


def test_a_file_is_not_read_again_by_the_next_run(database: Path, write: Write, read: list[Path]) -> None:
    path = write("a.wav")
    first = Digests(database)
    first.sha256(path)
    first.close()
    assert Digests(database).sha256(path) == sha256_of(path)
    assert read == [path]


def test_a_renamed_file_is_not_read_again(database: Path, write: Write, read: list[Path]) -> None:
    path = write("a.wav")
    digests = Digests(database)
    digests.sha256(path)
    path.rename(path.with_name("b.wav"))
    assert digests.sha256(path.with_name("b.wav")) == sha256_of(path.with_name("b.wav"))
    assert len(read) == 1


def test_a_file_of_another_size_is_read_again(database: Path, write: Write, read: list[Path]) -> None:
    path = write("a.wav", b"short")
    digests = Digests(database)
    digests.sha256(path)
    modified_ns = path.stat().st_mtime_ns
    path.write_bytes(b"longer than that")
    os.utime(path, ns=(modified_ns, modified_ns))
    assert digests.sha256(path) == sha256_of(path)
    assert len(read) == 2


def test_a_file_of_another_date_is_read_again(database: Path, write: Write, read: list[Path]) -> None:
    path = write("a.wav", b"one")
    digests = Digests(database)
    digests.sha256(path)
    write("a.wav", b"two", age_s=30)
    assert digests.sha256(path) == sha256_of(path)
    assert len(read) == 2


def test_another_file_of_the_same_size_and_date_is_read(
    database: Path, write: Write, read: list[Path]
) -> None:
    one, two = write("one.wav", b"one"), write("two.wav", b"two")
    modified_ns = one.stat().st_mtime_ns
    os.utime(two, ns=(modified_ns, modified_ns))
    digests = Digests(database)
    assert [digests.sha256(one), digests.sha256(two)] == [sha256_of(one), sha256_of(two)]
    assert read == [one, two]


def test_a_file_that_has_just_been_written_is_read_each_time(
    database: Path, write: Write, read: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests_module, "SETTLED_AFTER_S", PATIENCE_S)
    path = write("a.wav", age_s=1)
    digests = Digests(database)
    digests.sha256(path)
    digests.sha256(path)
    assert len(read) == 2


def test_a_file_that_is_not_going_to_change_may_be_new(
    database: Path, write: Write, read: list[Path]
) -> None:
    path = write("a.npy", age_s=0)
    digests = Digests(database)
    digests.keep(path, "its checksum")
    assert digests.sha256(path) == "its checksum"
    assert not read


def test_a_killed_run_loses_few_checksums(database: Path, write: Write, read: list[Path]) -> None:
    paths = [write(f"in/{number}.wav") for number in range(KEPT_AT_ONCE + 1)]
    killed = Digests(database)
    for path in paths:
        killed.sha256(path)
    read.clear()
    later = Digests(database)
    for path in paths:
        later.sha256(path)
    assert read == paths[-1:]


def test_a_missing_file_is_an_error(database: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Digests(database).sha256(tmp_path / "nothing.wav")


def write_text(path: Path) -> None:
    path.write_text("This is no database, though it is long enough to be taken for one. " * 20)


def write_other_table(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE digests (something TEXT)")
    connection.close()


@pytest.mark.parametrize("spoil", [write_text, Path.mkdir, write_other_table])
def test_an_unusable_database_is_no_obstacle(
    database: Path, write: Write, spoil: Callable[[Path], object]
) -> None:
    path = write("a.wav")
    database.parent.mkdir()
    spoil(database)
    digests = Digests(database)
    assert digests.sha256(path) == digests.sha256(path) == sha256_of(path)
    digests.close()
    forget_digests(database, time.time())


def test_a_database_that_cannot_be_made_is_no_obstacle(tmp_path: Path, write: Write) -> None:
    (tmp_path / "store").write_text("a file where a folder should be")
    path = write("a.wav")
    digests = Digests(tmp_path / "store" / "digests.sqlite")
    assert digests.sha256(path) == sha256_of(path)
    digests.close()


def test_numbers_beyond_the_databases_are_no_obstacle(
    database: Path, write: Write, read: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("a.wav")
    real, real_stat = path.stat(), Path.stat
    numbers = {"st_dev": 2**64 - 1, "st_ino": 2**64 - 2, "st_size": real.st_size}
    odd = SimpleNamespace(**numbers, st_mtime=real.st_mtime, st_mtime_ns=real.st_mtime_ns)
    monkeypatch.setattr(
        Path, "stat", lambda self, **options: odd if self == path else real_stat(self, **options)
    )
    first = Digests(database)
    first.sha256(path)
    first.close()
    assert Digests(database).sha256(path) == sha256_of(path)
    assert len(read) == 1


def test_two_processes_that_write_at_once_lose_nothing(
    database: Path, tmp_path: Path, write: Write, read: list[Path]
) -> None:
    for number in range(50):
        write(f"one/{number}.wav", b"one %d" % number)
        write(f"two/{number}.wav", b"two %d" % number)
    with (
        another_process(ADD_MANY, tmp_path / "one", database) as one,
        another_process(ADD_MANY, tmp_path / "two", database) as two,
    ):
        processes: list[Any] = [one, two]
        assert [first_line(process) for process in processes] == ["ready", "ready"]
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()
        assert [first_line(process) for process in processes] == ["done", "done"]
    digests = Digests(database)
    for path in (*tmp_path.glob("one/*"), *tmp_path.glob("two/*")):
        assert digests.sha256(path) == sha256_of(path)
    assert not read


def test_old_checksums_are_forgotten(database: Path, write: Write, read: list[Path]) -> None:
    path = write("a.wav")
    first = Digests(database)
    first.sha256(path)
    first.close()
    forget_digests(database, time.time() - 3600)
    Digests(database).sha256(path)
    assert len(read) == 1
    forget_digests(database, time.time() + 1)
    Digests(database).sha256(path)
    assert len(read) == 2


def test_a_damaged_checksum_is_computed_anew(database: Path, write: Write) -> None:
    path = write("a.wav")
    first = Digests(database)
    digest = first.sha256(path)
    first.close()
    other = ("1" if digest[0] == "0" else "0") + digest[1:]
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE digests SET sha256 = replace(sha256, ?, ?)", (digest, other))
    connection.close()
    assert Digests(database).sha256(path) == digest


def test_checksums_of_files_elsewhere_are_kept_by_place_and_version(database: Path) -> None:
    digests = Digests(database)
    digests.keep_remote("s3://bucket/a.wav", "7 abc", "f" * 64)
    assert digests.remote_sha256("s3://bucket/a.wav", "7 abc") == "f" * 64
    digests.close()

    digests = Digests(database)
    assert digests.remote_sha256("s3://bucket/a.wav", "7 abc") == "f" * 64
    assert digests.remote_sha256("s3://bucket/a.wav", "7 abd") is None
    assert digests.remote_sha256("s3://bucket/b.wav", "7 abc") is None
    digests.close()


def test_checksums_of_files_elsewhere_are_forgotten_with_the_others(database: Path) -> None:
    digests = Digests(database)
    digests.keep_remote("s3://bucket/a.wav", "7 abc", "f" * 64)
    digests.close()
    forget_digests(database, time.time() + 60)
    digests = Digests(database)
    assert digests.remote_sha256("s3://bucket/a.wav", "7 abc") is None
    digests.close()

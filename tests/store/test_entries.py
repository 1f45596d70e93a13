"""The store: what is found again, and what is not because it is not as it was written."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from l3embed.disk.atomic import place
from l3embed.disk.folders import FolderError, store_folder
from l3embed.errors import OpenL3Error
from l3embed.store.entries import Entry, Store
from l3embed.store.recipe import Step

from .conftest import FILE, Put, recipe_of

RECIPE = recipe_of("0a")


def note_of(entry: Entry) -> Path:
    return entry.files[FILE].with_name(f"{entry.key}.json")


def overwrite(path: Path, content: bytes, *, age_s: float = 0) -> None:
    """Write into a file itself, as a program would that ignores its permissions."""
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(0o444)
    then_s = time.time() - age_s
    os.utime(path, (then_s, then_s))


def truncate_keeping_date(path: Path) -> None:
    status = path.stat()
    overwrite(path, path.read_bytes()[:-1])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_what_was_never_put_is_not_found(store: Store) -> None:
    assert store.find(RECIPE) is None


def test_what_was_put_is_found(store: Store, put: Put) -> None:
    put(RECIPE, b"content", frames=3, duration_s=1.5, channels=None)
    entry = store.find(RECIPE)
    assert entry
    assert entry.files[FILE].read_bytes() == b"content"
    assert entry.facts == {"frames": 3, "duration_s": 1.5, "channels": None}


def test_it_is_found_by_another_run(folder: Path, put: Put) -> None:
    put(RECIPE)
    with Store(folder) as other:
        assert other.find(RECIPE)


def test_another_recipe_does_not_find_it(store: Store, put: Put) -> None:
    put(RECIPE)
    assert store.find(recipe_of("0b")) is None
    assert store.find(recipe_of("0a", Step.EMBED)) is None


def test_a_result_may_be_that_there_is_nothing(store: Store) -> None:
    store.put(RECIPE, [], {"duration_s": None})
    entry = store.find(RECIPE)
    assert entry
    assert entry.files == {}


def test_a_result_may_have_several_files(store: Store) -> None:
    for name in ("rows.npy", "times.npy"):
        store.path(RECIPE, name).write_text(name)
    store.put(RECIPE, ["rows.npy", "times.npy"], {})
    entry = store.find(RECIPE)
    assert entry
    assert {name: path.read_text() for name, path in entry.files.items()} == {
        "rows.npy": "rows.npy",
        "times.npy": "times.npy",
    }


def test_files_without_a_note_are_no_result(store: Store) -> None:
    store.path(RECIPE, FILE).write_bytes(b"content")
    assert store.find(RECIPE) is None


def to_folder(path: Path) -> None:
    path.unlink()
    (path / "inside").mkdir(parents=True)


DAMAGES: dict[str, Callable[[Entry], object]] = {
    "file truncated": lambda entry: overwrite(entry.files[FILE], b"cont"),
    "file truncated, its date kept": lambda entry: truncate_keeping_date(entry.files[FILE]),
    "file emptied": lambda entry: overwrite(entry.files[FILE], b""),
    "file rewritten with the same size": lambda entry: overwrite(entry.files[FILE], b"CONTENT"),
    "file rewritten with another date": lambda entry: overwrite(entry.files[FILE], b"CONTENT", age_s=9e6),
    "file missing": lambda entry: entry.files[FILE].unlink(),
    "file a folder": lambda entry: to_folder(entry.files[FILE]),
    "note a folder": lambda entry: to_folder(note_of(entry)),
    "note with another fact": lambda entry: note_of(entry).write_text(
        note_of(entry).read_text().replace('"facts": {', '"facts": {"frames": 4')
    ),
    "note missing": lambda entry: note_of(entry).unlink(),
    "note empty": lambda entry: note_of(entry).write_bytes(b""),
    "note truncated": lambda entry: note_of(entry).write_bytes(note_of(entry).read_bytes()[:-20]),
    "note no text": lambda entry: note_of(entry).write_bytes(b"\xff\xfe\x00"),
    "note another thing": lambda entry: note_of(entry).write_text("[1, 2]"),
    "note without marks": lambda entry: note_of(entry).write_text('{"files": {"rows.npy": {}}, "facts": {}}'),
    "note without facts": lambda entry: note_of(entry).write_text('{"files": {}}'),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_result_is_not_found(store: Store, put: Put, damage: Callable[[Entry], object]) -> None:
    entry = put(RECIPE)
    damage(entry)
    assert store.find(RECIPE) is None


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_result_can_be_put_anew(
    store: Store, put: Put, damage: Callable[[Entry], object], tmp_path: Path
) -> None:
    damage(put(RECIPE))
    fresh = tmp_path / "fresh"
    fresh.write_bytes(b"content")
    fresh.replace(store.path(RECIPE, FILE))
    store.put(RECIPE, [FILE], {})
    assert store.find(RECIPE)


def test_a_file_in_the_place_of_a_folder_is_told_with_a_remedy(store: Store) -> None:
    (store.folder / "preprocess").write_text("")
    with pytest.raises(OpenL3Error, match=r"cannot write .*rows\.npy .* Remove what is in its way"):
        store.path(RECIPE, FILE)


def test_a_file_that_was_only_touched_is_still_good(store: Store, put: Put) -> None:
    os.utime(put(RECIPE).files[FILE], (1, 1))
    assert store.find(RECIPE)


def test_a_copy_of_a_store_is_as_good(folder: Path, tmp_path: Path, put: Put) -> None:
    put(RECIPE)
    shutil.copytree(folder, tmp_path / "copy", copy_function=shutil.copy)
    with Store(tmp_path / "copy") as copy:
        assert copy.find(RECIPE)


def test_a_store_can_be_moved(folder: Path, tmp_path: Path, put: Put) -> None:
    put(RECIPE)
    folder.rename(tmp_path / "elsewhere")
    with Store(tmp_path / "elsewhere") as moved:
        entry = moved.find(RECIPE)
    assert entry
    assert entry.files[FILE].read_bytes() == b"content"


def test_finding_a_result_counts_as_using_it(store: Store, put: Put) -> None:
    note = note_of(put(RECIPE))
    os.utime(note, (1, 1))
    before_s = int(time.time())  # a file system may know whole seconds alone
    store.find(RECIPE)
    assert note.stat().st_mtime >= before_s


def test_a_store_that_may_only_be_read_is_used(
    store: Store, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(RECIPE)

    def refuse(path: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "utime", refuse)
    assert store.find(RECIPE)


def test_stored_files_are_read_only(put: Put) -> None:
    assert stat.S_IMODE(put(RECIPE).files[FILE].stat().st_mode) == 0o444


def test_stored_files_are_not_read_again_for_their_checksum(
    store: Store, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = put(RECIPE)
    monkeypatch.setattr("l3embed.store.digests.sha256", lambda path: pytest.fail(f"{path} was read"))
    known = json.loads(note_of(entry).read_text())["files"][FILE]["sha256"]
    assert store.digests.sha256(entry.files[FILE]) == known


def test_facts_are_found_by_step_and_key(store: Store, put: Put) -> None:
    entry = put(RECIPE, seconds=1.5)
    assert store.facts("preprocess", entry.key) == {"seconds": 1.5}
    assert store.facts("embed", entry.key) == {}
    assert store.facts("preprocess", "") == {}


def test_the_folder_is_the_one_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("L3EMBED_STORE", str(tmp_path / "named"))
    with Store() as store:
        assert store.folder == tmp_path / "named"


def test_the_folder_is_in_the_cache_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("L3EMBED_STORE", raising=False)
    monkeypatch.setenv("L3EMBED_CACHE", str(tmp_path / "cache"))
    assert store_folder() == tmp_path / "cache" / "store"


def test_a_relative_folder_stays_where_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("L3EMBED_STORE", "here")
    folder = store_folder()
    monkeypatch.chdir("/")
    assert folder == tmp_path / "here"


def test_a_folder_that_cannot_be_made_is_told_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OpenL3Error, match="set L3EMBED_STORE to another folder"):
        Store(tmp_path / "file" / "store")


FAULTS = pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EDQUOT], ids=errno.errorcode.get)


@FAULTS
@pytest.mark.parametrize("where", ["mkdir", "write_text"])
def test_a_full_disk_is_told_with_the_variable_that_moves_the_store(
    where: str, fault: int, folder: Path, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, where, refusing(fault))
    with pytest.raises(
        FolderError, match=f"^No space is left in {folder} for the pipeline's results"
    ) as caught:
        put(RECIPE)
    assert "Free some, or set L3EMBED_STORE to another folder." in str(caught.value)


def test_a_store_that_may_not_be_written_to_is_told_so(
    folder: Path, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "mkdir", refusing(errno.EROFS))
    with pytest.raises(FolderError, match=f"^{folder} cannot be read from or written to .*L3EMBED_STORE"):
        put(RECIPE)


@FAULTS
def test_what_is_written_for_the_store_is_explained_once(fault: int, store: Store) -> None:
    with pytest.raises(FolderError) as caught, store.explaining_disk_errors(), store.explaining_disk_errors():
        raise OSError(fault, os.strerror(fault))
    assert str(caught.value).count(str(store.folder)) == 1


def test_other_faults_are_not_the_store_s(store: Store) -> None:
    with pytest.raises(OpenL3Error, match="It is bad"), store.explaining_disk_errors():
        raise OpenL3Error("It is bad")


@pytest.fixture
def source(put: Put) -> Path:
    return put(RECIPE).files[FILE]


def test_an_output_is_a_further_name_of_the_stored_file(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "deep" / "a.wav.npy"
    place(source, target)
    assert target.samefile(source)
    assert stat.S_IMODE(target.stat().st_mode) == 0o444


def test_an_output_takes_the_place_of_another(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out.npy").write_bytes(b"older")
    place(source, tmp_path / "out.npy")
    assert (tmp_path / "out.npy").read_bytes() == b"content"


def test_an_output_that_is_there_already_stays(source: Path, tmp_path: Path) -> None:
    for _ in range(2):
        place(source, tmp_path / "out" / "a.npy")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.npy"]


def refusing(fault: int) -> Any:
    def refuse(*_: object, **options: object) -> None:
        raise OSError(fault, os.strerror(fault))

    return refuse


@pytest.mark.parametrize("fault", [errno.EXDEV, errno.EMLINK, errno.EPERM], ids=errno.errorcode.get)
def test_an_output_is_a_copy_where_there_are_no_links(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    monkeypatch.setattr(os, "link", refusing(fault))
    place(source, tmp_path / "out" / "a.npy")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.npy"]
    assert (tmp_path / "out" / "a.npy").read_bytes() == b"content"
    assert not (tmp_path / "out" / "a.npy").samefile(source)


def test_a_full_disk_is_told_and_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", refusing(errno.ENOSPC))
    with pytest.raises(OSError, match="No space left"):
        place(source, tmp_path / "out" / "a.npy")
    assert not list((tmp_path / "out").iterdir())


def test_a_stored_file_that_is_written_anew_does_not_change_outputs(
    store: Store, source: Path, tmp_path: Path
) -> None:
    target = tmp_path / "a.npy"
    place(source, target)
    fresh = tmp_path / "fresh"
    fresh.write_bytes(b"other content")
    fresh.replace(store.path(RECIPE, FILE))
    assert target.read_bytes() == b"content"


def test_an_altered_output_is_restored(store: Store, put: Put, tmp_path: Path) -> None:
    entry = put(RECIPE)
    for content in (None, b"", b"CONTENT"):
        target = tmp_path / "a.npy"
        target.unlink(missing_ok=True)
        if content is not None:
            target.write_bytes(content)
        store.restore(Step.PREPROCESS, entry.key, FILE, target)
        assert target.samefile(entry.files[FILE])


def test_an_output_that_is_as_it_was_stays_as_it_is(store: Store, put: Put, tmp_path: Path) -> None:
    entry = put(RECIPE)
    entry.files[FILE].unlink()
    (tmp_path / "a.npy").write_bytes(b"content")
    store.restore(Step.PREPROCESS, entry.key, FILE, tmp_path / "a.npy")
    assert (tmp_path / "a.npy").read_bytes() == b"content"


def test_an_output_that_was_altered_with_the_store_s_file_is_told(
    store: Store, source: Path, tmp_path: Path
) -> None:
    place(source, tmp_path / "a.npy")
    overwrite(tmp_path / "a.npy", b"CONTENT", age_s=60)
    with pytest.raises(OpenL3Error, match="not as it was written, and neither is the store's own"):
        store.restore(Step.PREPROCESS, RECIPE.key, FILE, tmp_path / "a.npy")


@pytest.mark.parametrize("key", ["", "0" * 64], ids=["no key", "unknown key"])
def test_an_output_that_the_store_does_not_know_stays_as_it_is(
    store: Store, tmp_path: Path, key: str
) -> None:
    (tmp_path / "a.npy").write_bytes(b"anything")
    store.restore(Step.PREPROCESS, key, FILE, tmp_path / "a.npy")
    assert (tmp_path / "a.npy").read_bytes() == b"anything"

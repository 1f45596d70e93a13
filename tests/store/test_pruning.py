"""Making room: what goes, what stays, and what runs are spared."""

from __future__ import annotations

import os
import time
from pathlib import Path

from l3embed.store.entries import Entry, Store
from l3embed.store.pruning import Pruned, prune, stored_results
from l3embed.store.recipe import Step

from .conftest import FILE, another_process, first_line, recipe_of

DAY_S = 86_400.0
CONTENT = b"x" * 10_000

USE = """
import sys
from pathlib import Path
from l3embed.store.entries import Store
with Store(Path(sys.argv[1])):
    print("in use", flush=True)
    sys.stdin.readline()
print("not in use", flush=True)
sys.stdin.read()
"""


def put(folder: Path, name: str, *, days: float = 0, step: Step = Step.PREPROCESS) -> Entry:
    """Put a result into a store that was last used some days ago."""
    recipe = recipe_of(name, step)
    with Store(folder) as store:
        store.path(recipe, FILE).write_bytes(CONTENT)
        entry = store.put(recipe, [FILE], {})
    touch(note_of(entry), days)
    return entry


def note_of(entry: Entry) -> Path:
    return entry.files[FILE].with_name(f"{entry.key}.json")


def touch(path: Path, days: float) -> None:
    then_s = time.time() - days * DAY_S
    os.utime(path, (then_s, then_s))


def is_there(folder: Path, name: str) -> bool:
    with Store(folder) as store:
        return store.find(recipe_of(name)) is not None


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*/*/*"))


def test_results_are_listed_with_what_they_take(folder: Path) -> None:
    one = put(folder, "one", days=3)
    put(folder, "two", step=Step.EMBED)
    results = sorted(stored_results(folder), key=lambda stored: stored.used_s)
    assert [stored.step for stored in results] == [Step.PREPROCESS, Step.EMBED]
    assert sum(stored.bytes for stored in results) == size_of(folder)
    assert results[0].used_s == note_of(one).stat().st_mtime


def test_what_was_not_used_for_long_goes(folder: Path) -> None:
    put(folder, "old", days=31)
    put(folder, "new", days=29)
    before = size_of(folder)
    pruned = prune(folder, older_than_days=30, max_bytes=None)
    assert pruned == Pruned(results=1, bytes=before - size_of(folder))
    assert not is_there(folder, "old")
    assert is_there(folder, "new")


def test_its_files_go_too(folder: Path) -> None:
    entry = put(folder, "old", days=31)
    prune(folder, older_than_days=30, max_bytes=None)
    assert not note_of(entry).exists()
    assert not entry.files[FILE].exists()


def test_what_is_found_is_not_old(folder: Path) -> None:
    put(folder, "a", days=31)
    assert is_there(folder, "a")
    assert prune(folder, older_than_days=30, max_bytes=None).results == 0


def test_the_least_recently_used_go_first(folder: Path) -> None:
    for name, days in (("middle", 2), ("oldest", 3), ("newest", 1)):
        put(folder, name, days=days)
    prune(folder, older_than_days=None, max_bytes=size_of(folder) - 1)
    assert [is_there(folder, name) for name in ("oldest", "middle", "newest")] == [False, True, True]


def test_no_more_goes_than_has_to(folder: Path) -> None:
    put(folder, "a")
    assert prune(folder, older_than_days=None, max_bytes=size_of(folder)) == Pruned(0, 0)


def test_a_store_without_room_is_emptied(folder: Path) -> None:
    for step in Step:
        put(folder, "a", step=step)
    assert prune(folder, older_than_days=None, max_bytes=0).results == len(Step)
    assert size_of(folder) == 0


def test_outputs_stay(folder: Path, tmp_path: Path) -> None:
    entry = put(folder, "a")
    os.link(entry.files[FILE], tmp_path / "output.npy")
    prune(folder, older_than_days=0, max_bytes=0)
    assert (tmp_path / "output.npy").read_bytes() == CONTENT


def test_a_missing_store_is_not_made(folder: Path) -> None:
    assert prune(folder, older_than_days=0, max_bytes=0) == Pruned(0, 0)
    assert not folder.exists()


def leave_over(folder: Path) -> list[Path]:
    """What runs leave that are killed in the middle of writing a file, and before writing the note."""
    shelf = folder / "embed" / "0a"
    shelf.mkdir(parents=True)
    files = [shelf / ".0123456789abcdef.tmp", shelf / "tmpabc", shelf / f"{'0a' * 32}.{FILE}"]
    for path in files:
        path.write_bytes(CONTENT)
    return files


def test_what_killed_runs_have_left_goes(folder: Path) -> None:
    files = leave_over(folder)
    for path in files:
        touch(path, days=0.001)
    assert prune(folder, older_than_days=30, max_bytes=None).results == 0
    assert not [path for path in files if path.exists()]


def test_what_a_living_run_is_writing_stays(folder: Path) -> None:
    files = leave_over(folder)
    with another_process(USE, folder) as process:
        assert first_line(process) == "in use"
        prune(folder, older_than_days=0, max_bytes=0)
        assert [path for path in files if path.exists()] == files


def test_what_was_left_long_ago_goes_while_others_run(folder: Path) -> None:
    files = leave_over(folder)
    for path in files:
        touch(path, days=1)
    with another_process(USE, folder) as process:
        assert first_line(process) == "in use"
        prune(folder, older_than_days=30, max_bytes=None)
        assert not [path for path in files if path.exists()]


def test_what_a_living_run_may_have_found_is_spared(folder: Path) -> None:
    put(folder, "found", days=0.5 / 24)
    gone = put(folder, "not found", days=1)
    with another_process(USE, folder) as process:
        assert first_line(process) == "in use"
        pruned = prune(folder, older_than_days=0, max_bytes=0)
    assert not gone.files[FILE].exists()
    assert (pruned.results, pruned.spared) == (1, 1)
    assert is_there(folder, "found")
    assert not is_there(folder, "not found")


def test_nothing_is_spared_for_a_run_that_is_done_with_the_store(folder: Path) -> None:
    put(folder, "found")
    with another_process(USE, folder) as process:
        assert first_line(process) == "in use"
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
        assert first_line(process) == "not in use"
        assert prune(folder, older_than_days=0, max_bytes=0).results == 1


def test_nothing_is_spared_for_a_killed_run(folder: Path) -> None:
    put(folder, "found")
    with another_process(USE, folder) as process:
        first_line(process)
        process.kill()
        process.wait()
        pruned = prune(folder, older_than_days=0, max_bytes=0)
    assert (pruned.results, pruned.spared) == (1, 0)


def test_a_folder_in_the_place_of_a_file_goes_too(folder: Path) -> None:
    entry = put(folder, "damaged")
    entry.files[FILE].unlink()
    (entry.files[FILE] / "inside").mkdir(parents=True)
    (folder / "preprocess" / "00" / ("0" * 64 + ".rows.npy") / "inside").mkdir(parents=True)
    assert prune(folder, older_than_days=0, max_bytes=0).results == 1
    assert not list(folder.glob("*/*/*"))

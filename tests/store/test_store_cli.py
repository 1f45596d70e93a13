"""The command ``l3embed store``."""

from __future__ import annotations

import os
import time
from datetime import datetime
from pathlib import Path

import pytest

from l3embed.cli.main import main
from l3embed.cli.store import format_size
from l3embed.store.entries import Store
from l3embed.store.recipe import Step

from .conftest import FILE, another_process, first_line, recipe_of
from .test_pruning import USE, note_of, put


@pytest.fixture(autouse=True)
def named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("L3EMBED_STORE", str(folder))


def rows(capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    lines = capsys.readouterr().out.splitlines()[1:-1]
    return {line.split()[0]: line.split()[1:] for line in lines}


def test_info_tells_what_there_is_of_each_step(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        put(folder, name, days=400)
    noon_s = datetime(2024, 2, 29, 12, 0).timestamp()
    os.utime(note_of(put(folder, "three", step=Step.EMBED)), (noon_s, noon_s))
    assert main(["store", "info"]) == 0
    table = rows(capsys)
    assert list(table) == ["preprocess", "embed", "pool", "pack", "preview", "total"]
    assert [row[0] for row in table.values()] == ["2", "1", "0", "0", "0", "3"]
    sizes = [float(row[1]) for row in table.values()]
    # Each result has 10 kB and a note.
    assert sizes == pytest.approx([20, 10, 0, 0, 0, 30], abs=2)
    assert table["embed"][2:] == ["kB", "2024-02-29", "12:00"]
    assert table["pool"][2:] == ["B"]


def test_info_tells_where_it_is_and_how_to_have_it_elsewhere(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["store", "info"])
    assert capsys.readouterr().out.endswith(
        f"The store is at {folder}; L3EMBED_STORE names another folder.\n"
    )


def test_info_of_no_store_makes_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", "info"]) == 0
    assert rows(capsys)["total"] == ["0", "0", "B"]
    assert not folder.exists()


def test_info_uses_nothing(folder: Path) -> None:
    entry = put(folder, "a", days=5)
    main(["store", "info"])
    assert note_of(entry).stat().st_mtime < time.time() - 4 * 86_400


def names_left(folder: Path, *names: str) -> list[str]:
    with Store(folder) as store:
        return [name for name in names if store.find(recipe_of(name))]


def test_prune_by_age(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, "old", days=3)
    put(folder, "new", days=1)
    assert main(["store", "prune", "--older-than", "1.5"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Removed 1 result (10.")
    assert out.endswith(f" kB) from {folder}.\n")
    assert names_left(folder, "old", "new") == ["new"]


def test_prune_by_size(folder: Path) -> None:
    put(folder, "old", days=3)
    put(folder, "new", days=1)
    assert main(["store", "prune", "--max-size", "15kB"]) == 0
    assert names_left(folder, "old", "new") == ["new"]


def test_prune_by_age_and_size(folder: Path) -> None:
    for days in (1, 2, 3):
        put(folder, f"{days}", days=days)
    assert main(["store", "prune", "--older-than", "2.5", "--max-size", "15kB"]) == 0
    assert names_left(folder, "1", "2", "3") == ["1"]


def test_prune_all(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        put(folder, name)
    assert main(["store", "prune", "--all"]) == 0
    assert names_left(folder, "one", "two") == []
    assert capsys.readouterr().out.startswith("Removed 2 results (20.")


def test_prune_says_what_it_spares_for_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, "a")
    with another_process(USE, folder) as process:
        assert first_line(process) == "in use"
        assert main(["store", "prune", "--all"]) == 0
    assert "Kept 1 more that were used in the last hour" in capsys.readouterr().out


def test_a_pruned_result_can_be_put_again(folder: Path) -> None:
    put(folder, "a")
    main(["store", "prune", "--all"])
    entry = put(folder, "a")
    assert entry.files[FILE].exists()
    assert names_left(folder, "a") == ["a"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say what to remove: --older-than DAYS, --max-size SIZE or --all"),
        (["--max-size", "20"], "--max-size: must be a number and a unit (B, kB, MB, GB, TB), as in 20GB"),
        (["--max-size", "20 XB"], "got '20 XB'"),
        (["--max-size", "GB"], "got 'GB'"),
        (["--max-size", "20GB or so"], "got '20GB or so'"),
        (["--max-size", "1e3GB"], "got '1e3GB'"),
        (["--max-size", "-1GB"], "expected one argument"),
        (["--max-size=-1GB"], "got '-1GB'"),
        (["--older-than", "soon"], "--older-than: must be a number of days from 0 on; got 'soon'"),
        (["--older-than=-1"], "got '-1'"),
        (["--older-than", "nan"], "got 'nan'"),
        (["--older-than", "inf"], "got 'inf'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_told_and_removes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    put(folder, "a", days=1000)
    with pytest.raises(SystemExit) as ended:
        main(["store", "prune", *arguments])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert names_left(folder, "a") == ["a"]


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("31kB", 31_000),
        ("21 kb", 21_000),
        ("0.0215MB", 21_500),
        ("1GB", 10**9),
        ("2TB", 2 * 10**12),
        ("10999B", 10_999),
        ("0B", 0),
    ],
)
def test_sizes_are_read_as_people_write_them(folder: Path, text: str, limit: int) -> None:
    names = ["one", "two", "three"]
    each = {
        sum(path.stat().st_size for path in (note_of(entry), entry.files[FILE]))
        for entry in (put(folder, name) for name in names)
    }
    assert max(each) < 10_500
    main(["store", "prune", "--max-size", text])
    assert len(names_left(folder, *names)) == min(3, limit // max(each))


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (12_345_678, "12.3 MB"),
        (999_949, "999.9 kB"),
        (999_951, "1.0 MB"),
        (20 * 10**9, "20.0 GB"),
        (5 * 10**15, "5000.0 TB"),
    ],
)
def test_sizes_are_written_as_people_read_them(count: int, text: str) -> None:
    assert format_size(count) == text

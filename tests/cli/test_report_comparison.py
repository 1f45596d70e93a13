"""The command ``l3embed report A B``: what it takes, what it writes where, and how it ends."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from conftest import run_child
from report.compared import in_groups, sound_row, sound_rows, write_run

from l3embed.cli.main import main


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs, ``a`` and ``b``, in the folder where commands run."""
    monkeypatch.chdir(tmp_path)
    write_run(Path("a"), sound_rows(), in_groups("0123"))
    write_run(Path("b"), sound_rows(), in_groups("0124"))


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command says that fails with 1 and writes no page."""
    assert main(["report", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("l3embed: error: ")
    assert not list(Path().glob("*.html"))
    return err.removeprefix("l3embed: error: ").strip()


def test_it_writes_a_summary_and_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "a", "b"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("A: a\nB: b\n\nFiles: 8 in A, 8 in B, 8 in both\n")
    assert out.endswith("\nOpen comparison.html\n")
    assert "What changed" in Path("comparison.html").read_text(encoding="utf-8")


def test_the_page_lies_where_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "a", "b", "-o", "pages/mine.html"]) == 0
    assert capsys.readouterr().out.endswith(f"\nOpen {Path('pages/mine.html')}\n")
    assert Path("pages/mine.html").is_file()
    assert not Path("comparison.html").exists()


@pytest.mark.parametrize("name", ["a/export/manifest.csv", "", "pages"])
def test_what_is_no_page_is_never_replaced(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["report", "a", "b", "-o", name])
    assert end.value.code == 2
    assert f"must be the name of a page that ends in .html; got {name!r}" in capsys.readouterr().err


def test_json_is_all_that_there_is_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "a", "b", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["modalities"]["audio"]["neighbours"]["mean_kept"] == 0.5
    assert err == "l3embed: the page is comparison.html\n"


@pytest.mark.parametrize("named", ["a", "a/export", "project"])
def test_a_run_its_export_and_a_project_are_found(named: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(Path("project/data"), sound_rows(), in_groups("0123"))
    assert main(["report", named, "b"]) == 0
    assert "Files: 8 in A" in capsys.readouterr().out


def test_a_folder_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "a", "missing").startswith("There is no missing. Name the data folder of a run,")


def test_a_file_is_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    Path("c").write_text("")
    assert refused(capsys, "c", "b").startswith("c is no folder. Name the data folder")


def test_a_folder_without_an_export_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    said = refused(capsys, "a", "empty")
    assert said.startswith("empty holds no export: there is no manifest.csv in it. Name the data folder")


def test_of_a_sweep_one_job_has_to_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    write_run(Path("sweep/1"), sound_rows(), in_groups("0123"))
    write_run(Path("sweep/0"), sound_rows(), in_groups("0123"))
    said = refused(capsys, "sweep", "b")
    assert said == f"sweep holds several runs. Name one of them, as {Path('sweep/0')}."


def test_an_export_in_which_all_failed_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    write_run(Path("c"), [sound_row("0.wav", status="failed", reason="It is empty.")], {})
    said = refused(capsys, "c", "b")
    assert said == f"{Path('c/export')} has no embeddings to compare: of 1 inputs, none was embedded."


@pytest.mark.parametrize("name", ["manifest.csv", "audio_mean.npy", "doubts.csv"])
@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_damaged_export_is_named_with_the_remedy(
    name: str, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path("b/export") / name
    path.unlink() if damage == "gone" else path.write_bytes(path.read_bytes()[:-1])
    said = refused(capsys, "a", "b")
    assert said.startswith(f"{path}: ")
    assert said.endswith("Run 'dvc repro -f export', which writes it anew.")


def test_an_unknown_modality_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["report", "a", "b", "--modality", "smell"])
    assert end.value.code == 2
    assert "invalid choice: 'smell'" in capsys.readouterr().err


def test_names_that_the_output_cannot_encode_are_written_in_ascii() -> None:
    write_run(Path("c"), [*sound_rows(), sound_row("\N{SNOWMAN}.wav")], [*in_groups("0123"), [1, 0]])
    done = run_child(
        [sys.executable, "-m", "l3embed", "report", "a", "c"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert "\\u2603.wav" in done.stdout

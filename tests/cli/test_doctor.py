"""``l3embed doctor``: what it tries, what it says of what fails, and its exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from conftest import NEEDS_NCNN

from l3embed.cli import checkup, trials
from l3embed.cli.main import main
from l3embed.runtimes.choice import RUNTIMES

Answers = Callable[[dict[tuple[str, ...], dict[str, Any]]], None]

CHOICE = {"fault": "", "runtime": "openvino", "device": "cpu"}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Answers:
    """Let trials have the answers that a test gives by their first words; others find nothing wrong."""
    monkeypatch.setenv("L3EMBED_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("L3EMBED_STORE", raising=False)

    def use(given: dict[tuple[str, ...], dict[str, Any]]) -> None:
        def answer(*words: str) -> dict[str, Any]:
            others = CHOICE if words == ("choice",) else {"fault": "", "gpu": False}
            return next((found for key, found in given.items() if words[: len(key)] == key), others)

        monkeypatch.setattr(checkup, "try_apart", answer)

    return use


def test_every_runtime_extra_reader_and_folder_has_its_row(
    answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    answers({})

    status = main(["doctor", "--json"])

    rows = json.loads(capsys.readouterr().out)
    names = {(row["section"], row["name"]) for row in rows}
    extras = set(metadata.metadata("l3embed").get_all("Provides-Extra") or []) - {"dev"}
    assert status == 0
    assert names >= {("runtimes", name) for name in (*RUNTIMES, "auto")}
    assert names >= {("extras", name) for name in extras}
    assert names >= {("folders", "cache"), ("folders", "store"), ("weights", "published")}


def test_it_says_what_auto_takes(answers: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    answers({})
    main(["doctor"])
    assert "takes openvino on the CPU" in capsys.readouterr().out


def test_a_runtime_that_computes_wrong_numbers_is_a_fault(
    answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    answers({("runtime", "keras"): {"fault": "runtime keras computes wrong numbers"}})

    status = main(["doctor"])

    said = capsys.readouterr().out
    assert status == 1
    assert "runtime keras computes wrong numbers" in " ".join(said.split())
    assert said.endswith("Not working: keras.\n")


def test_a_runtime_that_works_on_the_cpu_alone_is_a_fault_where_it_finds_a_gpu(
    answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    answers(
        {("gpu", "keras"): {"fault": "", "gpu": True}, ("runtime", "keras", "gpu"): {"fault": "no cuDNN"}}
    )

    status = main(["doctor"])

    said = " ".join(capsys.readouterr().out.split())
    assert status == 1
    assert "works on the CPU, and on the GPU: no cuDNN" in said


def test_what_is_not_installed_is_no_fault_and_comes_with_its_command(
    answers: Answers, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers({})
    is_there = checkup._is_there
    monkeypatch.setattr(checkup, "_is_there", lambda package: package != "umap-learn" and is_there(package))

    status = main(["doctor"])

    said = capsys.readouterr().out
    assert status == 0
    assert "not installed  pip install 'l3embed[umap]'" in said


def test_a_cache_that_cannot_be_written_to_is_a_fault(
    answers: Answers, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers({})
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may write anywhere

    assert main(["doctor"]) == 1
    assert "set L3EMBED_CACHE to another folder" in " ".join(capsys.readouterr().out.split())


def test_the_cache_is_measured_without_the_store_that_lies_in_it(
    answers: Answers, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    answers({})
    for name, size in {"cache/weights.h5": 3_000, "cache/store/embed/rows.npz": 40_000}.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"\0" * size)

    main(["doctor", "--json"])

    rows = {row["name"]: row["detail"] for row in json.loads(capsys.readouterr().out)}
    assert f"{tmp_path / 'cache'} (3.0 kB;" in rows["cache"]
    assert f"{tmp_path / 'cache' / 'store'} (40.0 kB;" in rows["store"]


@pytest.mark.slow
@NEEDS_NCNN
def test_a_runtime_is_tried_in_a_process_of_its_own() -> None:
    assert trials.try_apart("runtime", "ncnn", "cpu") == {"fault": ""}


def test_files_of_each_kind_are_tried(tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")

    good, bad = (
        trials.TRIALS["read"](*paths)
        for paths in ([str(checkup.REFERENCE / name) for name in checkup.FILES_TO_READ], [str(broken)])
    )

    assert good == {"fault": ""}
    assert bad["fault"].startswith(".wav: ")


def test_a_trial_that_crashes_is_told_by_its_status(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    crash = tmp_path / "crash"
    crash.write_text("#!/bin/sh\necho the last words >&2\nkill -SEGV $$\n")
    crash.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(crash))

    assert trials.try_apart("import", "numpy")["fault"] == "its process ended with status -11: the last words"


def test_a_trial_that_never_answers_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wait = tmp_path / "wait"
    wait.write_text("#!/bin/sh\nexec sleep 600\n")
    wait.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(wait))
    monkeypatch.setattr(trials, "PATIENCE_S", 0.5)

    assert "it gave no answer within" in trials.try_apart("import", "numpy")["fault"]


def test_an_extra_s_modules_are_imported(capsys: pytest.CaptureFixture[str]) -> None:
    trials.main(["import", "json", "no_such_module_of_anybody_s"])

    answer = json.loads(capsys.readouterr().out.removeprefix(trials.MARK))
    assert answer["fault"].startswith("no_such_module_of_anybody_s: ModuleNotFoundError")

"""The command ``l3embed distance``: what it takes, what it writes where, and how it ends."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from distances.given import apart, frames, write_npz, write_set
from l3embed.cli import distance
from l3embed.cli.main import _parser, main

OBJECT_KEYS = ["candidate", "measure", "value", "low", "high", "frames", "files", "reference"]


@pytest.fixture(autouse=True)
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference and two sets, in the folder where commands run."""
    monkeypatch.chdir(tmp_path)
    write_set(Path("ref"), apart(frames(60, seed=1), 5))
    write_set(Path("mine"), apart(frames(48, seed=2, shift=0.3), 6))
    write_set(Path("yours"), apart(frames(48, seed=3, shift=0.6), 6))


def test_a_table_has_a_line_for_each_candidate_and_measure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["distance", "ref", "mine", "yours", "--measure", "fd, kad", "-q", "--resamples", "20"]) == 0
    first, blank, header, *rows = capsys.readouterr().out.splitlines()
    made = "audio_mel256_music_512_kapre, random:7, hop 0.5 s"
    assert first == f"reference: ref (5 files, 60 frames, 8 numbers each; {made})"
    assert blank == ""
    assert header.split() == ["candidate", "measure", "value", "95", "%", "interval", "frames", "files"]
    assert [row.split()[:2] for row in rows] == [
        ["mine", "FD"],
        ["mine", "KAD"],
        ["yours", "FD"],
        ["yours", "KAD"],
    ]
    assert all(" to " in row for row in rows)


def test_json_is_all_that_there_is_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["distance", "ref", "mine", "--json", "-q", "--per-file", "--resamples", "0"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert [key for key in found if key != "per_file"] == OBJECT_KEYS
    assert (found["candidate"], found["measure"], found["frames"], found["files"]) == ("mine", "fd", 48, 6)
    assert found["low"] is None
    assert len(found["per_file"]) == 6


def test_a_table_for_programs_has_each_file_s_own_distance_too() -> None:
    assert main(["distance", "ref", "mine", "-q", "--per-file", "--csv", "new/a.csv"]) == 0
    with Path("new/a.csv").open(newline="", encoding="utf-8") as file:
        whole, *files = list(csv.DictReader(file))
    assert (whole["candidate"], whole["file"], whole["measure"], whole["files"]) == ("mine", "", "fd", "6")
    assert float(whole["low"]) < float(whole["value"]) < float(whole["high"])
    assert sorted(row["file"] for row in files) == [f"{number}.npz" for number in range(6)]


def test_statistics_are_saved_and_may_stand_for_their_side(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["distance", "ref", "mine", "-q", "--json", "--save-statistics", "saved"]) == 0
    (before,) = json.loads(capsys.readouterr().out)
    assert main(["distance", "saved/ref.npz", "mine", "-q", "--json"]) == 0
    (after,) = json.loads(capsys.readouterr().out)
    assert after["value"] == pytest.approx(before["value"], rel=1e-12)
    assert (after["low"], after["high"]) == pytest.approx((before["low"], before["high"]), rel=1e-9)


def test_sides_of_one_name_have_statistics_of_their_own() -> None:
    write_set(Path("other/ref"), apart(frames(40, seed=5), 4))
    assert main(["distance", "ref", "other/ref", "-q", "--save-statistics", "saved"]) == 0
    assert sorted(path.name for path in Path("saved").iterdir()) == ["ref.npz", "ref_2.npz"]


def test_a_file_that_cannot_be_used_is_named_and_the_status_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    write_npz(Path("mine/bad.npz"), np.full((3, 8), np.nan, np.float32))
    assert main(["distance", "ref", "mine", "-q"]) == 1
    said = capsys.readouterr()
    assert "mine       FD" in said.out
    assert said.err.startswith("l3embed: 1 failed; all else was done:\n")
    assert f"{Path('mine/bad.npz')}  Its embeddings must be finite numbers; row 0" in said.err


def test_sides_that_do_not_go_together_are_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    write_set(Path("other"), apart(frames(40), 4), weights="random:8")
    assert main(["distance", "ref", "other", "-q"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("l3embed: error: ref and other were not computed alike")


def test_a_measure_that_there_is_not_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["distance", "ref", "mine", "--measure", "fd,fid"])
    assert end.value.code == 2
    assert "must be of fd, kad, fad-inf; got 'fid'" in capsys.readouterr().err


def test_outliers_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    files = [frames(6, seed=seed) for seed in range(24)]
    files[13] += 5
    write_set(Path("many"), files)
    assert main(["distance", "ref", "many", "-q", "--per-file"]) == 0
    out = capsys.readouterr().out
    assert "Far out, by the Fréchet distance of each file's own frames:" in out
    assert str(Path("many/13.npz")) in out


def test_the_examples_of_the_help_are_commands() -> None:
    lines = [line for line in distance.EXAMPLES.splitlines() if line.startswith("  l3embed ")]
    assert len(lines) > 2
    for line in lines:
        assert _parser().parse_args(shlex.split(line)[1:]).run is distance.run

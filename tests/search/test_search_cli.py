"""``l3embed search``: what it prints, writes and returns."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import soundfile
from conftest import WriteWav

from l3embed.cli.main import main

from .conftest import frames_of, rows_of, write_export, write_npz

FRAMES = frames_of(6)
LABELS = ["bells", "rain", "", "bells", "rain", "drums"]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_export(tmp_path / "export", FRAMES, rows_of(FRAMES, LABELS))


def search(*words: str | Path) -> int:
    return main(["search", "--quiet", *map(str, words)])


def test_hits_are_a_table(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert search("00.wav", "--in", export, "--top", "2") == 0
    said = capsys.readouterr()
    title, header, *rows = said.out.splitlines()
    assert title == "like 00.wav:"
    assert header.split() == ["rank", "similarity", "label", "file"]
    assert [row.split()[0] for row in rows] == ["1", "2"]
    assert not said.err


def test_moments_have_their_times_in_the_table(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert search("00.wav", "--in", export, "--moments", "--one-per-file", "--label", "rain") == 0
    _, header, *rows = capsys.readouterr().out.splitlines()
    assert header.split() == ["rank", "similarity", "begin,", "s", "end,", "s", "label", "file"]
    assert {row.split()[-1] for row in rows} == {"01.wav", "04.wav"}


def test_a_bad_query_costs_no_other(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert search("00.wav", "nope.wav", "05.wav", "--in", export) == 1
    said = capsys.readouterr()
    assert "like 00.wav:" in said.out
    assert "like 05.wav:" in said.out
    assert said.err.startswith("l3embed: error: nope.wav: There is no such file")


def test_json_has_all_of_it(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert search("00.wav", "nope.wav", "--in", export, "--json", "--moments", "--top", "3") == 1
    content = json.loads(capsys.readouterr().out)
    assert (content["rows"], content["left_out"]) == ("frames", {})
    assert content["measure"].startswith("the cosine between embeddings, from which the mean")
    good, bad = content["queries"]
    assert good["modality"] == "audio"
    assert [hit["rank"] for hit in good["hits"]] == [1, 2, 3]
    assert set(good["hits"][0]) > {"path", "similarity", "begin_s", "end_s", "time_s", "label"}
    assert set(bad) == {"query", "error"}


def test_hits_go_to_files_and_clips(
    tmp_path: Path, export: Path, write_wav: WriteWav, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(1, 5):
        write_wav(f"raw/{number:02}.wav", 3, seed=number)
    files = {name: tmp_path / name for name in ("hits.csv", "hits.txt", "labels", "clips")}
    words: list[str | Path] = [
        "--csv",
        files["hits.csv"],
        "--raven",
        files["hits.txt"],
        "--audacity",
        files["labels"],
    ]
    words += ["--clips", files["clips"], "--dataset", tmp_path / "raw"]
    status = search("00.wav", "--in", export, "--moments", "--one-per-file", *words)
    assert status == 1  # there is no raw/05.wav
    errors = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert len(errors) == 1
    assert "05.wav: no clip of it is made: There is no such sound" in errors[0]
    with files["hits.csv"].open(newline="", encoding="utf-8") as file:
        hits = list(csv.DictReader(file))
    assert len(hits) == 5
    assert len(files["hits.txt"].read_text(encoding="utf-8").splitlines()) == 6
    assert len(list(files["labels"].glob("*.wav.txt"))) == 5
    clips = sorted(files["clips"].glob("*.wav"))
    assert len(clips) == 4
    lengths_s = {clip.name.split("_")[1]: soundfile.info(clip).duration for clip in clips}
    for hit in hits:
        if hit["path"] != "05.wav":
            expected_s = float(hit["end_s"]) - float(hit["begin_s"])
            assert lengths_s[hit["path"].removesuffix(".wav")] == pytest.approx(expected_s, abs=1e-4)


def test_an_export_s_dataset_has_to_be_named_for_clips(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search("00.wav", "--in", export, "--clips", tmp_path / "clips") == 1
    assert "does not say where its dataset lies" in capsys.readouterr().err
    assert not (tmp_path / "clips").exists()


def test_whole_files_of_unknown_length_have_no_selections_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "abc":
        write_npz(tmp_path / "mine" / f"{name}.npz", FRAMES[ord(name) - 97])
    assert search("a.npz", "--in", tmp_path / "mine", "--raven", tmp_path / "hits.txt") == 1
    assert "2 hits of 2 have no known place in a sound" in capsys.readouterr().err


def test_inputs_that_cannot_be_searched_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "abc":
        write_npz(tmp_path / "mine" / f"{name}.npz", FRAMES[ord(name) - 97])
    (tmp_path / "mine" / "b.npz").write_bytes(b"damaged")
    assert search("a.npz", "--in", tmp_path / "mine") == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[-1].split()[-1] == "c.npz"
    assert "mine: b.npz is left out: " in said.err


def test_a_folder_that_cannot_be_searched_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search("a.wav", "b.wav", "--in", tmp_path / "nope") == 1
    assert capsys.readouterr().err.count("nope does not exist") == 1


def test_pictures_and_sounds_of_an_export_are_told_apart_by_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = rows_of(FRAMES, modality="image", variant="image_mel128_music_512")
    rows = [type(row)(**{**vars(row), "path": row.path.replace("wav", "png")}) for row in rows]
    export = write_export(tmp_path / "pictures", FRAMES, rows)
    assert search("00.png", "--in", export) == 0
    capsys.readouterr()
    assert search("00.wav", "--in", export) == 1
    assert "has no audio embeddings; its modalities: image" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--top", "0"], ["--top", "many"], []])
def test_wrong_usage_is_refused(words: list[str], tmp_path: Path) -> None:
    inside = ["--in", str(tmp_path)] if words else []
    with pytest.raises(SystemExit) as ended:
        search("00.wav", *inside, *words)
    assert ended.value.code == 2

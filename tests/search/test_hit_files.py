"""Hits as other programs read them, and the sounds that are cut out."""

from __future__ import annotations

import csv
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from conftest import WriteWav, noise, run_child

from l3embed.errors import OpenL3Error
from l3embed.search import Hit
from l3embed.search.clips import clip_name, cut_clip, sound_of
from l3embed.search.hit_files import write_audacity, write_hits_csv, write_raven
from l3embed.search.several import Answer

HITS = (
    Hit(1, 0.9, "birds/a.wav", "wren", 1.0, 2.0, 1.5, 44_100.0),
    Hit(2, 0.8, "birds/b.flac", "", 0.0, 0.5, 0.0, None),
    Hit(3, 0.7, "picture.png"),
)
ANSWERS = [Answer("call.wav", hits=HITS), Answer("two.wav", hits=HITS[:1])]


def test_a_csv_table_has_every_hit(tmp_path: Path) -> None:
    write_hits_csv(tmp_path / "hits.csv", ANSWERS)
    with (tmp_path / "hits.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == ["birds/a.wav", "birds/b.flac", "picture.png", "birds/a.wav"]
    assert rows[0] == {
        "query": "call.wav",
        "rank": "1",
        "similarity": "0.900000",
        "path": "birds/a.wav",
        "label": "wren",
        "begin_s": "1.0",
        "end_s": "2.0",
    }
    assert (rows[2]["begin_s"], rows[2]["end_s"]) == ("", "")


def test_a_selection_table_has_raven_s_columns_and_units(tmp_path: Path) -> None:
    """The columns are those of Raven Pro's manual; numbers are seconds and hertz."""
    write_raven(tmp_path / "hits.txt", ANSWERS, lambda hit: tmp_path / "raw" / hit.path)
    lines = [line.split("\t") for line in (tmp_path / "hits.txt").read_text(encoding="utf-8").splitlines()]
    assert lines[0][:9] == [
        "Selection",
        "View",
        "Channel",
        "Begin Time (s)",
        "End Time (s)",
        "Low Freq (Hz)",
        "High Freq (Hz)",
        "Begin Path",
        "File Offset (s)",
    ]
    assert [line[0] for line in lines[1:]] == ["1", "2", "3"]  # the picture has no selection
    assert lines[1][1:9] == [
        "Spectrogram 1",
        "1",
        "1.000000",
        "2.000000",
        "0.0",
        "22050.0",
        str(tmp_path / "raw" / "birds" / "a.wav"),
        "1.000000",
    ]
    assert lines[2][6] == "24000.0"  # the network hears no more


def test_each_sound_has_a_file_of_labels_for_audacity(tmp_path: Path) -> None:
    written = write_audacity(tmp_path / "labels", ANSWERS)
    assert written == [tmp_path / "labels" / "birds" / name for name in ("a.wav.txt", "b.flac.txt")]
    assert written[0].read_text(encoding="utf-8") == (
        "1.000000\t2.000000\t0.900 call.wav\n1.000000\t2.000000\t0.900 two.wav\n"
    )


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg"])
def test_a_clip_has_the_samples_of_its_hit(tmp_path: Path, kind: str) -> None:
    samples = np.stack([noise(2.5, 22_050), noise(2.5, 22_050, seed=1)], axis=1)
    soundfile.write(tmp_path / f"a.{kind}", samples, 22_050)
    target = tmp_path / "clip.wav"
    cut_clip(tmp_path / f"a.{kind}", Hit(1, 0.9, f"a.{kind}", "", 0.5, 1.5, 1.0), target)
    clip, rate_hz = soundfile.read(target)
    whole, _ = soundfile.read(tmp_path / f"a.{kind}")
    assert rate_hz == 22_050
    np.testing.assert_allclose(clip, whole[11_025:33_075], atol=2**-15)


def test_a_clip_ends_where_its_file_does(tmp_path: Path, write_wav: WriteWav) -> None:
    cut_clip(write_wav("a.wav", 1.5), Hit(1, 0.9, "a.wav", "", 1.0, 2.0, 1.5), tmp_path / "clip.wav")
    assert soundfile.info(tmp_path / "clip.wav").frames == 24_000
    cut_clip(tmp_path / "a.wav", Hit(1, 0.9, "a.wav"), tmp_path / "whole.wav")
    assert soundfile.info(tmp_path / "whole.wav").frames == 72_000


def test_what_libsndfile_cannot_read_is_cut_by_ffmpeg(tmp_path: Path) -> None:
    chirp = 0.3 * np.sin(2 * np.pi * (200 + 100 * np.arange(144_000) / 48_000) * np.arange(144_000) / 48_000)
    soundfile.write(tmp_path / "a.wav", chirp, 48_000)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", tmp_path / "a.wav", tmp_path / "a.m4a"]
    run_child(command)
    cut_clip(tmp_path / "a.m4a", Hit(1, 0.9, "a.m4a", "", 1.0, 2.0, 1.5), tmp_path / "clip.wav")
    clip, _ = soundfile.read(tmp_path / "clip.wav")
    assert len(clip) == 48_000
    assert np.corrcoef(clip, chirp[48_000:96_000])[0, 1] > 0.9


def test_there_is_no_clip_of_a_picture_or_of_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"")
    for name in ("picture.png", "nope.wav"):
        with pytest.raises(OpenL3Error, match=r"no such sound.*--dataset"):
            cut_clip(tmp_path / name, Hit(1, 0.5, name), tmp_path / "clip.wav")
    assert not (tmp_path / "clip.wav").exists()


def test_the_sound_of_an_npz_file_lies_beside_it_under_its_name(tmp_path: Path, write_wav: WriteWav) -> None:
    sound = write_wav("birds/a.wav", 0.1)
    (tmp_path / "birds" / "a.npz").touch()
    assert sound_of(tmp_path, Hit(1, 0.5, "birds/a.npz")) == sound
    assert sound_of(tmp_path, Hit(1, 0.5, "birds/b.npz")) == tmp_path / "birds" / "b.npz"


def test_clips_of_several_queries_have_different_names() -> None:
    assert clip_name(2, HITS[0]) == "2-001_a_1.00-2.00.wav"
    assert clip_name(1, HITS[2]) == "1-003_picture.wav"

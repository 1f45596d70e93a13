"""How much a run is going to write: from headers, from a part of many files, and whether there is room."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path

import pytest
from conftest import WriteWav

import l3embed
from l3embed.inputs.windows import Framing
from l3embed.sample import write_sample_dataset
from l3embed.store import estimate
from l3embed.store.estimate import Amount, Contents, may_be_large, measure, tell_of_amounts
from l3embed.variants import Media

HALF_SECONDS = Framing(hop_s=0.5)
DISK = namedtuple("DISK", ["total", "used", "free"])
SEVEN_GB = Amount(3_500_000, "windows", 512)


def test_headers_tell_how_much_sound_there_is(write_wav: WriteWav) -> None:
    files = [(write_wav("a.wav", 2.0, 8000), Media.AUDIO), (write_wav("b.wav", 3.5), Media.AUDIO)]
    # Half a second of zeros in front: 2.5 s and 4 s make 4 and 7 windows of one second.
    assert measure(files, HALF_SECONDS) == Contents(5.5, 11, looked_into=2, files=2)


def test_videos_have_sound_and_frames_and_pictures_count_one_each(tmp_path: Path) -> None:
    files = [path for path in write_sample_dataset(tmp_path) if path.suffix in (".mp4", ".png")]
    pictures = sum(path.suffix == ".png" for path in files)
    kinds = [(path, Media.VIDEO if path.suffix == ".mp4" else Media.IMAGE) for path in files]
    found = measure(kinds, HALF_SECONDS)
    l3embed.process_video_file([str(files[-1])], tmp_path, input_repr="mel128", audio_hop_size=0.5)
    assert found.pictures == pictures
    assert found.frames == pytest.approx(_frames(tmp_path, "image"), abs=1)
    assert found.windows == _frames(tmp_path, "audio")


def _frames(folder: Path, modality: str) -> int:
    import numpy as np

    (path,) = folder.glob(f"*_{modality}.npz")
    with np.load(path) as arrays:
        return len(arrays["embedding"])


def test_of_many_files_a_part_is_looked_into(write_wav: WriteWav, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "MOST_HEADERS", 5)
    files = [(write_wav(f"{number}.wav", 2.0), Media.AUDIO) for number in range(20)]
    found = measure(files, HALF_SECONDS)
    assert found == Contents(40.0, 80, looked_into=5, files=20)
    assert found.source == " (from 5 of 20 files)"


def test_files_that_cannot_be_read_count_as_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no sound")
    files = [(tmp_path / "a.wav", Media.AUDIO), (tmp_path / "gone.mp4", Media.VIDEO)]
    assert measure(files, HALF_SECONDS) == Contents()


def test_small_runs_are_known_by_the_sizes_of_their_files(write_wav: WriteWav) -> None:
    """20 kB at a thousand bytes a second are at most 20 s."""
    files = [(write_wav("a.wav", 10_000 / 48_000), Media.AUDIO)]
    assert not may_be_large(files, {Media.AUDIO: 5e9 / 21})
    assert may_be_large(files, {Media.AUDIO: 5e9 / 19})
    assert not may_be_large([(Path("a.png"), Media.IMAGE)], {Media.IMAGE: 4.9e9})


def told(capsys: pytest.CaptureFixture[str], *amounts: Amount, verbose: bool = True) -> str:
    tell_of_amounts("embed", amounts, Path("nowhere/yet"), remedy="move the store", verbose=verbose)
    return capsys.readouterr().err


def free_gb(monkeypatch: pytest.MonkeyPatch, count: float) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: DISK(1e12, 0, count * 1e9))


def test_much_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    free_gb(monkeypatch, 40)
    assert told(capsys, SEVEN_GB) == (
        "embed: will write about 7.2 GB: 3,500,000 windows x 512 x 4 bytes; free: 40 GB\n"
    )
    assert told(capsys, SEVEN_GB, verbose=False) == ""


def test_little_is_not_worth_a_word(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    free_gb(monkeypatch, 0)
    assert told(capsys, Amount(2_000_000, "windows", 512)) == ""


def test_too_little_room_is_warned_of_even_if_nothing_else_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    free_gb(monkeypatch, 7)
    said = told(capsys, SEVEN_GB, verbose=False)
    assert said.startswith("embed: warning: will write about 7.2 GB: 3,500,000 windows x 512 x 4 bytes;")
    assert "; free: 7.0 GB in " in said
    assert said.endswith(". Make room, or move the store.\n")


def test_the_library_tells_before_it_embeds_files(
    write_wav: WriteWav, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it wrote then is what it has told."""
    monkeypatch.setattr(estimate, "TOLD_FROM_BYTES", 1000)
    path = write_wav("a.wav", 2.0)
    l3embed.process_audio_file(str(path), input_repr="mel128", embedding_size=512, hop_size=0.5)
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith("l3embed: will write about 0.0 GB: 4 windows x 512 x 4 bytes; free: ")
    l3embed.process_audio_file(str(path), input_repr="mel128", embedding_size=512, hop_size=0.5)
    assert "will write" not in capsys.readouterr().err

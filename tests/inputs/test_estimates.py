"""What files are expected to make before they are read: cheap, near the truth, and safe from bad files."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import WriteWav, noise, reference

from l3embed.decoding import audio
from l3embed.inputs import estimates
from l3embed.inputs.estimates import Unread, estimate
from l3embed.progress import Workload
from l3embed.variants import Media, Modality


def seconds_of(paths: Iterable[Path]) -> Workload[Path]:
    """A workload that counts seconds."""
    files = {path: Unread(path, Media.AUDIO, Modality.AUDIO) for path in paths}
    return estimate(files, lambda seconds: seconds)


def of(path: Path, media: Media, modality: Modality) -> int | None:
    return estimate({path: Unread(path, media, modality)}, lambda seconds: seconds).total


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the sounds whose headers are read."""
    names: list[str] = []

    def note(path: Path) -> None:
        names.append(path.name)

    monkeypatch.setattr(audio, "check_present", note)
    return names


def test_a_long_file_among_short_ones_is_seen(write_wav: WriteWav) -> None:
    long_one = write_wav("long.wav", seconds=600, sample_rate_hz=8000)
    short_ones = [write_wav(f"{number}.wav", seconds=1, sample_rate_hz=8000) for number in range(50)]
    assert seconds_of([*short_ones, long_one]).total == 650


def test_only_headers_of_the_largest_files_are_read(
    write_wav: WriteWav, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimates, "HEADERS", 2)
    paths = [write_wav(f"{seconds}.wav", seconds=seconds) for seconds in (1, 5, 2, 20)]

    workload = seconds_of(paths)

    assert opened == ["20.wav", "5.wav"]
    assert workload.total == pytest.approx(28, rel=0.01)


def test_each_ending_has_a_header_read(
    tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Since a byte of one format is more sound than a byte of another."""
    monkeypatch.setattr(estimates, "HEADERS", 2)
    for name, seconds in (("a.wav", 20), ("b.wav", 10), ("c.ogg", 3)):
        soundfile.write(tmp_path / name, noise(seconds), 48_000)

    workload = seconds_of(tmp_path.iterdir())

    assert sorted(opened) == ["a.wav", "c.ogg"]
    assert workload.total == 33


def test_on_a_slow_disk_few_headers_are_read(write_wav: WriteWav, opened: list[str]) -> None:
    clock = itertools.count(step=estimates.HEADERS_S)  # what it is asked at first, before and behind a header
    paths = [write_wav(f"{seconds}.wav", seconds=seconds) for seconds in (1, 2, 3)]
    files = {path: Unread(path, Media.AUDIO, Modality.AUDIO) for path in paths}

    workload = estimate(files, lambda seconds: seconds, lambda: float(next(clock)))

    assert opened == ["3.wav"]
    assert workload.total == 6


def test_a_header_that_the_size_denies_is_not_believed(tmp_path: Path) -> None:
    honest, lying = tmp_path / "honest.flac", tmp_path / "lying.flac"
    for path in (honest, lying):
        soundfile.write(path, noise(2), 48_000)
    content = bytearray(lying.read_bytes())
    content[21] |= 0x0F  # the upper four of 36 bits for the number of samples: 16 days
    lying.write_bytes(content)

    assert soundfile.info(lying).duration > 1e6
    assert seconds_of([honest, lying]).total == 4


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such pipes")
def test_what_cannot_be_read_raises_nothing_and_waits_for_nothing(
    tmp_path: Path, write_wav: WriteWav
) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "words.wav").write_text("This is no sound.")
    (tmp_path / "words.m4a").write_text("Nor is this.")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "gone.wav").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.wav")
    good = write_wav("good.wav", seconds=30)

    workload = seconds_of([*tmp_path.iterdir(), Path("no\0name.wav")])
    assert workload.total == 30

    workload.add(good, 31)
    workload.end(good)
    assert workload.total == 31


def test_a_video_has_seconds_of_sound_and_frames() -> None:
    clip = reference("inputs/clip_12fps.mp4")
    assert of(clip, Media.VIDEO, Modality.IMAGE) == 18
    assert of(clip, Media.VIDEO, Modality.AUDIO) == 2


def test_pictures_are_counted_without_a_look(tmp_path: Path) -> None:
    files = {number: Unread(tmp_path / f"{number}.png", Media.IMAGE, Modality.IMAGE) for number in range(7)}
    assert estimate(files, lambda seconds: seconds).total == 7


def test_windows_are_those_that_embedding_makes(write_wav: WriteWav) -> None:
    from l3embed.core.files import Medium
    from l3embed.inputs.windows import Framing

    medium = Medium(Media.AUDIO, Modality.AUDIO, Framing(hop_s=0.1))
    path = write_wav("a.wav", seconds=1.5, sample_rate_hz=16_000)
    times_s = np.arange(0, 1.5 + 0.5 - 1 + 1e-9, 0.1)  # of windows that end within the sound, padded in front
    assert medium.workload([str(path)]).total == len(times_s)

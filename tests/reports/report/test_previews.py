"""Sounds and pictures that a page carries, decoded again."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from l3embed.reports.report.files import MediaFile, media_files
from l3embed.reports.report.previews import Preview, Previews, make_previews, spread_over_labels

from .conftest import REFERENCE, Array, audio_row, write_picture, write_tone

PLENTY_BYTES = 10**7


def previewed(folder: Path, *names: str, budget_bytes: int = PLENTY_BYTES, **values: Any) -> Previews:
    rows = [audio_row(name, name[0], **values) for name in names]
    return make_previews(media_files(rows), folder, budget_bytes, seed=0)


def heard(preview: Preview) -> tuple[Array, int]:
    samples, rate_hz = soundfile.read(io.BytesIO(preview.sound))
    return samples, rate_hz


def strongest_hertz(samples: Array, rate_hz: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / rate_hz)[spectrum.argmax()])


def test_a_sound_keeps_its_pitch_and_its_length(tmp_path: Path) -> None:
    write_tone(tmp_path / "a.wav", hertz=700, seconds=1.5)
    samples, rate_hz = heard(previewed(tmp_path, "a.wav").made[0])
    assert samples.ndim == 1
    assert strongest_hertz(samples, rate_hz) == pytest.approx(700, abs=2)
    assert len(samples) / rate_hz == pytest.approx(1.5, abs=0.1)  # MP3 pads to whole frames


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 96_000])
def test_any_rate_and_channels_will_do(tmp_path: Path, rate_hz: int) -> None:
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)
    soundfile.write(tmp_path / "a.flac", np.column_stack([tone] * 3), rate_hz)
    assert strongest_hertz(*heard(previewed(tmp_path, "a.flac").made[0])) == pytest.approx(440, abs=2)


def test_a_long_sound_is_cut(tmp_path: Path) -> None:
    write_tone(tmp_path / "a.wav", hertz=300, seconds=12)
    preview = previewed(tmp_path, "a.wav").made[0]
    samples, rate_hz = heard(preview)
    assert len(samples) / rate_hz == pytest.approx(5, abs=0.1)
    assert len(preview.sound) < 40_000


@pytest.mark.parametrize(
    ("level", "peak"), [(1.0, 0.7), (0.3, 0.7), (0.01, 0.04)], ids=["loud", "soft", "very soft"]
)
def test_loudness_is_evened_out_gently(tmp_path: Path, level: float, peak: float) -> None:
    write_tone(tmp_path / "a.wav", hertz=300, level=level)
    samples, _ = heard(previewed(tmp_path, "a.wav").made[0])
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    assert np.abs(middle).max() == pytest.approx(peak, rel=0.2)


def test_silence_stays_silent(tmp_path: Path) -> None:
    write_tone(tmp_path / "a.wav", hertz=300, level=0)
    samples, _ = heard(previewed(tmp_path, "a.wav").made[0])
    assert np.abs(samples).max() < 1e-3


def test_a_picture_is_small_and_keeps_its_shape(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", hue=0)
    made = previewed(tmp_path, "a.png", modality="image").made[0]
    with Image.open(io.BytesIO(made.picture)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (320, 240))
        red, green, blue = np.asarray(picture)[100, 100].tolist()
    assert red > 180 > 80 > max(green, blue)


def test_a_picture_of_16_bits_uses_the_whole_range(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(1000, 5000, 300).astype(np.uint16), (300, 1))
    Image.fromarray(ramp).save(tmp_path / "a.png")
    with Image.open(io.BytesIO(previewed(tmp_path, "a.png", modality="image").made[0].picture)) as picture:
        pixels = np.asarray(picture)
    assert [float(pixels[:, place].mean()) for place in (0, 150, 299)] == pytest.approx([0, 128, 255], abs=3)


def test_a_video_has_a_frame_and_its_sound(tmp_path: Path) -> None:
    shutil.copy(REFERENCE / "inputs" / "clip_12fps.mp4", tmp_path / "c.mp4")
    rows = [audio_row("c.mp4"), audio_row("c.mp4", modality="image")]
    made = make_previews(media_files(rows), tmp_path, PLENTY_BYTES, seed=0)
    with Image.open(io.BytesIO(made.made[0].picture)) as picture:
        assert max(picture.size) <= 320
    assert len(heard(made.made[0])[0])


def test_a_video_without_embeddings_of_its_sound_has_only_a_frame(tmp_path: Path) -> None:
    shutil.copy(REFERENCE / "inputs" / "clip_12fps.mp4", tmp_path / "c.mp4")
    made = previewed(tmp_path, "c.mp4", modality="image").made[0]
    assert made.picture
    assert not made.sound


def test_files_that_cannot_be_previewed_stop_nothing(tmp_path: Path) -> None:
    write_tone(tmp_path / "a.wav", hertz=300)
    (tmp_path / "b.wav").write_bytes(b"no sound")
    (tmp_path / "c.png").write_bytes(b"no picture")
    previews = previewed(tmp_path, "a.wav", "b.wav", "c.png", "d.wav", "e.mp4")
    assert list(previews.made) == [0]
    assert sorted(previews.reasons) == [1, 2, 3, 4]
    assert previews.reasons[3] == "There is no such file."


def test_a_budget_is_kept_and_shared_by_the_labels(tmp_path: Path) -> None:
    names = [f"{label}{number}.wav" for label in "abc" for number in range(8)]
    for name in names:
        write_tone(tmp_path / name, hertz=300, seconds=0.5)
    one_bytes = previewed(tmp_path, names[0]).made[0].page_bytes
    previews = previewed(tmp_path, *names, budget_bytes=round(6.5 * one_bytes))
    labels = [names[place][0] for place in previews.made]
    assert {label: labels.count(label) for label in "abc"} == {"a": 2, "b": 2, "c": 2}


def test_without_a_budget_nothing_is_decoded(tmp_path: Path) -> None:
    previews = previewed(tmp_path, "missing.wav", budget_bytes=0)
    assert (previews.made, previews.reasons) == ({}, {})


def test_a_preview_counts_as_the_page_holds_it() -> None:
    assert Preview(sound=b"1234", picture=b"123").page_bytes == 8 + 4


def test_every_beginning_of_the_order_has_all_labels_alike() -> None:
    labels = ["a"] * 50 + ["b"] * 3 + ["c"] * 7
    order = spread_over_labels(labels, seed=0)
    assert sorted(order) == list(range(60))
    assert sorted(labels[place] for place in order[:9]) == list("aaabbbccc")
    assert order == spread_over_labels(labels, seed=0)
    assert order != spread_over_labels(labels, seed=1)


def test_a_file_of_two_modalities_is_one_file() -> None:
    rows = [audio_row("a.mp4"), audio_row("a.mp4", modality="image", sample_rate_hz=None)]
    (file,) = media_files(rows)
    assert (file.has_sound, file.has_picture, file.sample_rate_hz) == (True, True, 16_000.0)


def test_failed_inputs_are_no_files_of_the_page() -> None:
    files: list[MediaFile] = media_files([audio_row("a.wav", status="failed"), audio_row("b.wav")])
    assert [file.path for file in files] == ["b.wav"]

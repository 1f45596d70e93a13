"""Sounds and pictures that a page carries, decoded again."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import reference
from PIL import Image

from l3embed.errors import OpenL3Error
from l3embed.report.previews import Preview, Subject, make_preview
from l3embed.variants import Media

from .conftest import Array, write_picture, write_tone


def previewed(folder: Path, name: str, media: Media, *, sound: bool = True, picture: bool = True) -> Preview:
    return make_preview(folder / name, Subject(name, media, has_sound=sound, has_picture=picture))


def heard(preview: Preview) -> tuple[Array, int]:
    samples, rate_hz = soundfile.read(io.BytesIO(preview.sound))
    return samples, rate_hz


def strongest_hertz(samples: Array, rate_hz: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / rate_hz)[spectrum.argmax()])


def test_a_sound_keeps_its_pitch_and_its_length(tmp_path: Path) -> None:
    write_tone(tmp_path / "a.wav", hertz=700, seconds=1.5)
    samples, rate_hz = heard(previewed(tmp_path, "a.wav", Media.AUDIO))
    assert samples.ndim == 1
    assert strongest_hertz(samples, rate_hz) == pytest.approx(700, abs=2)
    assert len(samples) / rate_hz == pytest.approx(1.5, abs=0.1)  # MP3 pads to whole frames


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 96_000])
def test_any_rate_and_channels_will_do(tmp_path: Path, rate_hz: int) -> None:
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)
    soundfile.write(tmp_path / "a.flac", np.column_stack([tone] * 3), rate_hz)
    assert strongest_hertz(*heard(previewed(tmp_path, "a.flac", Media.AUDIO))) == pytest.approx(440, abs=2)


def test_a_long_sound_is_cut(tmp_path: Path) -> None:
    write_tone(tmp_path / "a.wav", hertz=300, seconds=12)
    preview = previewed(tmp_path, "a.wav", Media.AUDIO)
    samples, rate_hz = heard(preview)
    assert len(samples) / rate_hz == pytest.approx(5, abs=0.1)
    assert len(preview.sound) < 40_000


@pytest.mark.parametrize(
    ("level", "peak"), [(1.0, 0.7), (0.3, 0.7), (0.01, 0.04)], ids=["loud", "soft", "very soft"]
)
def test_loudness_is_evened_out_gently(tmp_path: Path, level: float, peak: float) -> None:
    write_tone(tmp_path / "a.wav", hertz=300, level=level)
    samples, _ = heard(previewed(tmp_path, "a.wav", Media.AUDIO))
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    assert np.abs(middle).max() == pytest.approx(peak, rel=0.2)


def test_silence_stays_silent(tmp_path: Path) -> None:
    write_tone(tmp_path / "a.wav", hertz=300, level=0)
    samples, _ = heard(previewed(tmp_path, "a.wav", Media.AUDIO))
    assert np.abs(samples).max() < 1e-3


def test_a_picture_is_small_and_keeps_its_shape(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", hue=0)
    made = previewed(tmp_path, "a.png", Media.IMAGE)
    with Image.open(io.BytesIO(made.picture)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (320, 240))
        red, green, blue = np.asarray(picture)[100, 100].tolist()
    assert red > 180 > 80 > max(green, blue)


def test_a_picture_of_16_bits_uses_the_whole_range(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(1000, 5000, 300).astype(np.uint16), (300, 1))
    Image.fromarray(ramp).save(tmp_path / "a.png")
    with Image.open(io.BytesIO(previewed(tmp_path, "a.png", Media.IMAGE).picture)) as picture:
        pixels = np.asarray(picture)
    assert [float(pixels[:, place].mean()) for place in (0, 150, 299)] == pytest.approx([0, 128, 255], abs=3)


def test_a_video_has_a_frame_and_its_sound(tmp_path: Path) -> None:
    shutil.copy(reference("inputs/clip_12fps.mp4"), tmp_path / "c.mp4")
    made = previewed(tmp_path, "c.mp4", Media.VIDEO)
    with Image.open(io.BytesIO(made.picture)) as picture:
        assert max(picture.size) <= 320
    assert len(heard(made)[0])


def test_a_video_without_embeddings_of_its_sound_has_only_a_frame(tmp_path: Path) -> None:
    shutil.copy(reference("inputs/clip_12fps.mp4"), tmp_path / "c.mp4")
    made = previewed(tmp_path, "c.mp4", Media.VIDEO, sound=False)
    assert made.picture
    assert not made.sound


@pytest.mark.parametrize("media", Media, ids=lambda media: media.value)
def test_a_file_that_cannot_be_previewed_is_told_of(tmp_path: Path, media: Media) -> None:
    (tmp_path / "a").write_bytes(b"neither sound nor picture")
    with pytest.raises(OpenL3Error, match=r"\w"):
        previewed(tmp_path, "a", media)


def test_a_preview_counts_as_the_page_holds_it() -> None:
    assert Preview(sound=b"1234", picture=b"123").page_bytes == 8 + 4


def test_whatever_a_reader_raises_is_the_file_s_own_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> Array:
        raise KeyError("tag")

    monkeypatch.setattr("l3embed.report.previews.read_image", fail)
    with pytest.raises(OpenL3Error, match=r"^It could not be read: KeyError: 'tag'"):
        previewed(tmp_path, "a.png", Media.IMAGE)


def test_a_section_s_preview_is_of_the_section(tmp_path: Path) -> None:
    tones = [np.sin(2 * np.pi * hertz * np.arange(48_000) / 48_000) / 2 for hertz in (300, 900)]
    soundfile.write(tmp_path / "a.wav", np.concatenate(tones), 48_000)
    subject = Subject("a@1-2.wav", Media.AUDIO, has_sound=True, has_picture=False, start_s=1.0, end_s=2.0)
    samples, rate_hz = heard(make_preview(tmp_path / "a.wav", subject))
    assert len(samples) == rate_hz
    assert strongest_hertz(samples, rate_hz) == pytest.approx(900, abs=2)

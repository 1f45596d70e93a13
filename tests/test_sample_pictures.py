"""The sample dataset's images and video: as Pillow and ffmpeg read them, and as l3embed does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import skimage.data
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from l3embed.cli.main import main
from l3embed.decoding.image import read_image
from l3embed.decoding.video import open_video
from l3embed.errors import OpenL3Error
from l3embed.sample import dataset, photographs, video, write_sample_dataset
from l3embed.sample.photographs import CROPS
from l3embed.sample.video import VIDEOS

CLASSES = {"brick", "coffee", "grass", "gravel", "hubble_deep_field", "retina"}
GREY_CLASSES = {"brick", "grass", "gravel"}
VIDEO = "coffee_with_plucked_strings.mp4"
LONG_AGO_S = 1_000_000_000


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("sample")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "ITEMS", (*CROPS, *VIDEOS))
        write_sample_dataset(directory)
    return directory


@pytest.fixture(scope="module")
def images(directory: Path) -> list[Path]:
    return sorted(directory.glob("photographs/*/*"))


@pytest.fixture
def copy(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sample of a PNG, a JPEG and the video, written long ago."""
    crops = tuple(crop for crop in CROPS if crop.path.name in {"brick_01.png", "coffee_02.jpg"})
    monkeypatch.setattr(dataset, "ITEMS", (*crops, *VIDEOS))
    copy = tmp_path / "copy"
    for item in dataset.ITEMS:
        (copy / item.path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(directory / item.path, copy / item.path)
        os.utime(copy / item.path, (LONG_AGO_S, LONG_AGO_S))
    return copy


def pixels(path: Path) -> npt.NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image)


def state(directory: Path) -> dict[str, tuple[bytes, float]]:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {path.name: (path.read_bytes(), path.stat().st_mtime) for path in files}


def ffmpeg(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([get_ffmpeg_exe(), "-hide_banner", *arguments], capture_output=True, check=False)


# The images


def test_four_images_in_each_of_six_class_folders(images: list[Path]) -> None:
    assert Counter(path.parent.name for path in images) == dict.fromkeys(CLASSES, 4)


def test_every_class_has_both_formats(images: list[Path]) -> None:
    kinds: Counter[tuple[str, str | None, str]] = Counter()
    for path in images:
        with Image.open(path) as image:
            kinds[path.parent.name, image.format, path.suffix] += 1
    suffixes = {"PNG": ".png", "JPEG": ".jpg"}
    assert kinds == {(label, name, suffixes[name]): 2 for label in CLASSES for name in suffixes}


def test_sides_are_what_the_network_takes_in_at_least(images: list[Path]) -> None:
    sides = [side for path in images for side in pixels(path).shape[:2]]
    assert min(sides) >= 224
    assert max(sides) <= 320
    assert len(set(sides)) > 10


@pytest.mark.parametrize("label", sorted(CLASSES))
def test_a_png_is_cut_out_of_its_photograph(images: list[Path], label: str) -> None:
    photograph = getattr(skimage.data, label)()
    for crop in [pixels(path) for path in images if path.name in {f"{label}_01.png", f"{label}_03.png"}]:
        assert place_in(photograph, crop)


@pytest.mark.parametrize("label", sorted(CLASSES))
@pytest.mark.parametrize("seed", [0, 5])
def test_crops_overlap_only_where_a_photograph_is_too_small_for_four(label: str, seed: int) -> None:
    photograph = getattr(skimage.data, label)()
    times_used = np.zeros(photograph.shape[:2], int)
    for crop in [photographs.crop_pixels(crop, seed) for crop in CROPS if crop.label == label]:
        top, left = place_in(photograph, crop)
        times_used[top : top + crop.shape[0], left : left + crop.shape[1]] += 1
    missing_rows = max(2 * 224 - photograph.shape[0], 0)
    assert np.count_nonzero((times_used > 1).any(axis=1)) == missing_rows


def place_in(photograph: npt.NDArray[Any], crop: npt.NDArray[Any]) -> tuple[int, int]:
    """Where in a photograph a crop was cut out: where its first pixels are, and then all of them."""
    height, width = photograph.shape[0] - crop.shape[0] + 1, photograph.shape[1] - crop.shape[1] + 1
    fits = np.ones((height, width), bool)
    for x in range(4):
        same = photograph[:height, x : x + width] == crop[0, x]
        fits &= same.reshape(height, width, -1).all(axis=-1)
    for top, left in np.argwhere(fits).tolist():
        if np.array_equal(photograph[top:, left:][: crop.shape[0], : crop.shape[1]], crop):
            return top, left
    raise AssertionError("The crop is not of this photograph.")


def test_an_image_is_as_grey_as_its_photograph(images: list[Path]) -> None:
    assert {path.parent.name for path in images if pixels(path).ndim == 2} == GREY_CLASSES


def test_every_image_shows_something(images: list[Path]) -> None:
    assert min(pixels(path).std() for path in images) > 5


def test_a_jpeg_is_near_what_it_was_made_from(images: list[Path]) -> None:
    for crop in (crop for crop in CROPS if crop.path.suffix == ".jpg"):
        path = next(path for path in images if path.name == crop.path.name)
        error = pixels(path) - photographs.crop_pixels(crop, seed=0).astype(float)
        assert np.sqrt(np.mean(error**2)) < 12, path.name


def test_l3embed_reads_all_images(images: list[Path]) -> None:
    assert {read_image(path).shape[-1] for path in images} == {3}


def test_another_seed_cuts_other_crops() -> None:
    for crop in CROPS:
        one, other = (photographs.crop_pixels(crop, seed) for seed in (0, 1))
        assert not np.array_equal(one, other), crop.path.name


# The video


def test_the_video_has_no_class(directory: Path) -> None:
    assert [path.name for path in directory.iterdir() if path.is_file()] == [VIDEO]


def test_the_video_is_h264_and_aac(directory: Path) -> None:
    said = ffmpeg("-i", directory / VIDEO).stderr.decode()
    assert re.search(r"Video: h264 .*, yuv420p.*, 320x240.*, 12 fps", said)
    assert re.search(r"Audio: aac .*, 44100 Hz, stereo", said)
    assert "Duration: 00:00:03.0" in said


def test_players_find_no_fault_in_the_video(directory: Path) -> None:
    done = ffmpeg("-v", "warning", "-i", directory / VIDEO, "-f", "null", "-")
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_picture_moves_all_the_time(directory: Path) -> None:
    frames = video_frames(directory)
    assert len(frames) == 36
    changes = np.abs(np.diff(frames.astype(float), axis=0)).mean(axis=(1, 2, 3))
    assert changes.min() > 1


def test_the_window_goes_from_one_side_of_the_photograph_to_the_other() -> None:
    photograph = skimage.data.coffee()
    places = np.array([place_in(photograph, frame) for frame in video.render_frames(VIDEOS[0], seed=0)])
    assert sorted(places[[0, -1], 1]) == [0, photograph.shape[1] - 320]
    assert np.ptp(places[:, 0]) > 100


def test_the_picture_is_of_the_photograph(directory: Path) -> None:
    mean_colours = video_frames(directory).mean(axis=(1, 2))
    assert np.abs(mean_colours - skimage.data.coffee().mean(axis=(0, 1))).max() < 50


def test_the_sound_lasts_as_long_and_is_loud(directory: Path) -> None:
    with open_video(directory / VIDEO) as opened:
        sound = np.concatenate(list(opened.audio_blocks()))
    assert len(sound) / opened.audio_sample_rate_hz == pytest.approx(3, abs=0.05)
    assert 0.5 < np.abs(sound).max() < 0.95
    assert np.corrcoef(sound.T)[0, 1] < 0.98


def test_the_whole_is_smaller_than_two_megabytes(directory: Path) -> None:
    assert sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()) < 2e6


def video_frames(directory: Path) -> npt.NDArray[np.uint8]:
    with open_video(directory / VIDEO) as opened:
        return np.concatenate(list(opened.frames()))


# Again, and in strange company


def test_writing_again_leaves_bytes_and_dates(copy: Path) -> None:
    before = state(copy)
    write_sample_dataset(copy)
    assert state(copy) == before


def test_two_folders_get_the_same_bytes(copy: Path, tmp_path: Path) -> None:
    write_sample_dataset(tmp_path / "other")
    assert {name: content for name, (content, _) in state(tmp_path / "other").items()} == {
        name: content for name, (content, _) in state(copy).items()
    }


def test_another_seed_replaces_all(copy: Path) -> None:
    before = state(copy)
    write_sample_dataset(copy, seed=1)
    after = state(copy)
    assert after.keys() == before.keys()
    assert not [name for name in before if before[name][0] == after[name][0]]


def test_a_png_that_was_compressed_otherwise_is_left_alone(copy: Path) -> None:
    path = copy / "photographs" / "brick" / "brick_01.png"
    with Image.open(path) as image:
        comment = PngInfo()
        comment.add_text("Comment", "made by l3embed sample")
        image.save(path, compress_level=1, pnginfo=comment)
    before = state(copy)
    write_sample_dataset(copy)
    assert state(copy) == before


def test_a_video_that_another_ffmpeg_wrote_is_left_alone(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "_encode", lambda *_: b"other bytes")
    before = state(copy)
    write_sample_dataset(copy)
    assert state(copy) == before


@pytest.mark.parametrize("name", ["photographs/coffee/coffee_02.jpg", VIDEO], ids=["image", "video"])
def test_a_damaged_file_of_the_sample_is_written_anew(copy: Path, name: str) -> None:
    whole = (copy / name).read_bytes()
    middle = len(whole) // 2
    (copy / name).write_bytes(whole[:middle] + bytes(100) + whole[middle + 100 :])
    write_sample_dataset(copy)
    assert (copy / name).read_bytes() == whole


@pytest.mark.parametrize(
    "name", ["photographs/brick/brick_01.png", "photographs/coffee/coffee_02.jpg", VIDEO]
)
@pytest.mark.parametrize("kind", ["of a user", "no picture"])
def test_a_file_of_the_same_name_is_refused_untouched(copy: Path, name: str, kind: str) -> None:
    path = copy / name
    if kind == "no picture" or name == VIDEO:
        path.write_bytes(b"mine")
    else:
        Image.new("RGB", (300, 300)).save(path)
    before = state(copy)
    with pytest.raises(OpenL3Error, match=f"holds .*{path.name}, which is not of the sample dataset"):
        write_sample_dataset(copy)
    assert state(copy) == before


def test_a_photograph_that_is_missing_is_named(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(photographs.PHOTOGRAPHS, "coffee", "no_coffee.png")
    photographs.read_photograph.cache_clear()
    with pytest.raises(OpenL3Error, match=r"lacks its photograph no_coffee\.png\. Install it"):
        write_sample_dataset(copy)


@pytest.mark.parametrize(
    "program",
    ["exit 1", "cat > /dev/null", 'cat > /dev/null; for last; do :; done; echo cut > "$last"'],
    ids=["fails at once", "writes nothing", "ends early"],
)
def test_an_ffmpeg_that_cannot_write_the_video_is_reported(tmp_path: Path, program: str) -> None:
    path = tmp_path / "ffmpeg"
    path.write_text(f"#!/bin/sh\n{program}\n")
    path.chmod(0o755)
    code = "import sys; from l3embed.cli.main import main; sys.exit(main(['sample', sys.argv[1]]))"
    environment = os.environ | {"IMAGEIO_FFMPEG_EXE": str(path)}
    command = [sys.executable, "-c", code, str(tmp_path / "sample")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(
        r"l3embed: error: ffmpeg could not write the sample's video: .* IMAGEIO_FFMPEG_EXE name another\?\n",
        done.stderr,
    )


# On the command line


def test_the_command_states_the_licences(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", str(copy)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == (
        "2 images in 2 classes (brick, coffee): PNG and JPEG, crops of scikit-image's photographs, which are "
        "CC0 or in the public domain"
    )
    assert lines[3].startswith("1 video with sound, made of the same: MP4; ")


def test_the_whole_sample_is_all_that_is_written(tmp_path: Path) -> None:
    paths = write_sample_dataset(tmp_path)
    assert sorted(paths) == sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert Counter(path.suffix for path in paths if path.suffix in {".png", ".jpg", ".mp4"}) == {
        ".png": 12,
        ".jpg": 12,
        ".mp4": 1,
    }
    assert len(paths) == 24 + 24 + 1

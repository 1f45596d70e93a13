"""The sample dataset: which files it has, what they hold, and how they come into a folder."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import warnings
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from conftest import PATIENCE_S, run_child
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image

from l3embed.cli.main import main
from l3embed.decoding.image import read_image
from l3embed.decoding.video import open_video
from l3embed.errors import OpenL3Error
from l3embed.sample import carried_files, write_sample_dataset

SOUND_CLASSES = {"bells", "birdsong", "drums", "engine", "plucked_strings", "rain"}
GREY_CLASSES = {"brick", "grass", "gravel"}
IMAGE_CLASSES = GREY_CLASSES | {"coffee", "hubble_deep_field", "retina"}
VIDEO = "coffee_with_plucked_strings.mp4"
OF_EACH_KIND = (
    "bells/bells_02.ogg",
    "photographs/brick/brick_01.png",
    "photographs/coffee/coffee_02.jpg",
    VIDEO,
)

SHA256 = "ec853f9e5f21e0f4b298cf2d58cf2360fdabbeb5ba97db77eada8e9d3249e1d7"
"""Of all paths and contents. Datasets, stores and reports depend on them: they stay the same for ever."""

LONG_AGO_S = 1_000_000_000


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample that the tests only read."""
    directory = tmp_path_factory.mktemp("sample")
    write_sample_dataset(directory)
    return directory


@pytest.fixture(scope="module")
def clips(directory: Path) -> list[Path]:
    return sorted(path for label in SOUND_CLASSES for path in (directory / label).iterdir())


@pytest.fixture(scope="module")
def images(directory: Path) -> list[Path]:
    return sorted(directory.glob("photographs/*/*"))


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A sample that was written long ago."""
    for path in write_sample_dataset(tmp_path / "sample"):
        os.utime(path, (LONG_AGO_S, LONG_AGO_S))
    return tmp_path / "sample"


def files_in(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


def state(directory: Path) -> dict[str, tuple[bytes, float]]:
    return {
        path.relative_to(directory).as_posix(): (path.read_bytes(), path.stat().st_mtime)
        for path in files_in(directory)
    }


def read(path: Path) -> npt.NDArray[np.float64]:
    samples: npt.NDArray[np.float64] = soundfile.read(path, always_2d=True)[0]
    return samples


def pixels(path: Path) -> npt.NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image)


def values_by_class(clips: list[Path], attribute: str) -> dict[str, set[object]]:
    values: dict[str, set[object]] = defaultdict(set)
    for path in clips:
        values[path.parent.name].add(getattr(soundfile.info(path), attribute))
    return values


# Which files there are


def test_the_bytes_are_the_same_for_ever(directory: Path) -> None:
    digest = hashlib.sha256()
    for name, (content, _) in state(directory).items():
        digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    assert digest.hexdigest() == SHA256


def test_the_returned_paths_are_all_that_is_written(tmp_path: Path) -> None:
    assert sorted(write_sample_dataset(tmp_path)) == files_in(tmp_path)


def test_clips_come_first_then_images_then_the_video(tmp_path: Path) -> None:
    paths = [path.relative_to(tmp_path).as_posix() for path in write_sample_dataset(tmp_path)]
    assert paths[0] == "bells/bells_01.wav"
    assert paths[24] == "photographs/brick/brick_01.png"
    assert paths[48:] == [VIDEO]


def test_there_is_nothing_else_in_the_package(directory: Path) -> None:
    assert state(directory).keys() == state(carried_files.SOURCE).keys()


def test_git_ignores_no_file_of_it() -> None:
    """What Git ignores, the builder of the distributions leaves out, even where it is tracked."""
    repository = carried_files.SOURCE.parents[3]
    if not (repository / ".git").exists():
        pytest.skip("not a clone")
    command = ["git", "check-ignore", "--no-index", *map(str, files_in(carried_files.SOURCE))]
    assert run_child(command, cwd=repository, status=1).stdout == ""


def test_four_clips_in_each_of_six_class_folders(clips: list[Path]) -> None:
    assert Counter(path.parent.name for path in clips) == dict.fromkeys(SOUND_CLASSES, 4)


def test_four_images_in_each_of_six_class_folders(images: list[Path]) -> None:
    assert Counter(path.parent.name for path in images) == dict.fromkeys(IMAGE_CLASSES, 4)


def test_the_video_has_no_class(directory: Path) -> None:
    assert [path.name for path in directory.iterdir() if path.is_file()] == [VIDEO]


def test_names_say_class_and_number(clips: list[Path], images: list[Path]) -> None:
    assert all(re.fullmatch(rf"{path.parent.name}_0[1-4]", path.stem) for path in clips + images)


def test_the_whole_is_smaller_than_1500_kb(directory: Path) -> None:
    assert sum(path.stat().st_size for path in files_in(directory)) <= 1.5e6


# The sounds


def test_clips_last_from_1200_ms_to_3_s(clips: list[Path]) -> None:
    assert all(1.2 <= soundfile.info(path).duration <= 3.0 for path in clips)


def test_all_encodings_occur(clips: list[Path]) -> None:
    kinds = Counter((info.format, info.subtype) for info in map(soundfile.info, clips))
    assert kinds == {
        ("WAV", "PCM_16"): 2,
        ("WAV", "ALAW"): 1,
        ("WAV", "ULAW"): 1,
        ("WAV", "IMA_ADPCM"): 3,
        ("WAV", "MS_ADPCM"): 3,
        ("FLAC", "PCM_16"): 5,
        ("FLAC", "PCM_24"): 1,
        ("OGG", "VORBIS"): 8,
    }


def test_all_sample_rates_occur(clips: list[Path]) -> None:
    rates_hz = {soundfile.info(path).samplerate for path in clips}
    assert rates_hz == {16_000, 22_050, 32_000, 44_100, 48_000}


@pytest.mark.parametrize(
    ("attribute", "at_least"),
    [("format", 3), ("samplerate", 3), ("channels", 2)],
    ids=["formats", "sample rates", "channels"],
)
def test_every_class_sees_a_mix(clips: list[Path], attribute: str, at_least: int) -> None:
    assert all(len(values) >= at_least for values in values_by_class(clips, attribute).values())


@pytest.mark.parametrize("attribute", ["format", "samplerate", "channels"])
def test_no_recording_is_a_class_s_own(clips: list[Path], attribute: str) -> None:
    classes_that_have_it = Counter(
        value for values in values_by_class(clips, attribute).values() for value in values
    )
    assert min(classes_that_have_it.values()) >= 3


def test_stereo_is_not_one_channel_twice(clips: list[Path]) -> None:
    stereo = [samples for samples in map(read, clips) if samples.shape[1] == 2]
    assert len(stereo) == 10
    assert all(np.corrcoef(samples.T)[0, 1] < 0.98 for samples in stereo)


def test_peaks_are_near_minus_3_dbfs(clips: list[Path]) -> None:
    peaks_db = [20 * np.log10(np.abs(read(path)).max()) for path in clips]
    assert min(peaks_db) > -6
    assert max(peaks_db) < -0.5


def test_no_channel_is_silent_or_off_centre(clips: list[Path]) -> None:
    for samples in map(read, clips):
        assert np.sqrt(np.mean(samples**2, axis=0)).min() > 0.01
        assert np.abs(samples.mean(axis=0)).max() < 0.005


def test_clips_begin_and_end_without_a_click(clips: list[Path]) -> None:
    for path in clips:
        samples, rate_hz = soundfile.read(path, always_2d=True)
        assert np.abs(samples[: rate_hz // 5000]).max() < 0.05, path.name  # 0.2 ms
        assert np.abs(samples[-rate_hz // 200 :]).max() < 0.05, path.name  # 5 ms


# The images


def test_every_class_has_both_formats(images: list[Path]) -> None:
    kinds: Counter[tuple[str, str | None, str]] = Counter()
    for path in images:
        with Image.open(path) as image:
            kinds[path.parent.name, image.format, path.suffix] += 1
    suffixes = {"PNG": ".png", "JPEG": ".jpg"}
    assert kinds == {(label, name, suffixes[name]): 2 for label in IMAGE_CLASSES for name in suffixes}


def test_sides_are_what_the_network_takes_in_at_least(images: list[Path]) -> None:
    sides = [side for path in images for side in pixels(path).shape[:2]]
    assert min(sides) >= 224
    assert max(sides) <= 320
    assert len(set(sides)) > 10


def test_images_are_grey_or_rgb(images: list[Path]) -> None:
    for path in images:
        with Image.open(path) as image:
            assert image.mode == ("L" if path.parent.name in GREY_CLASSES else "RGB")


def test_every_image_shows_something(images: list[Path]) -> None:
    assert min(pixels(path).std() for path in images) > 5


def test_l3embed_reads_all_images_without_a_warning(images: list[Path]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert {read_image(path).shape[-1] for path in images} == {3}


# The video


def ffmpeg(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    command = [get_ffmpeg_exe(), "-hide_banner", *arguments]
    return subprocess.run(command, timeout=PATIENCE_S, capture_output=True, check=False)


def test_the_video_is_h264_and_aac(directory: Path) -> None:
    said = ffmpeg("-i", directory / VIDEO).stderr.decode()
    assert re.search(r"Video: h264 .*, yuv420p.*, 320x240.*, 12 fps", said)
    assert re.search(r"Audio: aac .*, 44100 Hz, stereo", said)
    assert "Duration: 00:00:03.0" in said


def test_players_find_no_fault_in_the_video(directory: Path) -> None:
    done = ffmpeg("-v", "warning", "-i", directory / VIDEO, "-f", "null", "-")
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_picture_moves_all_the_time(directory: Path) -> None:
    with open_video(directory / VIDEO) as opened:
        frames = np.concatenate(list(opened.frames())).astype(float)
    assert len(frames) == 36
    assert np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3)).min() > 1


def test_the_sound_lasts_as_long_and_is_loud(directory: Path) -> None:
    with open_video(directory / VIDEO) as opened:
        sound = np.concatenate(list(opened.audio_blocks()))
    assert len(sound) / opened.audio_sample_rate_hz == pytest.approx(3, abs=0.05)
    assert 0.5 < np.abs(sound).max() < 0.95
    assert np.corrcoef(sound.T)[0, 1] < 0.98


# Again, and in strange company


def test_writing_again_leaves_bytes_and_dates(sample: Path) -> None:
    before = state(sample)
    write_sample_dataset(sample)
    assert state(sample) == before


@pytest.mark.parametrize("name", OF_EACH_KIND)
def test_a_file_that_is_missing_comes_back(sample: Path, name: str) -> None:
    content = (sample / name).read_bytes()
    (sample / name).unlink()
    write_sample_dataset(sample)
    assert (sample / name).read_bytes() == content


@pytest.mark.parametrize("name", OF_EACH_KIND)
def test_a_file_of_an_earlier_version_is_replaced(sample: Path, name: str) -> None:
    content = (sample / name).read_bytes()
    (sample / name).write_bytes(b"another sound or picture, made by l3embed sample, and the rest of it")
    write_sample_dataset(sample)
    assert (sample / name).read_bytes() == content


def test_an_interrupted_run_leaves_whole_files_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bytes = Path.write_bytes

    def interrupted(path: Path, content: bytes) -> int:
        if content == (carried_files.SOURCE / "birdsong" / "birdsong_02.wav").read_bytes():
            write_bytes(path, content[:1000])
            raise KeyboardInterrupt
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_sample_dataset(tmp_path)
    names = [path.name for path in files_in(tmp_path)]
    assert names == [f"bells_0{n}.{kind}" for n, kind in enumerate(("wav", "ogg", "flac", "wav"), 1)] + [
        "birdsong_01.flac"
    ]


def test_what_a_killed_run_left_behind_does_not_stand_in_the_way(sample: Path) -> None:
    (sample / "bells" / ".0123456789abcdef.tmp").write_text("half a file")
    assert len(write_sample_dataset(sample)) == 49


def test_what_a_killed_run_left_behind_long_ago_is_removed(sample: Path) -> None:
    left_behind = sample / "bells" / ".0123456789abcdef.tmp"
    left_behind.write_text("half a file")
    os.utime(left_behind, (LONG_AGO_S, LONG_AGO_S))
    write_sample_dataset(sample)
    assert not list(sample.rglob("*.tmp"))


@pytest.mark.parametrize("name", ["notes.txt", "bells/take_5.wav", "mine/bells_01.wav", "bells/tmp.wav"])
def test_a_folder_with_a_user_s_files_is_refused_untouched(tmp_path: Path, name: str) -> None:
    foreign = tmp_path / name
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_text("mine")
    message = f"holds {Path(name)}, which is not of the sample dataset: give a new or an empty folder"
    with pytest.raises(OpenL3Error, match=re.escape(message)):
        write_sample_dataset(tmp_path)
    assert files_in(tmp_path) == [foreign]


@pytest.mark.parametrize("name", OF_EACH_KIND)
def test_a_user_s_file_of_the_same_name_is_refused_untouched(sample: Path, name: str) -> None:
    (sample / name).write_bytes(b"mine")
    before = state(sample)
    with pytest.raises(OpenL3Error, match=f"holds .*{Path(name).name}, which is not of the sample dataset"):
        write_sample_dataset(sample)
    assert state(sample) == before


def test_a_class_folder_that_links_to_a_user_s_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "song.wav").write_text("mine")
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "bells").symlink_to(tmp_path / "music", target_is_directory=True)
    with pytest.raises(OpenL3Error, match=r"song\.wav"):
        write_sample_dataset(tmp_path / "sample")


@pytest.mark.parametrize("name", sorted(carried_files.CLUTTER))
def test_files_of_the_system_and_of_git_are_no_user_data(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("*\n")
    assert len(write_sample_dataset(tmp_path)) == 49


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sample").write_text("mine")
    with pytest.raises(OpenL3Error, match="is a file: give a folder for the sample dataset"):
        write_sample_dataset(tmp_path / "sample")


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OpenL3Error, match=r"cannot write the sample dataset to .*; choose another folder"):
        write_sample_dataset(tmp_path / "file" / "sample")


def test_a_folder_in_place_of_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "bells" / "bells_01.wav").mkdir(parents=True)
    with pytest.raises(OpenL3Error, match=r"cannot write the sample dataset to .*bells_01\.wav"):
        write_sample_dataset(tmp_path)


# Files with which something is wrong


def test_the_doubtful_files_stand_beside_the_same_sample(tmp_path: Path) -> None:
    plain, more = tmp_path / "plain", tmp_path / "more"
    write_sample_dataset(plain)
    paths = write_sample_dataset(more, doubtful=True)
    added = {path.relative_to(more).as_posix() for path in paths} - set(state(plain))
    assert added == {
        *("again.ogg", "black.png", "click.wav", "cut_short.wav", "drums/rain_03.ogg"),
        *("mute.mp4", "silence.flac", "turned.jpg", "whistle/whistle_01.flac"),
    }


def test_the_sample_may_be_written_without_them_again(tmp_path: Path) -> None:
    write_sample_dataset(tmp_path, doubtful=True)
    assert len(write_sample_dataset(tmp_path)) == 49


# On the command line


def test_the_command_adds_them_if_it_is_told_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "--doubtful", str(tmp_path / "new")]) == 0
    assert capsys.readouterr().out.endswith(
        "9 files with which something is wrong, to see what becomes of them\n"
    )


def test_the_command_says_where_and_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", str(tmp_path / "new"), "--seed", "0"]) == 0
    assert capsys.readouterr().out == (
        f"{tmp_path / 'new'}\n"
        "24 synthesised clips in 6 classes (bells, birdsong, drums, engine, plucked_strings, rain): "
        "WAV, FLAC and OGG, 16 to 48 kHz, mono and stereo\n"
        "24 images in 6 classes (brick, coffee, grass, gravel, hubble_deep_field, retina): "
        "PNG and JPEG, crops of scikit-image's photographs, which are CC0 or in the public domain\n"
        "1 video with sound, made of the same: MP4; 1.4 MB in all\n"
    )


@pytest.mark.parametrize("seed", ["1", "-1"])
def test_the_command_refuses_another_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: str
) -> None:
    assert main(["sample", str(tmp_path / "new"), "--seed", seed]) == 1
    assert capsys.readouterr().err == (
        "l3embed: error: There is one sample now, and it has no seed, "
        f"but --seed is {seed}; leave out --seed\n"
    )
    assert not (tmp_path / "new").exists()


def test_the_command_loads_nothing_heavy() -> None:
    code = (
        "import sys, l3embed.cli; before = set(sys.modules); import l3embed.cli.sample, l3embed.sample;"
        "heavy = {'numpy', 'scipy', 'soundfile', 'PIL', 'moviepy'};"
        "assert not heavy & (set(sys.modules) - before)"
    )
    run_child([sys.executable, "-c", code])

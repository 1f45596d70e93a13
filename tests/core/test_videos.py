"""Videos: the reference's numbers, outputs, times, and what is missing in them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from conftest import PATIENCE_S, reference

from l3embed import OpenL3Error, OpenL3Warning, process_video_file
from l3embed.cli.main import main
from l3embed.core import video
from l3embed.errors import FilesError

SAME_SOUND = 1e-2  # a resampled sound; ffmpeg resamples it, as in the reference
SAME_FRAMES = 1e-4

MakeVideo = Callable[..., Path]


@pytest.fixture(scope="session")
def image_model() -> Any:
    """A Keras model from images to the means of their channels."""
    import keras

    inputs = keras.Input((224, 224, 3))
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    """Make a small video with ffmpeg's own sources, and return its path."""

    def make(
        name: str, *, rate: str = "25", seconds: float = 1.0, sound: bool = True, frames: bool = True
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error"]
        if frames:
            command += ["-f", "lavfi", "-i", f"testsrc2=size=128x96:rate={rate}:duration={seconds}"]
        if sound:
            command += ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"]
        command += ["-pix_fmt", "yuv420p", str(path)]
        subprocess.run(command, timeout=PATIENCE_S, check=True)
        return path

    return make


def arrays_of(path: Path) -> dict[str, Any]:
    with np.load(path) as arrays:
        return dict(arrays)


def test_the_reference_s_video_gives_the_reference_s_numbers(tmp_path: Path) -> None:
    cases = json.loads((reference("outputs/index.json")).read_text())
    (case,) = (case for case in cases if case["kind"] == "video")
    expected = arrays_of(reference(f"outputs/{case['case']}.npz"))
    names = ("input_repr", "content_type", "audio_embedding_size", "image_embedding_size", "audio_hop_size")

    process_video_file(
        str(reference(f"inputs/{case['file']}")),
        output_dir=str(tmp_path),
        verbose=False,
        **{name: case[name] for name in names},
    )

    for part, tolerance in (("audio", SAME_SOUND), ("image", SAME_FRAMES)):
        arrays = arrays_of(tmp_path / f"clip_12fps_{part}.npz")
        theirs = expected[f"{part}_embedding"]
        assert arrays["embedding"].shape == theirs.shape
        assert np.abs(arrays["embedding"] - theirs).max() <= tolerance * np.abs(theirs).max()
        np.testing.assert_allclose(arrays["timestamps"], expected[f"{part}_timestamps"], atol=1e-6)


def test_outputs_are_named_by_part_and_suffix(
    make_video: MakeVideo, tmp_path: Path, tiny_model: Any, image_model: Any
) -> None:
    path = make_video("clip.mp4")

    process_video_file(str(path), suffix="x", audio_model=tiny_model, image_model=image_model, verbose=False)

    assert sorted(file.name for file in tmp_path.glob("*.npz")) == ["clip_audio_x.npz", "clip_image_x.npz"]


@pytest.mark.parametrize(("rate", "hz"), [("25", 25.0), ("30000/1001", 30000 / 1001)], ids=["25", "29.97"])
def test_frame_times_are_those_of_the_true_frame_rate(
    make_video: MakeVideo, tmp_path: Path, tiny_model: Any, image_model: Any, rate: str, hz: float
) -> None:
    path = make_video("clip.mp4", rate=rate, seconds=2.0)

    process_video_file(str(path), audio_model=tiny_model, image_model=image_model, verbose=False)

    times = arrays_of(tmp_path / "clip_image.npz")["timestamps"]
    # The release cut 29.97 to 29, and was 3 % off at the end.
    np.testing.assert_allclose(times, np.arange(len(times)) / hz, atol=1e-4)


def test_videos_of_several_frame_rates_keep_their_own_times(
    make_video: MakeVideo, tmp_path: Path, tiny_model: Any, image_model: Any
) -> None:
    paths = [str(make_video(f"{rate}.mp4", rate=rate)) for rate in ("10", "20")]

    process_video_file(paths, audio_model=tiny_model, image_model=image_model, verbose=False)

    # The release used the last video's frame rate for all.
    assert arrays_of(tmp_path / "10_image.npz")["timestamps"][1] == pytest.approx(0.1)
    assert arrays_of(tmp_path / "20_image.npz")["timestamps"][1] == pytest.approx(0.05)


def test_a_video_without_sound_gives_its_frames_and_says_so(
    make_video: MakeVideo, tmp_path: Path, tiny_model: Any, image_model: Any
) -> None:
    path = make_video("silent.mp4", sound=False)

    with pytest.warns(OpenL3Warning, match="silent.mp4 has no sound"):
        process_video_file(str(path), audio_model=tiny_model, image_model=image_model, verbose=False)

    assert [file.name for file in tmp_path.glob("*.npz")] == ["silent_image.npz"]


def test_sound_without_frames_gives_its_sound_and_says_so(
    make_video: MakeVideo, tmp_path: Path, tiny_model: Any, image_model: Any
) -> None:
    path = make_video("radio.mp4", frames=False)

    with pytest.warns(OpenL3Warning, match="radio.mp4 has no frames"):
        process_video_file(str(path), audio_model=tiny_model, image_model=image_model, verbose=False)

    assert [file.name for file in tmp_path.glob("*.npz")] == ["radio_audio.npz"]


def test_bad_videos_are_named_once_and_the_good_one_is_done(
    make_video: MakeVideo, tmp_path: Path, tiny_model: Any, image_model: Any
) -> None:
    good = make_video("good.mp4")
    (tmp_path / "cut.mp4").write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    (tmp_path / "text.mp4").write_text("not a video")
    (tmp_path / "empty.mp4").write_bytes(b"")
    paths = [str(tmp_path / name) for name in ("cut.mp4", "text.mp4", "good.mp4", "empty.mp4", "gone.mp4")]

    with pytest.raises(FilesError, match="4 of 5 files") as failed:
        process_video_file(paths, audio_model=tiny_model, image_model=image_model, verbose=False)

    assert {Path(path).name for path in failed.value.failures} == {
        "cut.mp4",
        "text.mp4",
        "empty.mp4",
        "gone.mp4",
    }
    assert sorted(file.name for file in tmp_path.glob("*.npz")) == ["good_audio.npz", "good_image.npz"]


def test_two_videos_with_one_output_are_refused(
    make_video: MakeVideo, tmp_path: Path, tiny_model: Any
) -> None:
    paths = [str(make_video(f"{folder}/clip.mp4")) for folder in "ab"]

    with pytest.raises(OpenL3Error, match=r"a/clip.mp4 and .*b/clip.mp4 would both be written"):
        process_video_file(paths, output_dir=str(tmp_path / "out"), audio_model=tiny_model, verbose=False)

    assert not (tmp_path / "out").exists()


def test_the_command_keeps_the_folders_of_its_inputs(make_video: MakeVideo, tmp_path: Path) -> None:
    make_video("videos/day 1/clip.mp4", rate="2", seconds=1.0)
    options = ["-as", "512", "-is", "512", "-i", "mel128", "-t", "1", "-ab", "4", "-ib", "4"]

    status = main(
        ["video", str(tmp_path / "videos"), "--recursive", "-o", str(tmp_path / "out"), "-q", *options]
    )

    assert status == 0
    written = sorted(str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*.npz"))
    assert written == ["day 1/clip_audio.npz", "day 1/clip_image.npz"]
    assert arrays_of(tmp_path / "out" / "day 1" / "clip_image.npz")["embedding"].shape == (2, 512)


@pytest.mark.parametrize(
    ("options", "flags", "precisions"),
    [
        ({"precision": "bfloat16"}, ["--precision", "bfloat16"], ("bfloat16", "bfloat16")),
        (
            {"precision": "int8", "image_precision": "float32"},
            ["--precision", "int8", "--image-precision", "float32"],
            ("int8", "float32"),
        ),
    ],
    ids=["one for both", "one for each"],
)
def test_each_network_computes_in_its_precision(
    make_video: MakeVideo,
    options: dict[str, Any],
    flags: list[str],
    precisions: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked_for = []

    def note(sound_outputs: Any, frame_outputs: Any, sound: Any, frames: Any, *_: Any, **__: Any) -> None:
        asked_for.append((sound.parse().variant.precision.value, frames.parse().variant.precision.value))

    monkeypatch.setattr(video, "process_video_outputs", note)
    path = str(make_video("clip.mp4"))
    process_video_file(path, **options)
    assert main(["video", path, *flags]) == 0
    assert asked_for == [precisions, precisions]

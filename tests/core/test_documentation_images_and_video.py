"""The documentation's image and video examples, in its order, as code that was written for openl3 runs them.

They are written out after ``import l3embed as openl3``; only paths are other ones, and pictures and clips
are small. One image gives (1, D), as every release did; the tutorial's (D,) never was.
"""

# mypy: disable-error-code="arg-type"
# Some examples have the words of a variant in variables, which are any str to mypy.

from __future__ import annotations

import inspect
import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from conftest import PATIENCE_S
from moviepy.video.io.VideoFileClip import VideoFileClip
from skimage.io import imread, imsave

import l3embed as openl3
from l3embed import get_image_embedding
from l3embed.cli.main import main

FRAMES = 2


@pytest.fixture
def pngs(tmp_path: Path) -> list[str]:
    """Stand-ins for ``/path/to/file1.png`` to ``file3.png``."""
    rng = np.random.default_rng(0)
    paths = [tmp_path / "path" / "to" / f"file{number}.png" for number in (1, 2, 3)]
    paths[0].parent.mkdir(parents=True)
    for path in paths:
        imsave(path, rng.integers(0, 256, (240, 260, 3), np.uint8), check_contrast=False)
    return [str(path) for path in paths]


@pytest.fixture
def mp4s(tmp_path: Path) -> list[str]:
    """Stand-ins for ``/path/to/file1.mp4`` to ``file3.mp4``: two frames a second, one second long."""
    folder = tmp_path / "videos"
    folder.mkdir()
    paths = [str(folder / f"file{number}.mp4") for number in (1, 2, 3)]
    for number, path in enumerate(paths):
        sources = ["-f", "lavfi", "-i", f"testsrc2=size=240x240:rate={FRAMES}:duration=1"]
        sources += ["-f", "lavfi", "-i", f"sine=frequency={440 + 110 * number}:duration=1"]
        command = [
            imageio_ffmpeg.get_ffmpeg_exe(),
            "-loglevel",
            "error",
            *sources,
            "-pix_fmt",
            "yuv420p",
            path,
        ]
        subprocess.run(command, timeout=PATIENCE_S, check=True)
    return paths


def shape_in(path: str | Path) -> tuple[int, ...]:
    with np.load(path) as data:
        shape: tuple[int, ...] = data["embedding"].shape
        return shape


class TestExtractingImageEmbeddings:
    """Section 2.2.2."""

    def test_an_image_and_a_preloaded_model(self, pngs: list[str]) -> None:
        image = imread(pngs[0])
        emb = openl3.get_image_embedding(image, content_type="env", input_repr="linear", embedding_size=512)
        assert emb.shape == (1, 512)

        model = openl3.models.load_image_embedding_model(
            input_repr="mel256", content_type="music", embedding_size=512
        )
        emb = openl3.get_image_embedding(image, model=model)
        assert emb.shape == (1, 512)

    def test_the_frames_of_a_clip(self, mp4s: list[str]) -> None:
        clip = VideoFileClip(mp4s[0])
        images = np.array([frame for frame in clip.iter_frames()])  # noqa: C416

        emb = get_image_embedding(images, batch_size=32)
        assert emb.shape == (FRAMES, 8192)

        emb, ts = get_image_embedding(images, frame_rate=clip.fps, batch_size=32)
        assert emb.shape == (FRAMES, 8192)
        np.testing.assert_allclose(ts, [0, 0.5])

    def test_several_clips(self, mp4s: list[str]) -> None:
        clip1, clip2, clip3 = (VideoFileClip(path) for path in mp4s)
        images1, images2, images3 = (
            np.array([frame for frame in clip.iter_frames()])  # noqa: C416
            for clip in (clip1, clip2, clip3)
        )
        image_list = [images1, images2, images3]
        frame_rate_list = [clip1.fps, clip2.fps, clip3.fps]

        emb_list, ts_list = get_image_embedding(image_list, frame_rate=frame_rate_list, batch_size=32)
        assert [emb.shape for emb in emb_list] == [(FRAMES, 8192)] * 3
        assert [ts.tolist() for ts in ts_list] == [[0.0, 0.5]] * 3
        emb_list, ts_list = get_image_embedding(image_list, frame_rate=clip1.fps, batch_size=32)
        assert len(emb_list) == len(ts_list) == 3
        emb_list = get_image_embedding(image_list, batch_size=32)
        assert [emb.shape for emb in emb_list] == [(FRAMES, 8192)] * 3

    def test_options_of_the_model_and_silence(
        self, pngs: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        image = imread(pngs[0])
        emb = openl3.get_image_embedding(image, content_type="env", input_repr="linear", embedding_size=512)
        assert emb.shape == (1, 512)
        capsys.readouterr()

        emb = openl3.get_image_embedding(image, verbose=0)
        assert emb.shape == (1, 8192)
        assert capsys.readouterr() == ("", "")

    def test_one_model_for_two_images(self, pngs: list[str]) -> None:
        image1, image2 = imread(pngs[0]), imread(pngs[1])
        model = openl3.models.load_image_embedding_model(
            input_repr="mel256", content_type="music", embedding_size=512
        )
        emb1 = openl3.get_image_embedding(image1, model=model)
        emb2 = openl3.get_image_embedding(image2, model=model)
        assert not np.array_equal(emb1, emb2)

    def test_files(self, pngs: list[str], tmp_path: Path) -> None:
        image_filepath = pngs[0]
        openl3.process_image_file(image_filepath)
        data = np.load(tmp_path / "path" / "to" / "file1.npz")
        assert data["embedding"].shape == (1, 8192)

        model = openl3.models.load_image_embedding_model(
            input_repr="mel256", content_type="music", embedding_size=512
        )
        openl3.process_image_file(image_filepath, model=model)
        assert shape_in(tmp_path / "path" / "to" / "file1.npz") == (1, 8192)  # it was there
        openl3.process_image_file(image_filepath, model=model, suffix="suffix")
        assert shape_in(tmp_path / "path" / "to" / "file1_suffix.npz") == (1, 512)
        different = str(tmp_path / "different" / "dir")
        openl3.process_image_file(image_filepath, model=model, suffix="suffix", output_dir=different)
        assert shape_in(tmp_path / "different" / "dir" / "file1_suffix.npz") == (1, 512)

    def test_several_files(self, pngs: list[str]) -> None:
        image_filepath_list = pngs
        openl3.process_image_file(image_filepath_list, batch_size=32)
        for path in pngs:
            assert shape_in(Path(path).with_suffix(".npz")) == (1, 8192)


class TestProcessingVideoFiles:
    """Section 2.2.3, and the video of 2.2.4."""

    @pytest.mark.slow
    def test_a_video(self, mp4s: list[str]) -> None:
        video_filepath = mp4s[0]
        folder = Path(video_filepath).parent
        openl3.process_video_file(video_filepath)
        assert shape_in(folder / "file1_audio.npz") == (6, 6144)
        assert shape_in(folder / "file1_image.npz") == (FRAMES, 8192)

        audio_model = openl3.models.load_audio_embedding_model(
            input_repr="mel256", content_type="music", embedding_size=512
        )
        image_model = openl3.models.load_image_embedding_model(
            input_repr="mel256", content_type="music", embedding_size=512
        )
        models = {"audio_model": audio_model, "image_model": image_model}
        openl3.process_video_file(video_filepath, **models)
        assert shape_in(folder / "file1_audio.npz") == (6, 6144)  # it was there
        openl3.process_video_file(video_filepath, suffix="suffix", **models)
        assert shape_in(folder / "file1_audio_suffix.npz") == (6, 512)
        different = folder / "different" / "dir"
        openl3.process_video_file(video_filepath, suffix="suffix", output_dir=str(different), **models)
        assert shape_in(different / "file1_image_suffix.npz") == (FRAMES, 512)

    @pytest.mark.slow
    def test_several_videos(self, mp4s: list[str]) -> None:
        video_filepath_list = mp4s
        openl3.process_video_file(video_filepath_list, batch_size=32)
        for path in mp4s:
            assert shape_in(path.replace(".mp4", "_audio.npz")) == (6, 6144)
            assert shape_in(path.replace(".mp4", "_image.npz")) == (FRAMES, 8192)

    def test_the_librosa_frontend(self, mp4s: list[str]) -> None:
        input_repr, content_type, embedding_size = "mel128", "music", 6144
        model = openl3.models.load_audio_embedding_model(
            input_repr, content_type, embedding_size, frontend="librosa"
        )
        openl3.process_video_file(mp4s[0], audio_model=model, audio_frontend="librosa")
        assert shape_in(mp4s[0].replace(".mp4", "_audio.npz")) == (6, 6144)


class TestCommandLine:
    """Sections 2.3.2 and 2.3.3."""

    def test_image_commands(
        self, pngs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        png, folder, different = pngs[0], Path(pngs[0]).parent, tmp_path / "different" / "dir"
        assert main(["image", png]) == 0
        assert shape_in(folder / "file1.npz") == (1, 8192)
        assert main(["image", png, "--output", str(different)]) == 0
        assert shape_in(different / "file1.npz") == (1, 8192)
        assert main(["image", *pngs]) == 0
        assert shape_in(folder / "file3.npz") == (1, 8192)
        assert main(["image", str(folder), "--output", str(different)]) == 0
        assert sorted(path.name for path in different.iterdir()) == ["file1.npz", "file2.npz", "file3.npz"]
        assert main(["image", png, "--suffix", "somesuffix"]) == 0
        assert shape_in(folder / "file1_somesuffix.npz") == (1, 8192)
        model = ["--content-type", "env", "--input-repr", "mel128", "--embedding-size", "512"]
        assert main(["image", png, *model, "--suffix", "512"]) == 0
        assert shape_in(folder / "file1_512.npz") == (1, 512)
        assert main(["image", png, "--image-batch-size", "16", "--suffix", "16"]) == 0
        capsys.readouterr()
        assert main(["image", png, "--quiet", "--suffix", "quiet"]) == 0
        assert capsys.readouterr() == ("", "")

    @pytest.mark.slow
    def test_video_commands(self, mp4s: list[str]) -> None:
        assert main(["video", mp4s[0]]) == 0
        assert shape_in(mp4s[0].replace(".mp4", "_audio.npz")) == (6, 6144)
        assert shape_in(mp4s[0].replace(".mp4", "_image.npz")) == (FRAMES, 8192)
        assert main(["video", mp4s[1], "--audio-batch-size", "16", "--image-batch-size", "16"]) == 0
        assert shape_in(mp4s[1].replace(".mp4", "_image.npz")) == (FRAMES, 8192)


DOCUMENTED: dict[str, dict[str, Any]] = {
    "get_image_embedding": {
        "image": inspect.Parameter.empty,
        "frame_rate": None,
        "model": None,
        "input_repr": "mel256",
        "content_type": "music",
        "embedding_size": 8192,
        "batch_size": 32,
        "verbose": True,
    },
    "process_image_file": {
        "filepath": inspect.Parameter.empty,
        "output_dir": None,
        "suffix": None,
        "model": None,
        "input_repr": "mel256",
        "content_type": "music",
        "embedding_size": 8192,
        "batch_size": 32,
        "overwrite": False,
        "verbose": True,
    },
    "process_video_file": {
        "filepath": inspect.Parameter.empty,
        "output_dir": None,
        "suffix": None,
        "audio_model": None,
        "image_model": None,
        "input_repr": None,
        "content_type": "music",
        "audio_embedding_size": 6144,
        "audio_center": True,
        "audio_hop_size": 0.1,
        "image_embedding_size": 8192,
        "audio_batch_size": 32,
        "image_batch_size": 32,
        "audio_frontend": "kapre",
        "overwrite": False,
        "verbose": True,
    },
    "models.load_image_embedding_model": dict.fromkeys(
        ("input_repr", "content_type", "embedding_size"), inspect.Parameter.empty
    ),
    "models.load_image_embedding_model_from_path": dict.fromkeys(
        ("model_path", "embedding_size"), inspect.Parameter.empty
    ),
    "models.get_image_embedding_model_path": dict.fromkeys(
        ("input_repr", "content_type"), inspect.Parameter.empty
    ),
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_signatures_are_the_documented_ones(name: str) -> None:
    function: Any = openl3
    for part in name.split("."):
        function = getattr(function, part)

    parameters = inspect.signature(function).parameters.values()

    own = [parameter for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY]
    assert {parameter.name: parameter.default for parameter in own} == DOCUMENTED[name]
    assert [parameter.name for parameter in own] == list(DOCUMENTED[name])

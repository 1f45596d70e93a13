"""A folder with one good file and ten bad ones of each kind: the good one is done, the bad are named."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from conftest import PATIENCE_S
from skimage.io import imsave

from l3embed.cli.main import main


def cut(path: Path, target: str, share: float = 0.5) -> None:
    content = path.read_bytes()
    path.with_name(target).write_bytes(content[: int(len(content) * share)])


def write_audio_folder(folder: Path) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 24_000)
    good = folder / "good.wav"
    soundfile.write(good, sound, 48_000)
    soundfile.write(folder / "source.flac", sound, 48_000)
    soundfile.write(folder / "source.ogg", sound, 48_000)
    cut(good, "cut.wav")
    cut(folder / "source.flac", "cut_flac.flac")
    cut(folder / "source.ogg", "cut_ogg.ogg")
    cut(good, "header_only.wav", share=0.0005)
    for name in ("source.flac", "source.ogg"):
        (folder / name).unlink()
    soundfile.write(folder / "no_samples.wav", sound[:0], 48_000)
    soundfile.write(folder / "nan.wav", np.where(sound > 0.2, np.nan, sound), 48_000, subtype="FLOAT")
    soundfile.write(folder / "infinite.wav", np.where(sound > 0.2, np.inf, sound), 48_000, subtype="DOUBLE")
    (folder / "empty.wav").write_bytes(b"")
    (folder / "text.wav").write_text("not audio at all, " * 100)
    (folder / "zeros.m4a").write_bytes(bytes(5000))


def write_image_folder(folder: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (240, 260, 3), np.uint8)
    good = folder / "good.png"
    imsave(good, picture, check_contrast=False)
    for name in ("source.jpg", "source.tif", "source.bmp"):
        imsave(folder / name, picture, check_contrast=False)
        ending = name.partition(".")[2]
        cut(folder / name, f"cut_{ending}.{ending}")
        (folder / name).unlink()
    cut(good, "cut.png")
    cut(good, "header_only.png", share=0.0002)
    imsave(folder / "small.png", picture[:100], check_contrast=False)
    imsave(folder / "narrow.png", picture[:, :223], check_contrast=False)
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("not a picture")
    (folder / "zeros.gif").write_bytes(bytes(5000))


def write_video_folder(folder: Path) -> None:
    def make(name: str, *options: str) -> Path:
        sources = ["-f", "lavfi", "-i", "testsrc2=size=96x96:rate=4:duration=1"]
        sources += ["-f", "lavfi", "-i", "sine=duration=1"]
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *sources, "-pix_fmt", "yuv420p"]
        subprocess.run([*command, *options, str(folder / name)], timeout=PATIENCE_S, check=True)
        return folder / name

    good = make("good.mp4")
    cut(good, "cut.mp4")
    cut(good, "header_only.mp4", share=0.01)
    for number, name in enumerate(("source.mkv", "source.avi", "source.webm", "source.mov")):
        source = make(name)
        cut(source, f"cut{number}{source.suffix}")
        source.unlink()
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mkv").write_text("not a video")
    (folder / "zeros.avi").write_bytes(bytes(5000))
    (folder / "picture.mov").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))


@pytest.mark.parametrize(
    ("command", "write", "outputs"),
    [
        ("audio", write_audio_folder, ["good.npz"]),
        ("image", write_image_folder, ["good.npz"]),
        ("video", write_video_folder, ["good_audio.npz", "good_image.npz"]),
    ],
    ids=["audio", "image", "video"],
)
def test_ten_bad_files_do_not_cost_the_good_one(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
    write: Callable[[Path], None],
    outputs: list[str],
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    write(folder)
    bad = sorted(path.name for path in folder.iterdir() if path.stem != "good")
    assert len(bad) == 10

    strictly = [] if command == "image" else ["--on-damage", "skip"]
    status = main([command, str(folder), "-o", str(tmp_path / "out"), "-q", "-i", "mel128", *strictly])

    assert status == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == outputs
    lines = capsys.readouterr().err.splitlines()
    start = lines.index("l3embed: 1 of 11 files done, 10 failed:")
    table = [line.split(maxsplit=1) for line in lines[start + 1 :]]
    assert sorted(Path(path).name for path, _ in table) == bad
    assert all(len(reason.split()) > 2 for _, reason in table)

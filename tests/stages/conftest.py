"""Short recordings, images and videos, sound and damaged, and a project to run the stages in."""

from __future__ import annotations

import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from conftest import PATIENCE_S

from l3embed.stages.network import ChosenNetwork

from . import standin
from .standin import Project

REPOSITORY = Path(__file__).parents[2]


def noise(
    seconds: float, sample_rate_hz: int = 48_000, channels: int = 1, seed: int = 0
) -> npt.NDArray[np.float64]:
    """Noise, shape ``(N, channels)``."""
    samples = round(seconds * sample_rate_hz)
    return np.random.default_rng(seed).uniform(-0.3, 0.3, (samples, channels))


def write_audio(
    path: Path, seconds: float = 0.5, sample_rate_hz: int = 48_000, channels: int = 1, seed: int | None = None
) -> None:
    """Write noise, another for each name unless a seed is given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = zlib.crc32(path.name.encode(errors="surrogateescape")) if seed is None else seed
    # Not by its path: libsndfile would not take names that are no UTF-8.
    with path.open("wb") as file:
        soundfile.write(
            file,
            noise(seconds, sample_rate_hz, channels, seed),
            sample_rate_hz,
            format=path.suffix[1:].upper(),
        )


def write_image(path: Path, height: int = 240, width: int = 230, seed: int | None = None) -> None:
    """Write coloured noise, another for each name unless a seed is given."""
    import imageio.v3

    path.parent.mkdir(parents=True, exist_ok=True)
    seed = zlib.crc32(path.name.encode()) if seed is None else seed
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    imageio.v3.imwrite(path, pixels)


def write_video(
    path: Path, seconds: float = 0.4, *, rate: str = "10", sound: bool = True, frames: bool = True
) -> None:
    """Write a test picture and a tone, by ffmpeg."""
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error"]
    if frames:
        command += ["-f", "lavfi", "-i", f"testsrc2=size=128x96:rate={rate}:duration={seconds}"]
    if sound:
        command += ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"]
    command += ["-pix_fmt", "yuv420p", f"file:{path}"]
    subprocess.run(command, timeout=PATIENCE_S, check=True)


def write_cut(path: Path) -> None:
    write_audio(path, seconds=2)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def write_nan(path: Path) -> None:
    samples = noise(0.5)
    samples[1234] = np.nan
    soundfile.write(path, samples, 48_000, subtype="FLOAT")


def write_cut_image(path: Path) -> None:
    write_image(path)
    path.write_bytes(path.read_bytes()[:20_000])


def write_cut_video(path: Path) -> None:
    write_video(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty.wav": (lambda path: path.write_bytes(b""), "The file is empty (0 bytes)."),
    "cut.wav": (write_cut, "cut short"),
    "cut.flac": (write_cut, "cut short"),
    "cut.ogg": (write_cut, "cut short"),
    "cut.mp3": (write_cut, "cut short"),
    "text.wav": (lambda path: path.write_text("no sound at all"), "could not be read as audio"),
    "no samples.wav": (lambda path: soundfile.write(path, np.zeros((0, 1)), 48_000), "holds no samples"),
    "nan.wav": (write_nan, "NaN or infinite samples"),
    "gone.wav": (lambda path: path.symlink_to("nothing.wav"), "It is a link that leads nowhere."),
}
"""What damages a recording, and words of the reason that is to be given."""

BAD_PICTURES: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty.png": (lambda path: path.write_bytes(b""), "The file is empty (0 bytes)."),
    "text.jpg": (lambda path: path.write_text("no image at all"), "could not be read as an image"),
    "cut.png": (write_cut_image, "could not be read as an image"),
    "small.png": (lambda path: write_image(path, 100, 300), "at least 224 x 224 pixels; got 100 x 300"),
    "empty.mp4": (lambda path: path.write_bytes(b""), "The file is empty (0 bytes)."),
    "text.mp4": (lambda path: path.write_text("no video at all"), "no video or audio"),
    "cut.mp4": (write_cut_video, "cut short"),
}
"""The same for images and videos."""

GOOD_FILES = {"first.wav": (1.5, 44_100, 2), "Глава 1/日本語 v1.2.flac": (2.0, 48_000, 1)}
"""Seconds, sample rate and channels."""


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of sound and damaged recordings; not to be changed."""
    folder = tmp_path_factory.mktemp("recordings")
    for name, (seconds, sample_rate_hz, channels) in GOOD_FILES.items():
        write_audio(folder / name, seconds, sample_rate_hz, channels)
    for name, (write, _) in BAD_FILES.items():
        write(folder / name)
    return folder


@pytest.fixture
def store_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of the test's own, here and in processes that it starts."""
    folder = tmp_path / "store"
    monkeypatch.setenv("L3EMBED_STORE", str(folder))
    return folder


@pytest.fixture
def project(tmp_path: Path, store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project without any files yet, whose networks take no time."""
    monkeypatch.setattr(ChosenNetwork, "load", standin.load)
    project = Project(tmp_path / "project")
    project.dataset.mkdir(parents=True)
    return project


FILES = 4
ALL_REUSED = ((0, FILES, 0),) * 3


@pytest.fixture
def computed(project: Project) -> Project:
    """A project with four recordings that have gone through all stages."""
    for number in range(FILES):
        write_audio(project.dataset / "folder" / f"{number}.wav", seconds=0.2)
    assert project.run() == ((FILES, 0, 0),) * 3
    return project


@pytest.fixture
def mixed(project: Project) -> Project:
    """A project with a recording, an image and a video that have gone through all stages."""
    write_audio(project.dataset / "a.wav")
    write_image(project.dataset / "b.png")
    write_video(project.dataset / "c.mp4")
    assert project.run() == ((4, 0, 0),) * 3
    return project


def first(project: Project) -> Path:
    """One of the computed project's recordings."""
    return project.dataset / "folder" / "0.wav"

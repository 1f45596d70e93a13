"""Short recordings, sound and damaged, and stages run on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

REPOSITORY = Path(__file__).parents[2]


def noise(seconds: float, sample_rate_hz: int = 48_000, channels: int = 1) -> npt.NDArray[np.float64]:
    """Noise, shape ``(N, channels)``."""
    samples = round(seconds * sample_rate_hz)
    return np.random.default_rng(samples).uniform(-0.3, 0.3, (samples, channels))


def write_audio(path: Path, seconds: float = 0.5, sample_rate_hz: int = 48_000, channels: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, noise(seconds, sample_rate_hz, channels), sample_rate_hz)


def write_cut(path: Path) -> None:
    write_audio(path, seconds=2)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def write_nan(path: Path) -> None:
    samples = noise(0.5)
    samples[1234] = np.nan
    soundfile.write(path, samples, 48_000, subtype="FLOAT")


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty.wav": (lambda path: path.write_bytes(b""), "The file is empty (0 bytes)."),
    "cut.wav": (write_cut, "cut short"),
    "cut.flac": (write_cut, "damaged or cut short"),
    "cut.ogg": (write_cut, "cut short"),
    "cut.mp3": (write_cut, "cut short"),
    "text.wav": (lambda path: path.write_text("no sound at all"), "could not be read as audio"),
    "no samples.wav": (lambda path: soundfile.write(path, np.zeros((0, 1)), 48_000), "holds no samples"),
    "nan.wav": (write_nan, "NaN or infinite samples"),
}
"""What damages a file, and words of the reason that is to be given."""

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

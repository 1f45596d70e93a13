"""The files that are embedded: made on the spot, the same each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

BLOCK_S = 60
"""Seconds of a long recording that are written at a time."""

RATES_HZ = {
    "wav": (8_000, 16_000, 22_050, 44_100, 48_000, 96_000),
    "flac": (8_000, 16_000, 22_050, 44_100, 48_000, 96_000),
    "ogg": (16_000, 22_050, 44_100, 48_000),
    "mp3": (16_000, 22_050, 44_100, 48_000),
}
"""The rates of the clips, by format."""

PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket")
PHOTOGRAPH_SHAPE = (480, 640)
JPEG_QUALITY = 90


def sound(seconds: float, sample_rate_hz: int, channels: int, seed: int) -> npt.NDArray[np.float64]:
    """Return decaying notes in noise, shape ``(N, channels)``."""
    random = np.random.default_rng(seed)
    times_s = np.arange(max(1, round(seconds * sample_rate_hz))) / sample_rate_hz
    notes = np.zeros_like(times_s)
    for harmonic in range(1, 5):
        pitch_hz = 110 * 2 ** random.integers(0, 3) * harmonic
        notes += np.sin(2 * np.pi * pitch_hz * times_s) / harmonic
    notes *= 0.1 * np.exp(-3 * (times_s % 0.5))
    return notes[:, np.newaxis] + random.normal(0, 0.02, (len(times_s), channels))


def write_recording(path: Path, seconds: float, sample_rate_hz: int = 44_100, channels: int = 2) -> Path:
    """Write a recording, in 16 bits or what its format has, and return its path."""
    import soundfile

    soundfile.write(path, sound(seconds, sample_rate_hz, channels, seed=0), sample_rate_hz)
    return path


def write_long_recording(path: Path, seconds: float, sample_rate_hz: int = 44_100) -> Path:
    """Write a stereo FLAC of any length block by block, and return its path.

    It holds noise of a few steps only, so that it stays small and is quickly written.
    """
    import soundfile

    random = np.random.default_rng(0)
    left = round(seconds * sample_rate_hz)
    block = random.integers(-3, 4, (min(left, BLOCK_S * sample_rate_hz), 2)).astype(np.int16)
    with soundfile.SoundFile(path, "w", sample_rate_hz, 2, "PCM_16") as file:
        while left:
            part = block[:left]
            file.write(part)
            left -= len(part)
    return path


def write_clips(folder: Path, count: int, shortest_s: float, longest_s: float) -> None:
    """Write clips of mixed rates, formats, channels and durations, each other than all others."""
    import soundfile

    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    for number in range(count):
        suffix = list(RATES_HZ)[number % len(RATES_HZ)]
        rate_hz = int(random.choice(RATES_HZ[suffix]))
        seconds = random.uniform(shortest_s, longest_s)
        samples = sound(seconds, rate_hz, channels=1 + number % 2, seed=number)
        soundfile.write(folder / f"clip_{number:05d}.{suffix}", samples, rate_hz)


def write_photographs(folder: Path, count: int) -> None:
    """Write JPEGs of 640 x 480 pixels: parts of photographs that scikit-image brings along."""
    import skimage.data
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    sources: list[Any] = [_enlarged(getattr(skimage.data, name)()) for name in PHOTOGRAPHS]
    random = np.random.default_rng(2)
    height, width = PHOTOGRAPH_SHAPE
    for number in range(count):
        source = sources[number % len(sources)]
        top, left = (
            int(random.integers(0, side - cut + 1))
            for side, cut in zip(source.shape, (height, width), strict=False)
        )
        part = source[top : top + height, left : left + width]
        Image.fromarray(part).save(folder / f"photograph_{number:04d}.jpg", quality=JPEG_QUALITY)


def _enlarged(image: Any) -> npt.NDArray[np.uint8]:
    """Return a photograph with room for different cuts."""
    from PIL import Image

    height, width = PHOTOGRAPH_SHAPE
    scale = max(1.2 * height / image.shape[0], 1.2 * width / image.shape[1])
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    return np.asarray(Image.fromarray(image).resize(size))

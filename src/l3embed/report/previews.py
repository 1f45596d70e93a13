"""Short sounds and small pictures of single files."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.decoding.ffmpeg import FfmpegRun
from l3embed.decoding.image import read_image
from l3embed.decoding.section import Section
from l3embed.errors import source_faults
from l3embed.inputs.media import open_sound
from l3embed.variants import Media

SOUND_S = 5.0
SOUND_RATE_HZ = 24_000
MP3_COMPRESSION = 0.8
"""Of libsndfile's 0 to 1: at 24 kHz mono it gives some 35 kbit/s, 23 kB for 5 s."""

PEAK = 0.7
LARGEST_GAIN = 4.0
"""Sounds are brought to one peak, but those that were meant to be quiet stay so: 12 dB at most."""

FADE_S = 0.05
SIDE_PIXELS = 320
JPEG_QUALITY = 72

FRAME_FILTERS = (
    "thumbnail=48",  # the most typical of the first frames, which are often black
    "scale=w='max(1,iw*if(sar,sar,1))':h=ih",  # as wide as it is shown
    f"scale=w='min({SIDE_PIXELS},iw)':h='min({SIDE_PIXELS},ih)':force_original_aspect_ratio=decrease",
    "format=rgb24",
)
FRAME_OPTIONS = (
    *("-an", "-sn", "-dn", "-frames:v", "1", "-vf", ",".join(FRAME_FILTERS)),
    *("-c:v", "ppm", "-f", "image2pipe", "-"),
)

Samples = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Subject:
    """What a preview is of.

    Parameters
    ----------
    path : str
        Of the file, below the dataset's folder.
    media : Media
        What kind of file it is.
    has_sound, has_picture : bool
        What of a video is wanted; a recording has a sound and an image a picture in any case.
    location : str
        Where the file lies, as a listing has it; nothing if `path` says it.
    start_s, end_s : float or None
        Which section of the file it is.
    sha256 : str
        Of the file that was embedded.
    """

    path: str
    media: Media
    has_sound: bool
    has_picture: bool
    location: str = ""
    start_s: float | None = None
    end_s: float | None = None
    sha256: str = ""

    @property
    def section(self) -> Section | None:
        """The section; None if it is all of the file."""
        if self.start_s is None and self.end_s is None:
            return None
        return Section(self.start_s or 0.0, self.end_s)


@dataclass(frozen=True)
class Preview:
    """What a page holds of one file: MP3 and JPEG, either may be empty."""

    sound: bytes = b""
    picture: bytes = b""

    @property
    def page_bytes(self) -> int:
        """Size in the page, where three bytes are four characters."""
        return sum(-(-len(part) // 3) * 4 for part in (self.sound, self.picture))


def make_preview(path: Path, subject: Subject) -> Preview:
    """Make the preview of one file of a dataset, which lies at a path.

    Raises
    ------
    OpenL3Error
        If it cannot be previewed.
    """
    with source_faults():
        return PREVIEWERS[subject.media](path, subject)


def _preview_recording(path: Path, subject: Subject) -> Preview:
    return Preview(sound=_beginning_as_mp3(path, subject))


def _preview_image(path: Path, subject: Subject) -> Preview:
    images = read_image(path)
    return Preview(picture=_as_jpeg(images if images.ndim == len(("y", "x", "rgb")) else images[0]))


def _preview_video(path: Path, subject: Subject) -> Preview:
    sound = picture = b""
    if subject.has_sound:
        sound = _beginning_as_mp3(path, subject)
    if subject.has_picture:
        picture = _video_frame(path, subject.section)
    return Preview(sound, picture)


PREVIEWERS: dict[Media, Callable[[Path, Subject], Preview]] = {
    Media.AUDIO: _preview_recording,
    Media.IMAGE: _preview_image,
    Media.VIDEO: _preview_video,
}


def _beginning_as_mp3(path: Path, subject: Subject) -> bytes:
    """Encode the beginning of a recording, or of a video's sound."""
    with open_sound(path, subject.media, subject.section) as recording:
        return _as_mp3(recording.blocks(), recording.sample_rate_hz) if recording else b""


def _as_mp3(blocks: Iterator[Samples], sample_rate_hz: float) -> bytes:
    import soundfile

    encoded = io.BytesIO()
    soundfile.write(
        encoded,
        _short_mono(_beginning(blocks, round(SOUND_S * sample_rate_hz)), sample_rate_hz),
        SOUND_RATE_HZ,
        format="MP3",
        bitrate_mode="VARIABLE",
        compression_level=MP3_COMPRESSION,
    )
    return encoded.getvalue()


def _beginning(blocks: Iterator[Samples], count: int) -> Samples:
    """Return the first samples, ``(n, channels)``, and let go of the file."""
    parts: list[Samples] = []
    # Both kinds of files yield from a generator, whose end closes what it has opened.
    with closing(blocks) if isinstance(blocks, Generator) else nullcontext():
        for block in blocks:
            parts.append(block)
            if sum(map(len, parts)) >= count:
                break
    return np.concatenate(parts)[: count + 1]


def _short_mono(samples: Samples, sample_rate_hz: float) -> Samples:
    """Turn samples, ``(n, channels)``, into mono ones for a preview, faded out where more would follow."""
    from scipy.signal import resample_poly

    count = round(SOUND_S * sample_rate_hz)
    mono = np.nan_to_num(samples[:count].mean(axis=1))
    ratio = Fraction(SOUND_RATE_HZ / sample_rate_hz).limit_denominator(1000)
    mono = resample_poly(mono, ratio.numerator, ratio.denominator)
    if len(samples) > count:
        fade = round(FADE_S * SOUND_RATE_HZ)
        mono[-fade:] *= np.linspace(1, 0, fade)
    peak = np.abs(mono).max(initial=0)
    louder: Samples = mono * (min(LARGEST_GAIN, PEAK / peak) if peak else 1)
    return louder


def _as_jpeg(image: npt.NDArray[Any]) -> bytes:
    """Encode an image, ``(height, width, 3)``, made small."""
    from PIL import Image

    picture = Image.fromarray(_as_bytes(image))
    picture.thumbnail((SIDE_PIXELS, SIDE_PIXELS), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return encoded.getvalue()


def _as_bytes(image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Bring an image of any type to bytes, from its darkest to its brightest value."""
    if image.dtype == np.uint8:
        return np.ascontiguousarray(image)
    values = np.nan_to_num(image.astype(np.float64))
    low, high = values.min(), values.max()
    scaled: npt.NDArray[np.uint8] = np.round((values - low) / ((high - low) or 1) * 255).astype(np.uint8)
    return scaled


def _video_frame(path: Path, section: Section | None) -> bytes:
    """Encode a typical frame from the beginning of a video, or of a section of it."""
    from PIL import Image

    start = ("-ss", str(section.start_s)) if section else ()
    with FfmpegRun(path, FRAME_OPTIONS, input_options=start) as run:
        content = io.BytesIO()
        while part := run.read(1 << 20):
            content.write(part)
        run.finish()
    with Image.open(content) as frame:
        return _as_jpeg(np.asarray(frame.convert("RGB")))

"""Valid files of every format, altered at random: a result or an `OpenL3Error`, and bounded in any case."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import tifffile
from conftest import child, noise
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from l3embed.variants import Media

from .conftest import ffmpeg, picture, tone

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs limits of a process's memory"),
]

MOST_S = 20
MOST_BYTES = 2 * 2**30

SOUNDFILE_FORMATS = {
    "16.wav": "PCM_16",
    "float.wav": "FLOAT",
    "ulaw.wav": "ULAW",
    "adpcm.wav": "MS_ADPCM",
    "a.aiff": "PCM_24",
    "a.au": "PCM_16",
    "a.caf": "PCM_16",
    "a.w64": "PCM_16",
    "a.rf64": "PCM_16",
    "a.flac": "PCM_16",
    "a.ogg": "VORBIS",
    "a.mp3": "MPEG_LAYER_III",
}
FFMPEG_FORMATS = {
    "no_length.mp3": ("-q:a", "4", "-write_xing", "0"),
    "a.mp2": ("-c:a", "mp2"),
    "mp3.wav": ("-c:a", "libmp3lame"),
    "a.m4a": ("-c:a", "aac"),
    "a.wma": ("-c:a", "wmav2"),
    "a.mka": ("-c:a", "pcm_s16le"),
    "a.wv": ("-c:a", "wavpack"),
    "a.tta": ("-c:a", "tta"),
    "a.ac3": ("-c:a", "ac3"),
    "a.opus": ("-c:a", "libopus", "-ar", "48000"),
}
PICTURE_FORMATS: dict[str, dict[str, Any]] = {
    "a.png": {},
    "paged.png": {"save_all": True},
    "a.jpg": {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"},
    "a.gif": {"save_all": True},
    "a.bmp": {},
    "a.tif": {"save_all": True},
    "lzw.tif": {"compression": "tiff_lzw"},
    "a.webp": {"save_all": True},
    "a.jp2": {},
    "a.ppm": {},
    "a.tga": {},
}
VIDEO_FORMATS = {
    "a.mp4": ("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"),
    "a.mkv": ("-c:v", "mjpeg", "-c:a", "pcm_s16le"),
    "a.avi": ("-c:v", "mjpeg", "-c:a", "pcm_s16le"),
    "a.webm": ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"),
    "a.wmv": ("-c:v", "wmv2", "-c:a", "wmav2"),
    "a.ts": ("-c:v", "mpeg2video", "-c:a", "mp2"),
    "a.flv": ("-c:v", "flv1", "-c:a", "libmp3lame"),
}

SIDE = 230


@dataclass(frozen=True)
class Kind:
    """A kind of files: its name, how many mutants of it are read, and what writes a valid one."""

    name: str
    media: Media
    mutants: int
    write: Callable[[Path], object]


def write_sound(subtype: str, path: Path) -> None:
    form = "RF64" if path.suffix == ".rf64" else None
    soundfile.write(path, noise(0.6), 48_000, subtype=subtype, format=form)


def write_by_ffmpeg(sources: list[str], encoder: Sequence[str], path: Path) -> None:
    ffmpeg(*sources, *encoder, path)


def write_picture(options: dict[str, Any], path: Path) -> None:
    y, x = np.mgrid[:SIDE, :SIDE]
    frames = [Image.fromarray(np.stack([x, y, x ^ y ^ shift], axis=-1).astype(np.uint8)) for shift in (0, 9)]
    more: dict[str, Any] = {"append_images": frames[1:]} if "save_all" in options else {}
    frames[0].save(path, **options, **more)


def write_wide_tiff(path: Path) -> None:
    numbers = np.arange(SIDE * SIDE * 3, dtype=np.uint16).reshape(SIDE, SIDE, 3)
    tifffile.imwrite(path, numbers, photometric="rgb")


SOUND, MOVING = tone(0.6), [*picture("10", 0.4, "32x32"), *tone(0.4)]

KINDS = [
    *(Kind(name, Media.AUDIO, 70, partial(write_sound, made)) for name, made in SOUNDFILE_FORMATS.items()),
    *(
        Kind(name, Media.AUDIO, 30, partial(write_by_ffmpeg, SOUND, made))
        for name, made in FFMPEG_FORMATS.items()
    ),
    *(Kind(name, Media.IMAGE, 70, partial(write_picture, made)) for name, made in PICTURE_FORMATS.items()),
    Kind("wide.tif", Media.IMAGE, 70, write_wide_tiff),
    *(
        Kind(name, Media.VIDEO, 16, partial(write_by_ffmpeg, MOVING, made))
        for name, made in VIDEO_FORMATS.items()
    ),
]


def test_there_are_2000_mutants() -> None:
    assert sum(kind.mutants for kind in KINDS) >= 2000


MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["cut", "set", "insert", "remove", "repeat"]),
        st.floats(0, 1, exclude_max=True),
        st.sampled_from([b"\0", b"\xff", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\x80"])
        | st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=5,
)


def mutant(content: bytes, mutations: list[tuple[str, float, bytes]]) -> bytes:
    """Alter a file, its beginning, where the headers are, more than the rest."""
    altered = bytearray(content)
    for kind, share, piece in mutations:
        place = int(len(altered) * share**3)
        if kind == "cut":
            del altered[max(1, int(len(altered) * share)) :]
        elif kind == "set":
            altered[place : place + len(piece)] = piece
        elif kind == "insert":
            altered[place:place] = piece
        elif kind == "remove":
            del altered[place : place + len(piece)]
        else:
            altered[place:place] = altered[place : place + 64 * len(piece)]
    return bytes(altered)


class Reader:
    """A process that reads files in bounded memory."""

    def __init__(self, process: Any) -> None:
        self._process = process

    def __call__(self, media: Media, path: Path) -> dict[str, Any]:
        self._process.stdin.write(f"{media.value} {path}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"It ended with the status {self._process.wait()}."
        told: dict[str, Any] = json.loads(answer)
        return told


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    command = [sys.executable, str(Path(__file__).with_name("reading_child.py"))]
    with child(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        yield Reader(process)


EACH_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@EACH_KIND
def test_a_valid_file_is_read(kind: Kind, reader: Reader, tmp_path: Path) -> None:
    kind.write(tmp_path / kind.name)
    rows = ", ".join(["1 or more rows"] * (2 if kind.media is Media.VIDEO else 1))
    assert reader(kind.media, tmp_path / kind.name)["outcome"] == rows


@EACH_KIND
def test_a_mutant_is_read_or_refused_within_bounds(kind: Kind, reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / kind.name
    kind.write(path)
    content = path.read_bytes()

    @settings(
        max_examples=kind.mutants,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(MUTATIONS)
    def check(mutations: list[tuple[str, float, bytes]]) -> None:
        path.write_bytes(mutant(content, mutations))
        told = reader(kind.media, path)
        assert told["seconds"] < MOST_S
        assert told["bytes"] < MOST_BYTES

    check()

"""The video of the sample dataset: a window that wanders over a photograph, to the sound of an instrument."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import soundfile

from l3embed.errors import OpenL3Error
from l3embed.sample.instruments import INSTRUMENTS
from l3embed.sample.item import OWNER_TAG
from l3embed.sample.photographs import read_photograph
from l3embed.sample.scene import Scene

DURATION_S = 3.0
FRAME_RATE_HZ = 12
HEIGHT_PIXELS, WIDTH_PIXELS = 240, 320
SAMPLE_RATE_HZ = 44_100
FULL_SCALE = 32_767

STREAM = 200
"""Keeps the chance that the video is made by apart from that of the clips and the crops."""

ENCODING = (
    *("-crf", "23"),
    # No versions of ffmpeg in the file, so that more of them write the same bytes.
    *("-bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"),
    *("-metadata", f"comment={OWNER_TAG}"),
)
"""How ffmpeg is to write the file, besides H.264 and AAC."""

SEAL = struct.Struct(f">I4s{len(OWNER_TAG)}s32s32s")
"""An MP4 box that players skip, at the file's end: length, type, tag, digest of what was encoded, digest of
the file before it."""

Frames = npt.NDArray[np.uint8]
Sound = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Video:
    """A video: the class of its photograph and that of its sound.

    It has no class of its own, and so it lies in no class folder.
    """

    photograph: str
    instrument: str

    @property
    def path(self) -> Path:
        """Where the video lies within the dataset."""
        return Path(f"{self.photograph}_with_{self.instrument}.mp4")

    def renewed(self, earlier: bytes | None, seed: int) -> bytes:
        """Return the video's file: the earlier one, if it is whole and was made from the same."""
        frames, sound = render_frames(self, seed), render_sound(self, seed)
        source = hashlib.sha256(frames.tobytes() + sound.tobytes() + repr(ENCODING).encode()).digest()
        # Neither bytes nor decoded pixels compare: they differ from one ffmpeg to the next.
        if earlier is not None and earlier == _sealed(earlier[: -SEAL.size], source):
            return earlier
        return _sealed(_encode(frames, sound), source)

    def is_own(self, path: Path) -> bool:
        """Tell whether a video says that the sample dataset made it."""
        return OWNER_TAG.encode() in path.read_bytes()[-SEAL.size :]


VIDEOS = (Video("coffee", "plucked_strings"),)


def render_frames(video: Video, seed: int) -> Frames:
    """Return the frames of a video, ``(frames, height, width, 3)``."""
    photograph = read_photograph(video.photograph)
    rng = np.random.default_rng([seed, STREAM])
    progress = np.linspace(0, 1, round(DURATION_S * FRAME_RATE_HZ))
    across = 0.5 - 0.5 * np.cos(np.pi * progress)  # from one side to the other, slow at both
    down = 0.5 + 0.5 * np.sin(2 * np.pi * (progress + rng.uniform()))
    if rng.random() < 0.5:
        across = across[::-1]
    lefts = np.rint(across * (photograph.shape[1] - WIDTH_PIXELS)).astype(int)
    tops = np.rint(down * (photograph.shape[0] - HEIGHT_PIXELS)).astype(int)
    corners = zip(tops, lefts, strict=True)
    return np.stack([photograph[top:, left:][:HEIGHT_PIXELS, :WIDTH_PIXELS] for top, left in corners])


def render_sound(video: Video, seed: int) -> Sound:
    """Return the samples of a video's sound, ``(samples, 2)``."""
    rng = np.random.default_rng([seed, STREAM + 1])
    scene = Scene(rng, SAMPLE_RATE_HZ, DURATION_S, channels=2, character=float(rng.uniform()))
    INSTRUMENTS[video.instrument](scene)
    return np.rint(scene.finished() * FULL_SCALE).astype(np.int16)


def _encode(frames: Frames, sound: Sound) -> bytes:
    """Return the frames and the sound as an MP4 file."""
    from moviepy import ImageSequenceClip

    with TemporaryDirectory() as folder:
        wav, mp4 = Path(folder, "sound.wav"), Path(folder, "video.mp4")
        soundfile.write(wav, sound, SAMPLE_RATE_HZ)
        try:
            ImageSequenceClip(list(frames), fps=FRAME_RATE_HZ).write_videofile(
                str(mp4),
                codec="libx264",
                audio=str(wav),
                audio_codec="aac",
                threads=1,  # the number of threads changes the bytes
                ffmpeg_params=list(ENCODING),
                logger=None,
            )
            content = mp4.read_bytes()
        except OSError as error:
            raise OpenL3Error(_no_video(str(error))) from error
    if b"moov" not in content:  # moviepy does not look at how ffmpeg ended
        raise OpenL3Error(_no_video("it ended early"))
    return content


def _no_video(reason: str) -> str:
    words = " ".join(reason.split())
    return (
        f"ffmpeg could not write the sample's video: {words}. It needs libx264 and aac, which the ffmpeg of "
        "imageio-ffmpeg has; does IMAGEIO_FFMPEG_EXE name another?"
    )


def _sealed(content: bytes, source: bytes) -> bytes:
    """Return an MP4 file with its seal."""
    digest = hashlib.sha256(content).digest()
    return content + SEAL.pack(SEAL.size, b"free", OWNER_TAG.encode(), source, digest)

"""The kinds of files that are embedded: how each is read, and what is saved next to its embeddings."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Protocol

from l3embed import audio
from l3embed.audio import Inputs
from l3embed.decoding.image import read_image
from l3embed.decoding.video import open_video
from l3embed.errors import OpenL3Warning
from l3embed.pixels import frame_pixels, pixel_blocks
from l3embed.windows import Framing


class Medium(Protocol):
    """A kind of files."""

    @property
    def description(self) -> str:
        """What is being done, for the progress bar."""

    @property
    def unit(self) -> str:
        """What the network's inputs are called."""

    def inputs(self, path: str, input_shape: tuple[int, ...]) -> Inputs:
        """Read a file as blocks of the network's inputs, ``(n, *input_shape)``."""

    def finish(self, path: str, rows: int) -> dict[str, Any]:
        """Warn of what was found in a file that was read, and return what is saved next to its embeddings."""


class AudioFiles:
    """Audio files, cut into windows."""

    description = "Embedding"
    unit = "windows"

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._heard: dict[str, audio.Heard] = {}

    def inputs(self, path: str, input_shape: tuple[int, ...]) -> Inputs:
        """Read a file as blocks of samples or spectrograms, whichever the model takes."""
        heard = self._heard[path] = audio.Heard()
        mono = audio.file_mono_blocks(Path(path), heard)
        return audio.network_inputs(mono, self._framing, audio.prepare_for(input_shape))

    def finish(self, path: str, rows: int) -> dict[str, Any]:
        """Warn of silent and short audio, and return the timestamps."""
        self._heard.pop(path).warn(path)
        return {"timestamps": self._framing.timestamps_s(rows)}


class ImageFiles:
    """Image files."""

    description = "Embedding"
    unit = "images"

    def inputs(self, path: str, input_shape: tuple[int, ...]) -> Inputs:
        """Read a file as the network's pixels."""
        images = read_image(Path(path))
        if not images.any():
            warnings.warn(f"{path} is all black: all of its values are zero.", OpenL3Warning, stacklevel=2)
        return pixel_blocks(images)

    def finish(self, path: str, rows: int) -> dict[str, Any]:
        """Return nothing: an image has no times."""
        return {}


class VideoSound:
    """The sound of video files, cut into windows."""

    description = "Embedding sound"
    unit = "windows"

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._heard: dict[str, audio.Heard] = {}

    def inputs(self, path: str, input_shape: tuple[int, ...]) -> Inputs:
        """Read a video's sound as blocks of samples or spectrograms; without sound there are none."""
        heard = self._heard[path] = audio.Heard()
        with open_video(Path(path)) as video:
            if video.has_audio:
                mono = audio.mono_blocks(video.audio_blocks(), video.audio_sample_rate_hz, heard)
                yield from audio.network_inputs(mono, self._framing, audio.prepare_for(input_shape))

    def finish(self, path: str, rows: int) -> dict[str, Any]:
        """Warn of missing, silent and short sound, and return the timestamps."""
        heard = self._heard.pop(path)
        if rows:
            heard.warn(f"The sound of {path}")
        else:
            _warn(f"{path} has no sound: it gets embeddings of its frames only.")
        return {"timestamps": self._framing.timestamps_s(rows)}


class VideoFrames:
    """The frames of video files."""

    description = "Embedding frames"
    unit = "frames"

    def __init__(self) -> None:
        self._times_s: dict[str, Any] = {}

    def inputs(self, path: str, input_shape: tuple[int, ...]) -> Inputs:
        """Read a video's frames as the network's pixels, block by block; without frames there are none."""
        self._times_s[path] = []
        with open_video(Path(path)) as video:
            if video.has_frames:
                yield from frame_pixels(video.frames)
                self._times_s[path] = video.frame_times_s

    def finish(self, path: str, rows: int) -> dict[str, Any]:
        """Warn of missing frames, and return the real times of the frames."""
        if not rows:
            _warn(f"{path} has no frames: it gets embeddings of its sound only.")
        return {"timestamps": self._times_s.pop(path)}


def _warn(message: str) -> None:
    warnings.warn(message, OpenL3Warning, stacklevel=3)

"""The kinds of files that are embedded: how each is read, and what is saved next to its embeddings."""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from l3embed.decoding.image import read_image
from l3embed.decoding.video import open_video
from l3embed.errors import OpenL3Warning
from l3embed.inputs import sound as audio
from l3embed.inputs.pixels import frame_pixels, preprocess_images
from l3embed.inputs.sound import Inputs
from l3embed.inputs.windows import Framing
from l3embed.models.running import Network
from l3embed.profiling import Phase, phase


class Medium(Protocol):
    """A kind of files."""

    @property
    def description(self) -> str:
        """What is being done, for the progress bar."""

    @property
    def unit(self) -> str:
        """What the network's inputs are called."""

    def inputs(self, path: str, network: Network) -> Inputs:
        """Read a file as blocks of the network's inputs, ``(n, *input_shape)``, or functions that do."""

    def finish(self, path: str, rows: int) -> dict[str, Any]:
        """Warn of what was found in a file that was read, and return what is saved next to its embeddings."""


class AudioFiles:
    """Audio files, cut into windows."""

    description = "Embedding"
    unit = "windows"

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._heard: dict[str, audio.Heard] = {}

    def inputs(self, path: str, network: Network) -> Inputs:
        """Read a file as blocks of samples or spectrograms, whichever the model takes."""
        heard = self._heard[path] = audio.Heard()
        mono = audio.file_mono_blocks(Path(path), heard)
        return audio.network_inputs(mono, self._framing, _prepare_for(network))

    def finish(self, path: str, rows: int) -> dict[str, Any]:
        """Warn of silent and short audio, and return the timestamps."""
        self._heard.pop(path).warn(path)
        return {"timestamps": self._framing.timestamps_s(rows)}


class ImageFiles:
    """Image files."""

    description = "Embedding"
    unit = "images"

    def __init__(self) -> None:
        self._black: set[str] = set()

    def inputs(self, path: str, network: Network) -> Inputs:
        """Return what reads a file as the network's pixels: several are read at once."""
        yield partial(self._read, path)

    def finish(self, path: str, rows: int) -> dict[str, Any]:
        """Warn of black images; an image has no times."""
        if path in self._black:
            self._black.remove(path)
            _warn(f"{path} is all black: all of its values are zero.")
        return {}

    def _read(self, path: str) -> npt.NDArray[np.float32]:
        with phase(Phase.DECODE):
            images = read_image(Path(path))
        if not images.any():
            self._black.add(path)
        with phase(Phase.FRONTEND):
            return preprocess_images(images)


class VideoSound:
    """The sound of video files, cut into windows."""

    description = "Embedding sound"
    unit = "windows"

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._heard: dict[str, audio.Heard] = {}

    def inputs(self, path: str, network: Network) -> Inputs:
        """Read a video's sound as blocks of samples or spectrograms; without sound there are none."""
        heard = self._heard[path] = audio.Heard()
        with open_video(Path(path)) as video:
            if video.has_audio:
                mono = audio.mono_blocks(video.audio_blocks(), video.audio_sample_rate_hz, heard)
                yield from audio.network_inputs(mono, self._framing, _prepare_for(network))

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

    def inputs(self, path: str, network: Network) -> Inputs:
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


def _prepare_for(network: Network) -> audio.Prepare:
    return audio.prepare_for(network.embedder.input_shape, network.frontend)


def _warn(message: str) -> None:
    warnings.warn(message, OpenL3Warning, stacklevel=3)

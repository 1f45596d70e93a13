"""How each kind of file becomes rows that the networks take in, or can be cut into such."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.decoding.image import read_image
from l3embed.decoding.video import SOUND_CHANNELS, open_video
from l3embed.inputs import sound as audio
from l3embed.inputs.pixels import crop_centre, pixel_blocks
from l3embed.inputs.windows import Framing
from l3embed.profiling import Phase, phase
from l3embed.store.recipe import Parameter
from l3embed.variants import Frontend, InputRepr, Media, Modality

Mono = Iterator[npt.NDArray[np.float64]]
Rows = Iterator[npt.NDArray[Any]]


@dataclass(frozen=True)
class Samples:
    """48 kHz mono samples, ``(N,)``: for the kapre frontend, whatever the model and the hop."""

    @property
    def parameters(self) -> dict[str, Parameter]:
        """What decides about the rows, besides the file."""
        return {"kind": "samples"}

    def rows(self, mono: Mono) -> Rows:
        """Return the rows of one recording's file."""
        return mono


@dataclass(frozen=True)
class Spectrograms:
    """Spectrograms of the windows, ``(T, frequency, time, 1)``: for the librosa frontend."""

    input_repr: InputRepr
    framing: Framing

    @property
    def parameters(self) -> dict[str, Parameter]:
        """What decides about the rows, besides the file."""
        framing = {"hop_s": float(self.framing.hop_s), "center": self.framing.center}
        return {"kind": "spectrograms", "input_repr": self.input_repr.value, **framing}

    def rows(self, mono: Mono) -> Rows:
        """Return the rows of one recording's file."""
        prepare = audio.as_spectrograms(self.input_repr, Frontend.LIBROSA)
        return audio.compute_here(audio.network_inputs(mono, self.framing, prepare))


Sound = Samples | Spectrograms


@dataclass
class Findings:
    """What is found out about a file while it is read."""

    heard: audio.Heard | None = None
    frame_times_s: npt.NDArray[np.float64] | None = None
    duration_s: float | None = None
    is_black: bool = False

    def facts(self) -> dict[str, Any]:
        """Return it as the store keeps it."""
        heard = self.heard or audio.Heard()
        return {
            "duration_s": heard.duration_s if self.heard else self.duration_s,
            "sample_rate_hz": heard.sample_rate_hz if self.heard else None,
            "channels": heard.channels if self.heard else None,
            "is_silent": heard.is_silent,
            "is_short": heard.is_short,
            "is_black": self.is_black,
        }


def sound_of_audio(path: Path, sound: Sound, findings: Findings) -> Rows:
    """Read an audio file."""
    findings.heard = audio.Heard()
    for rows in sound.rows(audio.file_mono_blocks(path, findings.heard)):
        yield rows.astype(np.float32)


def sound_of_video(path: Path, sound: Sound, findings: Findings) -> Rows:
    """Read the sound of a video; without any there are no rows."""
    with open_video(path) as video:
        if video.has_audio:
            findings.heard = audio.Heard(channels=SOUND_CHANNELS)
            mono = audio.mono_blocks(video.audio_blocks(), video.audio_sample_rate_hz, findings.heard)
            for rows in sound.rows(mono):
                yield rows.astype(np.float32)


def pixels_of_image(path: Path, sound: Sound, findings: Findings) -> Rows:
    """Read an image file as the network's pixels, ``(n, 224, 224, 3)`` in float32."""
    with phase(Phase.DECODE):
        images = read_image(path)
    findings.is_black = not images.any()
    yield from pixel_blocks(images)


def frames_of_video(path: Path, sound: Sound, findings: Findings) -> Rows:
    """Read the frames of a video, cropped, ``(n, 224, 224, 3)`` in bytes; without any there are no rows.

    What the network takes in is four times as large, and follows from these.
    """
    with open_video(path) as video:
        if video.has_frames:
            for block in video.frames():
                yield crop_centre(block)
            findings.frame_times_s = video.frame_times_s
            findings.duration_s = video.duration_s


@dataclass(frozen=True)
class Part:
    """What one modality takes from a file.

    Parameters
    ----------
    modality : Modality
        Which network it is for.
    read : callable
        Yields the rows of a file, and fills in what it finds out.
    uses_sound : bool
        Whether it depends on what is made of sound.
    """

    modality: Modality
    read: Callable[[Path, Sound, Findings], Rows]
    uses_sound: bool = False

    def parameters(self, sound: Sound) -> dict[str, Parameter]:
        """Return what decides about the rows, besides the file."""
        return {"reader": self.read.__name__, **(sound.parameters if self.uses_sound else {})}


PARTS = {
    Media.AUDIO: (Part(Modality.AUDIO, sound_of_audio, uses_sound=True),),
    Media.IMAGE: (Part(Modality.IMAGE, pixels_of_image),),
    Media.VIDEO: (
        Part(Modality.AUDIO, sound_of_video, uses_sound=True),
        Part(Modality.IMAGE, frames_of_video),
    ),
}
"""What is taken from each kind of file."""

"""Files to rows that are kept: what the networks take in, or what can be cut into such."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.decoding.reading import Reading
from l3embed.decoding.video import Frames
from l3embed.inputs import sound
from l3embed.inputs.media import SourceFile, image_pixels, mono_samples, video_frames
from l3embed.inputs.pixels import crop_centre
from l3embed.inputs.windows import Framing
from l3embed.variants import SAMPLE_RATE_HZ, Frontend, InputRepr, Media, Modality

Parameters = dict[str, "str | int | float | bool"]
Mono = Iterator[npt.NDArray[np.float64]]
Rows = Iterator[npt.NDArray[Any]]


@dataclass(frozen=True)
class Samples:
    """48 kHz mono samples, ``(N,)``: for the kapre frontend, whatever the model and the hop."""

    @property
    def parameters(self) -> Parameters:
        """What decides about the rows, besides the file."""
        return {"kind": "samples"}

    @property
    def seconds_a_row(self) -> float:
        """How much sound a row stands for."""
        return 1 / SAMPLE_RATE_HZ

    def rows(self, mono: Mono) -> Rows:
        """Return the rows of one recording's file."""
        return mono


@dataclass(frozen=True)
class Spectrograms:
    """Spectrograms of the windows, ``(T, frequency, time, 1)``: for the librosa frontend."""

    input_repr: InputRepr
    framing: Framing

    @property
    def parameters(self) -> Parameters:
        """What decides about the rows, besides the file."""
        return {"kind": "spectrograms", "input_repr": self.input_repr.value, **self.framing.parameters}

    @property
    def seconds_a_row(self) -> float:
        """How much sound a row stands for."""
        return self.framing.hop_s

    def rows(self, mono: Mono) -> Rows:
        """Return the rows of one recording's file."""
        prepare = sound.as_spectrograms(self.input_repr, Frontend.LIBROSA)
        return sound.compute_here(sound.network_inputs(mono, self.framing, prepare))


Sound = Samples | Spectrograms


def prepared_rows(source: SourceFile, modality: Modality, kept_sound: Sound) -> Rows:
    """Read what one network needs of a file, as rows that are kept; a video may lack it.

    Sound becomes what is asked for, in float32, and an image the network's pixels, ``(n, 224, 224, 3)`` in
    float32. The frames of a video are cropped, in bytes: what the network takes in is four times as large,
    and follows from these.
    """
    if modality is Modality.AUDIO:
        return (rows.astype(np.float32) for rows in kept_sound.rows(mono_samples(source)))
    if source.media is Media.IMAGE:
        return image_pixels(source)
    return video_frames(source, _cropped)


def row_parameters(kind: tuple[Media, Modality], kept_sound: Sound, reading: Reading) -> Parameters:
    """Return what decides about the rows, besides the file."""
    media, modality = kind
    parameters = kept_sound.parameters if modality is Modality.AUDIO else {}
    if media is Media.IMAGE:
        parameters = {"exif_rotation": reading.exif_rotation}
    return {"reader": f"{modality.value} of {media.value}", **parameters}


def _cropped(read: Callable[[], Iterable[Frames]]) -> Iterator[npt.NDArray[np.uint8]]:
    return map(crop_centre, read())

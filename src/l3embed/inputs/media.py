"""Each kind of file, opened and read here alone: its sound, its picture, its frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from l3embed.decoding.image import read_image
from l3embed.decoding.recording import Recording, open_recording
from l3embed.decoding.video import Frames, open_video
from l3embed.inputs import sound
from l3embed.inputs.findings import Findings
from l3embed.inputs.pixels import Pixels, frame_pixels, pixel_blocks
from l3embed.inputs.windows import Framing
from l3embed.profiling import Phase, phase
from l3embed.variants import Media, Modality

Block = TypeVar("Block")

MODALITIES = {
    Media.AUDIO: (Modality.AUDIO,),
    Media.IMAGE: (Modality.IMAGE,),
    Media.VIDEO: (Modality.AUDIO, Modality.IMAGE),
}
"""The networks that each kind of file has something for."""


@contextmanager
def open_sound(path: Path, media: Media) -> Iterator[Recording | None]:
    """Open the sound of an audio file or a video; None if a video has none.

    Raises
    ------
    OpenL3Error
        If the file cannot be read.
    """
    if media is Media.AUDIO:
        with open_recording(path) as recording:
            yield recording
    else:
        with open_video(path) as video:
            yield video.sound


def mono_samples(path: Path, media: Media, findings: Findings) -> Iterator[npt.NDArray[np.float64]]:
    """Read the sound of an audio file or a video as blocks of 48 kHz mono samples; there may be none.

    Raises
    ------
    OpenL3Error
        If the file cannot be read to its end, or `sound.mono_blocks` finds fault with it.
    """
    with open_sound(path, media) as recording:
        if recording is not None:
            findings.channels = recording.channels
            yield from sound.mono_blocks(recording.blocks(), recording.sample_rate_hz, findings)


def image_pixels(path: Path, findings: Findings) -> Iterator[Pixels]:
    """Read an image file as the network's pixels, ``(n, 224, 224, 3)``."""
    with phase(Phase.DECODE):
        images = read_image(path)
    findings.is_black = not images.any()
    yield from pixel_blocks(images)


def video_frames(
    path: Path, findings: Findings, convert: Callable[[Callable[[], Iterable[Frames]]], Iterator[Block]]
) -> Iterator[Block]:
    """Read the frames of a video as what is made of them; without frames there are none.

    Parameters
    ----------
    path : Path
        The video.
    findings : Findings
        Is filled in when the last frame has been yielded.
    convert : callable
        Takes what reads the frames from the beginning, and yields blocks.
    """
    with open_video(path) as video:
        if video.has_frames:
            yield from convert(video.frames)
            findings.frame_times_s = video.frame_times_s
            findings.duration_s = video.duration_s


def network_inputs(
    path: Path,
    media: Media,
    findings: Findings,
    framing: Framing | None = None,
    prepare: sound.Prepare | None = None,
) -> sound.Inputs:
    """Read a file as blocks of what a network takes in, ``(n, *input_shape)``, or functions that do.

    Parameters
    ----------
    path : Path
        The file.
    media : Media
        Its kind.
    findings : Findings
        Is filled in when the last block has been computed.
    framing, prepare : Framing and callable, or None
        How sound is cut into windows and what prepares these; None if it is not sound that is wanted.
    """
    if framing is not None and prepare is not None:
        yield from sound.network_inputs(mono_samples(path, media, findings), framing, prepare)
    elif media is Media.IMAGE:
        yield partial(_whole_image, path, findings)  # several images are read at once
    else:
        yield from video_frames(path, findings, frame_pixels)


def _whole_image(path: Path, findings: Findings) -> npt.NDArray[Any]:
    return np.concatenate(list(image_pixels(path, findings)))

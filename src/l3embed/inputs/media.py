"""Each kind of file, opened and read here alone: its sound, its picture, its frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from l3embed.decoding.image import UPRIGHT, ImageFile, open_image
from l3embed.decoding.reading import AS_OPENL3, OnDamage, Reading
from l3embed.decoding.recording import Recording, open_recording
from l3embed.decoding.section import CutFrames, CutRecording, Section
from l3embed.decoding.video import Frames, open_video
from l3embed.errors import OpenL3Error
from l3embed.inputs import sound
from l3embed.inputs.findings import Findings
from l3embed.inputs.pixels import Pixels, frame_pixels, pixel_blocks, sequence_pixels
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


@dataclass(frozen=True)
class SourceFile:
    """A file that is read once.

    Parameters
    ----------
    path : Path
        Where it lies.
    media : Media
        Its kind.
    reading : Reading
        How it is to be read.
    section : Section or None
        Which part of it counts, if not all; all times count from its beginning.
    findings : Findings
        Is filled in when the last block has been computed.
    """

    path: Path
    media: Media
    reading: Reading = AS_OPENL3
    findings: Findings = field(default_factory=Findings)
    section: Section | None = None

    def note_damage(self, damage: str) -> None:
        """Take it that something is wrong with the file, if it is.

        Raises
        ------
        OpenL3Error
            If it is to be left out then.
        """
        if damage and self.reading.on_damage is OnDamage.SKIP:
            raise OpenL3Error(f"The file {damage}.")
        self.findings.damage = damage


@contextmanager
def open_sound(path: Path, media: Media, section: Section | None = None) -> Iterator[Recording | None]:
    """Open the sound of an audio file or a video, or a section of it; None if a video has none.

    Raises
    ------
    OpenL3Error
        If the file cannot be read.
    """
    if media is Media.AUDIO:
        with open_recording(path) as recording:
            yield _cut(recording, section)
    else:
        with open_video(path) as video:
            yield _cut(video.sound, section) if video.sound else None


def _cut(recording: Recording, section: Section | None) -> Recording:
    return recording if section is None else CutRecording(recording, section)


def mono_samples(source: SourceFile) -> Iterator[npt.NDArray[np.float64]]:
    """Read the sound of an audio file or a video as blocks of 48 kHz mono samples; there may be none.

    Raises
    ------
    OpenL3Error
        If the file cannot be read, or `sound.mono_blocks` finds fault with it.
    """
    with open_sound(source.path, source.media, source.section) as recording:
        if recording is not None:
            source.findings.channels = recording.channels
            yield from sound.mono_blocks(recording.blocks(), recording.sample_rate_hz, source.findings)
            source.note_damage(recording.damage)


def image_pixels(source: SourceFile) -> Iterator[Pixels]:
    """Read an image file as the network's pixels, ``(n, 224, 224, 3)``.

    Raises
    ------
    OpenL3Error
        If it cannot be read, or a section of it is asked for.
    """
    if source.section:
        raise OpenL3Error("A picture has no seconds: start_s and end_s are for sounds and videos.")
    with open_image(source.path, source.reading) as file:
        if file.is_paged:  # all pages are divided by the largest value in any of them
            yield from sequence_pixels(lambda: _noted_pages(file, source))
        else:
            for page in _noted_pages(file, source):
                yield from pixel_blocks(page)


def _noted_pages(file: ImageFile, source: SourceFile) -> Iterator[npt.NDArray[Any]]:
    """Yield an image file's pages, and note what is found out about them."""
    is_black = True
    pages = file.pages()
    while True:
        with phase(Phase.DECODE):
            page = next(pages, None)
        if page is None:
            break
        is_black = is_black and not page.any()
        is_turned = source.reading.exif_rotation or file.orientation == UPRIGHT
        source.findings.has_orientation = source.findings.has_orientation or not is_turned
        yield page
    source.findings.is_black = is_black


def video_frames(
    source: SourceFile, convert: Callable[[Callable[[], Iterable[Frames]]], Iterator[Block]]
) -> Iterator[Block]:
    """Read the frames of a video as what is made of them; without frames there are none.

    Parameters
    ----------
    source : SourceFile
        The video.
    convert : callable
        Takes what reads the frames from the beginning, and yields blocks.
    """
    with open_video(source.path) as video:
        if video.has_frames and source.section:
            cut = CutFrames(video, source.section)
            yield from convert(cut.frames)
            source.findings.frame_times_s = cut.times_s
            source.findings.duration_s = source.section.length_s(video.duration_s)
            source.note_damage(cut.damage)
        elif video.has_frames:
            yield from convert(video.frames)
            source.findings.frame_times_s = video.frame_times_s
            source.findings.duration_s = video.duration_s
            source.note_damage(video.damage)


def network_inputs(
    source: SourceFile, framing: Framing | None = None, prepare: sound.Prepare | None = None
) -> sound.Inputs:
    """Read a file as blocks of what a network takes in, ``(n, *input_shape)``, or functions that do.

    Parameters
    ----------
    source : SourceFile
        The file.
    framing, prepare : Framing and callable, or None
        How sound is cut into windows and what prepares these; None if it is not sound that is wanted.
    """
    if framing is not None and prepare is not None:
        yield from sound.network_inputs(mono_samples(source), framing, prepare)
    elif source.media is Media.VIDEO:
        yield from video_frames(source, frame_pixels)
    elif _is_paged(source):
        yield from image_pixels(source)
    else:
        yield partial(_whole_image, source)  # several files are read at once


def _is_paged(source: SourceFile) -> bool:
    with open_image(source.path, source.reading) as file:
        return file.is_paged


def _whole_image(source: SourceFile) -> npt.NDArray[Any]:
    return np.concatenate(list(image_pixels(source)))

"""What a dataset is going to take on the disk, told before any of it is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from l3embed.disk.folders import STORE_VARIABLE
from l3embed.inputs.preparation import Sound, Spectrograms
from l3embed.inputs.windows import Framing
from l3embed.store.entries import Store
from l3embed.store.estimate import (
    MOST_FRAMES_PER_S,
    Amount,
    Contents,
    File,
    may_be_large,
    measure,
    tell_of_amounts,
)
from l3embed.variants import IMAGE_INPUT_SHAPE, SAMPLE_RATE_HZ, SPECTROGRAMS, Media, Modality

ANOTHER_STORE = f"set {STORE_VARIABLE} to a folder on another disk"

UNITS = {Modality.AUDIO: "windows", Modality.IMAGE: "images"}
PIXEL_NUMBERS = prod(IMAGE_INPUT_SHAPE)
FLOAT_BYTES, FRAME_BYTES = 4, 1
"""Of each number that ``preprocess`` keeps: of sound and images, and of videos' frames."""


@dataclass(frozen=True)
class Written:
    """What one stage makes of each window, image or frame of a modality.

    Parameters
    ----------
    modality : Modality
        Of which.
    numbers, number_bytes : int
        How many numbers, and of how many bytes each.
    where : str
        Words behind their unit, if not in the embeddings' own files.
    """

    modality: Modality
    numbers: int
    number_bytes: int = FLOAT_BYTES
    where: str = ""


@dataclass(frozen=True)
class Following:
    """What the stages behind ``preprocess`` write.

    Parameters
    ----------
    framing : Framing
        How sound is cut into windows.
    written : tuple of Written
        What windows, images and frames become. A modality may come twice, as it does in exports that hold
        the embeddings a second time.
    """

    framing: Framing
    written: tuple[Written, ...]

    def amounts(self, rows: dict[Modality, int]) -> list[Amount]:
        """Return what is written, the number of rows of each modality being known."""
        return [
            Amount(rows[one.modality], UNITS[one.modality] + one.where, one.numbers, one.number_bytes)
            for one in self.written
        ]

    def row_bytes(self, modality: Modality) -> int:
        """Return what is written for each row of a modality."""
        return sum(one.numbers * one.number_bytes for one in self.written if one.modality is modality)


def tell_of_dataset(
    files: Sequence[File], is_new: Callable[[File], bool], kept: Sound, following: Following, store: Store
) -> None:
    """Tell what is going to be written for the files of a dataset that are new to the store, if that is much.

    Parameters
    ----------
    files : sequence of (Path, Media)
        All of the dataset.
    is_new : callable
        Tells whether a file was not preprocessed yet. It is asked only if it matters.
    kept : Sound
        What sound is preprocessed to.
    following : Following
        What later stages write.
    store : Store
        Where all of this goes.
    """
    if not may_be_large(files, _most_bytes(kept, following)):
        return
    contents = measure([file for file in files if is_new(file)], following.framing)
    frames = round(contents.frames)
    rows = {Modality.AUDIO: round(contents.windows), Modality.IMAGE: contents.pictures + frames}
    pixels = [
        Amount(contents.pictures, "images", PIXEL_NUMBERS, FLOAT_BYTES),
        Amount(frames, "frames", PIXEL_NUMBERS, FRAME_BYTES),
    ]
    amounts = [_kept_sound(kept, contents), *pixels, *following.amounts(rows)]
    tell_of_amounts("preprocess", amounts, store.folder, source=contents.source, remedy=ANOTHER_STORE)


def _kept_sound(kept: Sound, contents: Contents) -> Amount:
    if isinstance(kept, Spectrograms):
        numbers = prod(SPECTROGRAMS[kept.input_repr].input_shape)
        return Amount(round(contents.windows), "spectrograms", numbers, FLOAT_BYTES)
    return Amount(round(contents.sound_s), "seconds", SAMPLE_RATE_HZ, FLOAT_BYTES)


def _most_bytes(kept: Sound, following: Following) -> dict[Media, float]:
    """Return what is written, at most, for a second of sound or video, and for an image file."""
    windows = SAMPLE_RATE_HZ / following.framing.hop_samples
    second = Contents(sound_s=1, windows=windows)
    sound = _kept_sound(kept, second).bytes + windows * following.row_bytes(Modality.AUDIO)
    image = PIXEL_NUMBERS * FLOAT_BYTES + following.row_bytes(Modality.IMAGE)
    return {Media.AUDIO: sound, Media.IMAGE: image, Media.VIDEO: sound + MOST_FRAMES_PER_S * image}

"""Which clips the sample dataset has, how they are recorded, and how they come to lie in a folder."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from l3embed.errors import OpenL3Error
from l3embed.sample.instruments import INSTRUMENTS
from l3embed.sample.scene import Samples, Scene

CLIPS_PER_CLASS = 4
SHORTEST_S, LONGEST_S = 1.2, 2.8

OWNER_TAG = "made by l3embed sample"
"""Comment inside every file, by which it is known again as the sample's own."""

CLUTTER = frozenset({".DS_Store", ".gitignore", ".gitkeep", "Thumbs.db", "desktop.ini"})
"""Files of the system or of Git that are nobody's data."""


@dataclass(frozen=True)
class Recording:
    """How a clip is stored, in libsndfile's words."""

    container: str
    encoding: str
    sample_rate_hz: int
    channels: int


RECORDINGS = (
    Recording("WAV", "PCM_16", 16000, 2),
    Recording("FLAC", "PCM_16", 48000, 1),
    Recording("OGG", "VORBIS", 48000, 2),
    Recording("FLAC", "PCM_16", 32000, 2),
    Recording("OGG", "VORBIS", 44100, 2),
    Recording("WAV", "PCM_24", 22050, 2),
    Recording("OGG", "VORBIS", 22050, 1),
    Recording("WAV", "FLOAT", 32000, 1),
    Recording("WAV", "PCM_16", 44100, 1),
    Recording("WAV", "PCM_24", 32000, 1),
    Recording("OGG", "VORBIS", 16000, 1),
    Recording("FLAC", "PCM_16", 44100, 1),
)
"""Every recording serves two clips of different classes: neither format, rate nor channels tell a class."""


@dataclass(frozen=True)
class Clip:
    """One clip of the dataset: the class and the number within it (from 1)."""

    label: str
    number: int

    @property
    def recording(self) -> Recording:
        """How this clip is stored."""
        take = self.number - 1
        # Takes 3 and 4 go round the table again, one further on: no class meets a recording twice.
        place = list(INSTRUMENTS).index(self.label) + take * len(RECORDINGS) // 2 + take // 2
        return RECORDINGS[place % len(RECORDINGS)]

    @property
    def path(self) -> Path:
        """Where the clip lies within the dataset."""
        return Path(self.label, f"{self.label}_{self.number:02d}.{self.recording.container.lower()}")

    @property
    def temporary_path(self) -> Path:
        """Where the clip lies while it is being written."""
        return self.path.with_name(f".{self.path.name}.partial")


CLIPS = tuple(Clip(label, number) for label in INSTRUMENTS for number in range(1, CLIPS_PER_CLASS + 1))


def write_sample_dataset(directory: str | Path, seed: int = 0) -> list[Path]:
    """Write a small labelled dataset of synthesised clips, one folder a class.

    Six classes of four clips, 1.2 to 2.8 s each, in several formats and sample rates, in mono and stereo.
    The decoded samples depend on the seed only. A clip that is there already with the same samples is left
    as it is, so that nothing which depends on its bytes or its date has to be done again.

    Parameters
    ----------
    directory : str or Path
        Where the class folders go. It may be missing, empty, or hold an earlier sample dataset.
    seed : int
        Another seed, 0 or above, makes other clips of the same classes.

    Returns
    -------
    list of Path
        The files, ordered by class and number.

    Raises
    ------
    OpenL3Error
        If the directory holds anything else, or cannot be written.
    """
    if seed < 0:
        raise OpenL3Error(f"the seed is {seed}: give 0 or a positive whole number")
    directory = Path(directory)
    _refuse_foreign_files(directory)
    try:
        return [_write(clip, directory, seed) for clip in CLIPS]
    except OSError as fault:
        raise OpenL3Error(
            f"cannot write the sample dataset to {directory}: {fault}; choose another folder"
        ) from fault


def render(clip: Clip, seed: int) -> Samples:
    """Return the samples of a clip, of shape (samples, channels), within -1 and 1."""
    labels = list(INSTRUMENTS)
    rng = np.random.default_rng([seed, labels.index(clip.label), clip.number])
    scene = Scene(
        rng=rng,
        sample_rate_hz=clip.recording.sample_rate_hz,
        duration_s=float(rng.triangular(SHORTEST_S, 1.6, LONGEST_S)),
        channels=clip.recording.channels,
        # Each clip has its own quarter of the range: never two alike in a class.
        character=(clip.number - 1 + rng.uniform(0.1, 0.9)) / CLIPS_PER_CLASS,
    )
    INSTRUMENTS[clip.label](scene)
    return scene.finished()


def _encode(clip: Clip, seed: int) -> bytes:
    """Return the file of a clip."""
    recording = clip.recording
    buffer = io.BytesIO()
    with soundfile.SoundFile(
        buffer,
        "w",
        samplerate=recording.sample_rate_hz,
        channels=recording.channels,
        format=recording.container,
        subtype=recording.encoding,
    ) as file:
        file.title = f"{clip.label} {clip.number}"
        file.comment = OWNER_TAG
        file.write(render(clip, seed))
    return buffer.getvalue()


def _write(clip: Clip, directory: Path, seed: int) -> Path:
    """Put one clip into its place at once, unless the same samples lie there, and return its path."""
    path, temporary_path = directory / clip.path, directory / clip.temporary_path
    content = _encode(clip, seed)
    # Bytes do not compare: libsndfile writes the time into WAV FLOAT files, a random number into OGG.
    if path.exists() and _same_sound(path.read_bytes(), content):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary_path.write_bytes(content)
    temporary_path.replace(path)
    return path


def _same_sound(one: bytes, other: bytes) -> bool:
    """Tell whether two files hold the same samples in the same encoding."""
    try:
        with soundfile.SoundFile(io.BytesIO(one)) as left, soundfile.SoundFile(io.BytesIO(other)) as right:
            kinds = [(file.format, file.subtype, file.samplerate) for file in (left, right)]
            return kinds[0] == kinds[1] and np.array_equal(left.read(), right.read())
    except soundfile.LibsndfileError:
        return False


def _refuse_foreign_files(directory: Path) -> None:
    """Raise OpenL3Error if the directory holds, or is, a file that is not the sample's own."""
    if directory.exists() and not directory.is_dir():
        raise OpenL3Error(f"{directory} is a file: give a folder for the sample dataset")
    foreign = next(_foreign_files(directory), None)
    if foreign is not None:
        raise OpenL3Error(
            f"{directory} holds {foreign}, which is not of the sample dataset: give a new or an empty folder"
        )


def _foreign_files(directory: Path) -> Iterator[Path]:
    """Yield the files in a directory, relative to it, that are neither the sample's own nor clutter."""
    own = {clip.path for clip in CLIPS}
    temporary = {clip.temporary_path for clip in CLIPS}
    # Links are followed: a class folder that leads to somebody's music is not ours to write into.
    for folder, _, names in os.walk(directory, followlinks=True):
        for name in sorted(names):
            path = Path(folder, name).relative_to(directory)
            if name in CLUTTER or path in temporary or (path in own and _is_tagged(directory / path)):
                continue
            yield path


def _is_tagged(path: Path) -> bool:
    """Tell whether a file says that the sample dataset made it."""
    try:
        with soundfile.SoundFile(path) as file:
            return bool(file.comment == OWNER_TAG)
    except soundfile.LibsndfileError:
        return False

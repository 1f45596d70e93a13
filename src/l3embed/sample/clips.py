"""The sounds of the sample dataset: which clips there are, and how they are recorded."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from l3embed.sample.instruments import INSTRUMENTS
from l3embed.sample.item import OWNER_TAG
from l3embed.sample.scene import Samples, Scene

CLIPS_PER_CLASS = 4
SHORTEST_S, LONGEST_S = 1.2, 2.8


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

    def renewed(self, earlier: bytes | None, seed: int) -> bytes:
        """Return the clip's file: the earlier one, if it holds the same samples in the same encoding."""
        content = _encode(self, seed)
        # Bytes do not compare: libsndfile writes the time into WAV FLOAT files, a random number into OGG.
        return earlier if earlier is not None and _same_sound(earlier, content) else content

    def is_own(self, path: Path) -> bool:
        """Tell whether a recording says that the sample dataset made it."""
        try:
            with soundfile.SoundFile(path) as file:
                return bool(file.comment == OWNER_TAG)
        except soundfile.LibsndfileError:
            return False


CLIPS = tuple(Clip(label, number) for label in INSTRUMENTS for number in range(1, CLIPS_PER_CLASS + 1))


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


def _same_sound(one: bytes, other: bytes) -> bool:
    """Tell whether two files hold the same samples in the same encoding."""
    try:
        with soundfile.SoundFile(io.BytesIO(one)) as left, soundfile.SoundFile(io.BytesIO(other)) as right:
            kinds = [(file.format, file.subtype, file.samplerate) for file in (left, right)]
            return kinds[0] == kinds[1] and np.array_equal(left.read(), right.read())
    except soundfile.LibsndfileError:
        return False

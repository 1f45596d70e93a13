"""How much a run is going to write, from the headers of a few files, and whether there is room for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from l3embed.decoding.ffmpeg import MediaInfo, probe
from l3embed.errors import OpenL3Error, source_faults
from l3embed.inputs.windows import Framing
from l3embed.progress import say
from l3embed.variants import SAMPLE_RATE_HZ, Media

GB = 10**9

TOLD_FROM_BYTES = 5 * GB
"""What a run writes without a word; from here on it says how much that is before it begins."""

MOST_HEADERS = 500
MOST_PROBES = 20
"""Files that are looked into: by libsndfile, which takes a millisecond, and by ffmpeg, which takes 0.2 s."""

FEWEST_BYTES_PER_S = {Media.AUDIO: 1_000, Media.VIDEO: 5_000}
"""Sound and videos have more: by this, most small runs are known without looking into any file."""


MOST_FRAMES_PER_S = 60
"""More than most videos have."""


@dataclass(frozen=True)
class Amount:
    """Rows of one kind that are going to be written.

    Parameters
    ----------
    rows : int
        How many.
    unit : str
        What they are, as in ``windows``.
    numbers : int
        In each row.
    number_bytes : int
        Of each number.
    """

    rows: int
    unit: str
    numbers: int
    number_bytes: int = 4

    @property
    def bytes(self) -> int:
        """All of them."""
        return self.rows * self.numbers * self.number_bytes

    def __str__(self) -> str:
        return f"{self.rows:,} {self.unit} x {self.numbers:,} x {self.number_bytes} bytes"


@dataclass(frozen=True)
class Contents:
    """What is in some files, as far as their headers tell.

    Parameters
    ----------
    sound_s : float
        Seconds of sound.
    windows : float
        Windows that this is cut into.
    frames : float
        Frames of videos.
    pictures : int
        Image files, which may have several pages each.
    looked_into, files : int
        How many files this was concluded from, and how many there are; images need no look.
    """

    sound_s: float = 0.0
    windows: float = 0.0
    frames: float = 0.0
    pictures: int = 0
    looked_into: int = 0
    files: int = 0

    @property
    def source(self) -> str:
        """What it was concluded from, if that was not all files: words in brackets."""
        is_whole = self.looked_into >= self.files
        return "" if is_whole else f" (from {self.looked_into:,} of {self.files:,} files)"

    def __add__(self, other: Contents) -> Contents:
        return Contents(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))


File = tuple[Path, Media]


def may_be_large(files: Sequence[File], written: Mapping[Media, float]) -> bool:
    """Tell from the sizes of files alone whether what is made of them may be worth a word.

    Parameters
    ----------
    files : sequence of (Path, Media)
        All that are to be read.
    written : mapping of Media to float
        Bytes that are written for each second of sound or video, and for each image file.
    """
    total = 0.0
    for path, media in files:
        fewest = FEWEST_BYTES_PER_S.get(media)
        total += written[media] * (_bytes(path) / fewest if fewest else 1)
    return total >= TOLD_FROM_BYTES


def measure(files: Sequence[File], framing: Framing) -> Contents:
    """Find out how much sound and how many frames there are, from the headers of a part of the files.

    All of them are taken to have as much for each byte as those that were looked into. What cannot be read
    counts as nothing: that is told later.
    """
    kinds = {kind: [path for path, media in files if media is kind] for kind in Media}
    found = Contents(pictures=len(kinds[Media.IMAGE]))
    for media in (Media.AUDIO, Media.VIDEO):
        found = found + _scaled(kinds[media], media, framing)
    return found


def _scaled(paths: Sequence[Path], media: Media, framing: Framing) -> Contents:
    seen, seen_bytes = Contents(), 0
    for path, contents in _looked_into(paths, media, framing):
        seen, seen_bytes = seen + contents, seen_bytes + _bytes(path)
    if not seen_bytes:
        return Contents()
    scale = sum(map(_bytes, paths)) / seen_bytes if seen.looked_into < len(paths) else 1.0
    sound_s, windows, frames = (scale * part for part in (seen.sound_s, seen.windows, seen.frames))
    return Contents(sound_s, windows, frames, looked_into=seen.looked_into, files=len(paths))


def _looked_into(paths: Sequence[Path], media: Media, framing: Framing) -> Iterator[tuple[Path, Contents]]:
    probes = MOST_PROBES
    most = MOST_HEADERS if media is Media.AUDIO else MOST_PROBES
    for path in _spread(paths, most):
        info = _sound_header(path) if media is Media.AUDIO else None
        if info is None and probes:
            probes -= 1
            with suppress(OpenL3Error), source_faults():
                info = probe(path)
        if info and info.duration_s is not None:
            sound_s = info.duration_s if info.has_audio else 0.0
            windows = framing.frames(round(sound_s * SAMPLE_RATE_HZ)) if sound_s else 0
            frames = info.duration_s * info.frame_rate_hz if media is Media.VIDEO else 0.0
            yield path, Contents(sound_s, windows, frames, looked_into=1)


def _spread(paths: Sequence[Path], most: int) -> list[Path]:
    """Return at most so many of some paths, from all over the list: folders may differ."""
    count = min(most, len(paths))
    return [paths[number * len(paths) // count] for number in range(count)]


def _sound_header(path: Path) -> MediaInfo | None:
    """Return what libsndfile finds in a file's header; None if it does not read it."""
    import soundfile

    with suppress(OpenL3Error), source_faults():
        info = soundfile.info(str(path))
        return MediaInfo(has_audio=True, duration_s=info.frames / info.samplerate)
    return None


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0


def is_much(amounts: Sequence[Amount]) -> bool:
    """Tell whether amounts are worth a word."""
    return sum(amount.bytes for amount in amounts) >= TOLD_FROM_BYTES


def tell_of_amounts(
    who: str, amounts: Sequence[Amount], folder: Path, *, source: str = "", remedy: str, verbose: bool = True
) -> None:
    """Say what is going to be written, if that is much, and warn if there is no room for it.

    Parameters
    ----------
    who : str
        Begins the line: a stage or program.
    amounts : sequence of Amount
        What is going to be written.
    folder : Path
        Where; it need not be there yet.
    source : str
        What this was concluded from, in brackets.
    remedy : str
        What else than making room helps.
    verbose : bool
        Whether to say it even if there is room.
    """
    if not is_much(amounts):
        return
    total = sum(amount.bytes for amount in amounts)
    there = next((parent for parent in (folder, *folder.absolute().parents) if parent.is_dir()), Path())
    free = shutil.disk_usage(there).free
    listed = " + ".join(str(amount) for amount in amounts if amount.rows)
    told = f"will write about {_gb(total)}: {listed}{source}; free: {_gb(free)}"
    if free < total:
        say(f"{who}: warning: {told} in {there}. Make room, or {remedy}.")
    elif verbose:
        say(f"{who}: {told}")


def _gb(count: float) -> str:
    return f"{count / GB:,.1f} GB" if count < 10 * GB else f"{count / GB:,.0f} GB"

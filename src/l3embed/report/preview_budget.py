"""Which files a page has previews of: as many as there is room for, of all labels alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from l3embed.errors import OpenL3Error
from l3embed.progress import progress_bar
from l3embed.report.media_files import MediaFile
from l3embed.report.previews import Preview, Subject

TOGETHER = 16
"""Files whose previews are asked for at a time."""

Previewer: TypeAlias = Callable[[Sequence[Subject]], Iterable[Preview | OpenL3Error]]
"""Gives the preview of each subject, in their order, or the fault that there is none."""


@dataclass
class Previews:
    """The previews that a page holds, and why others could not be made; both by the files' places."""

    made: dict[int, Preview] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)


def collect_previews(
    files: Sequence[MediaFile], previewer: Previewer, budget_bytes: int, seed: int
) -> Previews:
    """Collect previews of as many files as a page has room for, of all labels alike.

    A file that cannot be previewed is noted and stops nothing.
    """
    previews = Previews()
    left_bytes = budget_bytes
    order = spread_over_labels(files, seed) if budget_bytes else []
    with progress_bar("Previewing", total=len(order)) as bar:
        for start in range(0, len(order), TOGETHER):
            places = order[start : start + TOGETHER]
            found = previewer([_subject(files[place]) for place in places])
            for place, result in zip(places, found, strict=True):
                bar.update()
                if isinstance(result, OpenL3Error):
                    previews.reasons[place] = str(result)
                    continue
                left_bytes -= result.page_bytes
                if left_bytes < 0:
                    return previews
                previews.made[place] = result
            spent_bytes = max(1, budget_bytes - left_bytes)
            bar.total = min(len(order), round(bar.n * budget_bytes / spent_bytes))
    return previews


def spread_over_labels(files: Sequence[MediaFile], seed: int) -> list[int]:
    """Return an order of files in which every beginning holds all labels alike: by turns, drawn within each.

    What is drawn follows from the files' bytes: where there is no room for all, one more file takes the
    place of one other at most, and a file's name changes nothing.
    """
    places: dict[str, list[int]] = {}
    for place in sorted(range(len(files)), key=lambda place: _drawn(files[place], seed)):
        places.setdefault(files[place].label, []).append(place)
    queues = [places[label] for label in sorted(places)]
    longest = max((len(queue) for queue in queues), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]


def _drawn(file: MediaFile, seed: int) -> bytes:
    return hashlib.sha256(f"{seed} {file.sha256 or file.path}".encode()).digest()


def _subject(file: MediaFile) -> Subject:
    return Subject(
        file.path,
        file.media,
        file.has_sound,
        file.has_picture,
        file.location,
        file.start_s,
        file.end_s,
        file.sha256,
    )

"""Which windows of an export's sounds have a label of their own, and which: ``audio_windows.csv``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from l3embed.disk.seals import is_sealed, reading, seal
from l3embed.disk.tables import read_rows, write_rows
from l3embed.export.formats import Embedded
from l3embed.export.manifest import STAGE
from l3embed.export.timed_labels import Selections, label_of_window
from l3embed.variants import SAMPLE_RATE_HZ, WINDOW_SAMPLES, Modality

WINDOWS_CSV = "audio_windows.csv"
WINDOW_S = WINDOW_SAMPLES / SAMPLE_RATE_HZ


@dataclass(frozen=True)
class WindowLabel:
    """The label of one window of sound.

    Parameters
    ----------
    path : str
        Its file, below the dataset's folder.
    frame : int
        Which window of it, from 0 on.
    time_s : float
        Its timestamp.
    label : str
        What it is labelled as.
    """

    path: str
    frame: int
    time_s: float
    label: str


def write_window_labels(
    export: Path, inputs: Sequence[Embedded], selections: Selections, *, center: bool
) -> int:
    """Write the labels of all windows that have one, and return how many these are.

    Parameters
    ----------
    export : Path
        The export's folder.
    inputs : sequence of Embedded
        All that have embeddings; those of pictures do not count.
    selections : mapping of str to sequence of Selection
        Of each sound.
    center : bool
        Whether timestamps are the windows' centres.
    """
    rows = [row for item in inputs for row in _labelled(item, selections, center=center)]
    write_rows(export / WINDOWS_CSV, WindowLabel, rows)
    seal(export / WINDOWS_CSV)
    return len(rows)


def read_window_labels(export: Path) -> list[WindowLabel] | None:
    """Read the labels of windows; None if it is files that have labels.

    Raises
    ------
    OpenL3Error
        If the table is not as the stage has written it.
    """
    path = export / WINDOWS_CSV
    if not path.exists() and not is_sealed(path):
        return None
    with reading(path, STAGE):
        return read_rows(path, WindowLabel)


def _labelled(item: Embedded, selections: Selections, *, center: bool) -> Iterator[WindowLabel]:
    own = selections.get(item.row.path, ())
    if not own or item.row.modality != Modality.AUDIO.value:
        return
    with np.load(item.embeddings) as arrays:
        times_s = arrays["timestamps"]
    ahead_s = WINDOW_S / 2 if center else 0.0
    for frame, time_s in enumerate(times_s.tolist()):
        begin_s = time_s - ahead_s
        if label := label_of_window(begin_s, begin_s + WINDOW_S, own):
            yield WindowLabel(item.row.path, frame, time_s, label)

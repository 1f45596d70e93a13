"""The windows of an export's sounds that have labels of their own, as what is evaluated in place of files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l3embed.disk.rows import read_npz_rows
from l3embed.disk.seals import reading
from l3embed.errors import OpenL3Error
from l3embed.export.manifest import STAGE, ManifestRow, has_npz
from l3embed.export.window_labels import WINDOWS_CSV, WindowLabel, read_window_labels
from l3embed.progress import counted
from l3embed.variants import Modality

MOST_WINDOWS = 20_000
"""Of more, so many are drawn at random: 500 MB of the largest embeddings."""

SEED = 0

AT = "@"
"""Between a file's path and a window's time, in seconds."""

NO_FRAMES = "parts of sounds have labels, and the export has no row for each window: set export.rows=frames"

Embeddings = npt.NDArray[np.float32]


@dataclass(frozen=True)
class LabelledWindows:
    """The windows that have a label, or so many of them.

    Parameters
    ----------
    rows : sequence of ManifestRow
        What the manifest says of each one's file, with the window's own label, and with its time behind the
        path: ``rain.wav@0.5``. Those of one file have one checksum, so that they are held out together.
    embeddings : np.ndarray
        Of each, shape ``(N, D)``.
    notes : tuple of str
        What the user should know.
    reason : str
        Why there are none; empty if there are.
    """

    rows: Sequence[ManifestRow]
    embeddings: Embeddings
    notes: tuple[str, ...] = ()
    reason: str = ""


def labelled_windows(export: Path, inputs: Sequence[ManifestRow]) -> LabelledWindows | None:
    """Return the windows of an export that have labels; None if it is files that have labels.

    Parameters
    ----------
    export : Path
        The export.
    inputs : sequence of ManifestRow
        Its sounds that have embeddings.

    Raises
    ------
    OpenL3Error
        If the export is damaged.
    """
    windows = read_window_labels(export) if inputs else None
    if windows is None:
        return None
    if not _has_frames(export, inputs):
        return LabelledWindows((), np.empty((0, 0), np.float32), reason=NO_FRAMES)
    chosen, notes = _chosen(windows, sum(row.frames for row in inputs))
    by_path = {row.path: row for row in inputs}
    rows = []
    for window in chosen:
        row = by_path[window.path]
        path = f"{row.path}{AT}{window.time_s:g}"
        rows.append(replace(row, path=path, label=window.label, sha256=row.sha256 or row.path))
    return LabelledWindows(rows, _embeddings(export, inputs, chosen), notes)


def _has_frames(export: Path, inputs: Sequence[ManifestRow]) -> bool:
    if has_npz(export, inputs):
        return True
    from l3embed.export.parquet import has_frames

    return has_frames(export, Modality.AUDIO)


def _chosen(windows: list[WindowLabel], count: int) -> tuple[list[WindowLabel], tuple[str, ...]]:
    """Return the windows that take part, in their order, and what the user should know."""
    without = count - len(windows)
    has = "has" if without == 1 else "have"
    notes = [f"{without:,} of {counted(count, 'window')} {has} no label"] if without else []
    if len(windows) > MOST_WINDOWS:
        notes.append(f"{MOST_WINDOWS:,} of {len(windows):,} windows with labels were drawn at random")
        drawn = np.sort(np.random.default_rng(SEED).permutation(len(windows))[:MOST_WINDOWS])
        windows = [windows[place] for place in drawn]
    return windows, tuple(notes)


def _embeddings(export: Path, inputs: Sequence[ManifestRow], windows: Sequence[WindowLabel]) -> Embeddings:
    """Return the embeddings of some windows, ``(N, D)``."""
    places: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for place, window in enumerate(windows):
        places[window.path][window.frame] = place
    found = np.empty((len(windows), inputs[0].dimension), np.float32)
    left = len(windows)
    for path, first, block in _blocks(export, [row for row in inputs if row.path in places]):
        own = places.get(path, {})
        for frame in range(first, first + len(block)):
            if frame in own:
                found[own[frame]] = block[frame - first]
                left -= 1
    if left:
        raise OpenL3Error(
            f"{export} lacks {counted(left, 'window')} that {WINDOWS_CSV} names. Run 'dvc repro -f {STAGE}'."
        )
    return found


def _blocks(
    export: Path, inputs: Sequence[ManifestRow]
) -> Iterator[tuple[str, int, npt.NDArray[np.floating]]]:
    """Yield the frames of inputs in blocks: the path, the number of the first frame, and ``(n, D)``."""
    if has_npz(export, inputs):
        for row in inputs:
            with reading(export / row.output, STAGE):
                start = 0
                for block in read_npz_rows(export / row.output, "embedding"):
                    yield row.path, start, block
                    start += len(block)
        return
    from l3embed.export.parquet import read_frames

    for frames in read_frames(export, Modality.AUDIO, {row.path for row in inputs}):
        for place, number, row in zip(frames.path_of, frames.numbers, frames.embeddings, strict=True):
            yield frames.paths[place], int(number), row[np.newaxis]

"""An export back into arrays: `load_export`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from l3embed.disk.rows import read_npz_rows
from l3embed.disk.seals import reading
from l3embed.errors import OpenL3Error
from l3embed.export.formats import Rows
from l3embed.export.manifest import (
    STAGE,
    ManifestRow,
    embedded_in,
    has_npz,
    manifest_path,
    means_of,
    read_manifest,
)
from l3embed.export.window_labels import read_window_labels
from l3embed.variants import Modality, parse_choice

if TYPE_CHECKING:
    from pandas import DataFrame

    from l3embed.export.parquet import FrameBlock

NUMBER_BYTES = np.dtype(np.float32).itemsize

GB = 10**9

OUTSIDE = -(2**62)
"""In place of the first row of a file that the manifest does not have."""


class ExportedEmbeddings(NamedTuple):
    """Embeddings and what is known of each: five arrays of one length, N.

    Parameters
    ----------
    embeddings : np.ndarray [shape=(N, D)]
        In float32.
    labels : np.ndarray [shape=(N,)]
        The class of each row's file, a str; empty where it has none. Of frames that have labels of their own
        (``labels=raven``, ``labels=audacity``), these.
    groups : np.ndarray [shape=(N,)]
        The number of each row's file, from 0 in the manifest's order: what scikit-learn's ``groups`` are, so
        that the frames of a file are never in both the training and the test set.
    times : np.ndarray [shape=(N,)]
        Of frames, their times in the file; of files, their lengths. Both in seconds, and NaN for images.
    paths : np.ndarray [shape=(N,)]
        Each row's file, a str, below the dataset's folder and with slashes.

    Notes
    -----
    `labels` and `paths` are arrays of objects: rows of one file share one str, where NumPy's own strings
    would each take four bytes for every letter of the longest.
    """

    embeddings: npt.NDArray[np.float32]
    labels: npt.NDArray[Any]
    groups: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    paths: npt.NDArray[Any]

    def to_pandas(self) -> DataFrame:
        """Return a data frame with the columns path, label, time, and one for each number of the embeddings.

        These are called ``e000`` to ``e511``, or ``e0000`` to ``e6143``: ``frame.loc[:, "e000":]`` has them
        again. They are not copied.

        Raises
        ------
        OpenL3Error
            If pandas is not installed.

        Examples
        --------
        >>> import l3embed
        >>> frame = l3embed.load_export("data/export", rows="files").to_pandas()
        >>> frame[["path", "label"]].head(2)
                         path  label
        0  bells/bells_01.wav  bells
        1  bells/bells_02.ogg  bells
        >>> frame.loc[:, "e000":].shape
        (24, 512)
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise OpenL3Error("to_pandas needs pandas. Run 'pip install pandas'.") from error
        dimension = self.embeddings.shape[1]
        digits = len(str(dimension - 1))
        names = [f"e{number:0{digits}}" for number in range(dimension)]
        frame = pd.DataFrame(self.embeddings, columns=names, copy=False)
        for place, (name, column) in enumerate(
            (("path", self.paths), ("label", self.labels), ("time", self.times))
        ):
            frame.insert(place, name, column)
        return frame


def load_export(
    folder: str | os.PathLike[str],
    modality: Literal["audio", "image"] = "audio",
    rows: Literal["frames", "files"] = "frames",
) -> ExportedEmbeddings:
    """Load the embeddings of an export, and the label, the file and the time of each.

    Inputs that failed have no rows; the manifest names them. A video has rows in both modalities.

    Parameters
    ----------
    folder : str
        What the stage ``export`` has written: ``data/export``, or ``export`` in the folder of a run of
        ``l3embed-pipeline``.
    modality : "audio" or "image"
        Whether those of sounds (also of videos), or those of images and the frames of videos.
    rows : "frames" or "files"
        Whether each window of sound, image or frame has a row, or each file: the mean over its frames.

    Returns
    -------
    ExportedEmbeddings
        A named tuple of the arrays ``embeddings``, ``labels``, ``groups``, ``times`` and ``paths``: a row for
        each frame or file, in the manifest's order. ``to_pandas()`` makes a data frame of them.

        Frames are read from the ``.npz`` files or, where there are none, from Parquet, and held: N x D x 4
        bytes. The means of files are mapped, not held, and read-only.

    Raises
    ------
    OpenL3Error
        If an argument is not as described, the folder is no export, has nothing of this modality or a row
        for each file alone, a file of it is damaged, or frames need more memory than the machine has.

    Examples
    --------
    >>> import l3embed
    >>> export = l3embed.load_export("data/export")
    >>> export.embeddings.shape, export.labels[0], export.groups[:5], export.times[:2]
    ((96, 512), 'bells', array([0, 0, 0, 0, 1]), array([0. , 0.5]))

    Frames of one file belong into one fold:

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import GroupKFold, cross_val_score
    >>> labelled = export.labels != ""
    >>> X, y, groups = export.embeddings[labelled], export.labels[labelled], export.groups[labelled]
    >>> scores = cross_val_score(LogisticRegression(), X, y, groups=groups, cv=GroupKFold(4))
    """
    export = Path(folder)
    kind = parse_choice(Modality, "modality", modality)
    wanted = parse_choice(Rows, "rows", rows)
    inputs = exported_inputs(export, kind)
    if wanted is Rows.FILES:
        durations_s = [np.nan if row.duration_s is None else row.duration_s for row in inputs]
        return _with_files(inputs, means_of(inputs, export, kind), np.array(durations_s))
    return _frames(inputs, export, kind)


def exported_inputs(export: Path, modality: Modality) -> Sequence[ManifestRow]:
    """Return the inputs that have embeddings in a modality, in the manifest's order.

    Raises
    ------
    OpenL3Error
        If the folder is no export, or there are none.
    """
    below = export / STAGE
    if not manifest_path(export).exists() and manifest_path(below).exists():
        raise OpenL3Error(f"{export} is no export, but the folder of one. Name {below}.")
    manifest = read_manifest(export)
    inputs = embedded_in(manifest, modality)
    if inputs:
        return inputs
    if failed := sum(row.modality == modality.value for row in manifest):
        raise OpenL3Error(
            f"All {failed} {modality.value} inputs of {export} failed: {manifest_path(export).name} says why."
        )
    others = ", ".join(other.value for other in Modality if embedded_in(manifest, other)) or "none"
    raise OpenL3Error(f"{export} has no {modality.value} embeddings; its modalities: {others}.")


def _with_files(
    inputs: Sequence[ManifestRow],
    embeddings: npt.NDArray[np.float32],
    times_s: npt.NDArray[np.float64],
    counts: Sequence[int] | int = 1,
) -> ExportedEmbeddings:
    """Put to embeddings what is known of the inputs, of which each has a number of rows."""
    labels = np.array([row.label for row in inputs], dtype=object)
    paths = np.array([row.path for row in inputs], dtype=object)
    groups = np.repeat(np.arange(len(inputs), dtype=np.int64), counts)
    return ExportedEmbeddings(embeddings, labels[groups], groups, times_s, paths[groups])


def _frames(inputs: Sequence[ManifestRow], export: Path, modality: Modality) -> ExportedEmbeddings:
    counts = [row.frames for row in inputs]
    embeddings, times_s = _room(sum(counts), inputs[0].dimension), np.full(sum(counts), np.nan)
    found = _with_files(inputs, embeddings, times_s, counts)
    if has_npz(export, inputs):
        _fill_from_npz(found, inputs, export)
    else:
        _fill_from_parquet(found, inputs, counts, export, modality)
    if modality is Modality.AUDIO:
        _label_windows(found, export)
    return found


def _label_windows(found: ExportedEmbeddings, export: Path) -> None:
    """Give frames the labels of their own, where an export has such."""
    windows = read_window_labels(export)
    if windows is None:
        return
    first = dict(zip(found.paths[::-1], range(len(found.paths) - 1, -1, -1), strict=True))
    found.labels[:] = ""
    for window in windows:
        found.labels[first[window.path] + window.frame] = window.label


def _room(rows: int, dimension: int) -> npt.NDArray[np.float32]:
    """Return an array to be filled, if there is memory for it."""
    needed = rows * dimension * NUMBER_BYTES
    try:
        if needed <= _memory_bytes():
            return np.empty((rows, dimension), np.float32)
    except MemoryError:
        pass
    raise OpenL3Error(
        f"{rows:,} frames x {dimension:,} x {NUMBER_BYTES} bytes are {needed / GB:,.1f} GB, more than there "
        "is memory for. Load the mean of each file (rows='files'), or read the .npz files one by one."
    )


def _memory_bytes() -> float:
    """Return how much memory this machine has: what does not fit is not to be tried, but refused."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows, which refuses by itself
        return float("inf")


def _fill_from_npz(found: ExportedEmbeddings, inputs: Sequence[ManifestRow], export: Path) -> None:
    start = 0
    for row in inputs:
        stop = start + row.frames
        path = export / row.output
        with reading(path, STAGE):
            blocks = read_npz_rows(path, "embedding")
            _fill(found.embeddings[start:stop], blocks)
            with np.load(path) as arrays:
                if "timestamps" in arrays:
                    found.times[start:stop] = arrays["timestamps"]
        start = stop


def _fill(place: npt.NDArray[np.float32], blocks: Iterator[npt.NDArray[Any]]) -> None:
    """Fill an array with blocks of rows, which must be as many and as long."""
    start = 0
    for block in blocks:
        room = place[start : start + len(block)]
        if room.shape != block.shape:
            raise OpenL3Error(f"It must hold an array {place.shape}; got more, or other rows.")
        room[:] = block
        start += len(block)
    if start != len(place):
        raise OpenL3Error(f"It must hold an array {place.shape}; got {start} rows.")


def _fill_from_parquet(
    found: ExportedEmbeddings,
    inputs: Sequence[ManifestRow],
    counts: Sequence[int],
    export: Path,
    modality: Modality,
) -> None:
    from l3embed.export.parquet import has_frames, read_frames

    if not has_frames(export, modality):
        raise OpenL3Error(
            f"{export} has no row for each frame, only for each file. Load those (rows='files'), or export "
            "anew with export.formats=[npz], or export.formats=[parquet] and export.rows=frames."
        )
    starts = dict(zip((row.path for row in inputs), np.cumsum([0, *counts[:-1]]).tolist(), strict=True))
    filled = np.zeros(len(found.embeddings), np.bool_)
    for frames in read_frames(export, modality):
        first = np.array([starts.get(path, OUTSIDE) for path in frames.paths], np.int64)[frames.path_of]
        rows = first + frames.numbers
        if not _fit(rows, frames, found, filled):
            break
        found.embeddings[rows], found.times[rows], filled[rows] = frames.embeddings, frames.times_s, True
    else:
        if filled.all():
            return
    raise OpenL3Error(
        f"The Parquet dataset in {export} has other rows than {manifest_path(export).name} says. "
        f"Run 'dvc repro -f {STAGE}', which writes both anew."
    )


def _fit(
    rows: npt.NDArray[np.int64], frames: FrameBlock, found: ExportedEmbeddings, filled: npt.NDArray[np.bool_]
) -> bool:
    """Tell whether rows have places of their own, of their file, that nothing else was put into."""
    is_inside = len(rows) == 0 or bool(rows.min() >= 0 and rows.max() < len(filled))
    if not is_inside or frames.embeddings.shape[1:] != found.embeddings.shape[1:]:
        return False
    paths = np.array(frames.paths, dtype=object)[frames.path_of]
    is_own = bool((found.paths[rows] == paths).all()) and bool((frames.numbers >= 0).all())
    return is_own and not filled[rows].any() and len(np.unique(rows)) == len(rows)

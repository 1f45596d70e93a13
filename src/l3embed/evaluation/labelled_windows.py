"""The windows of an export's sounds that have labels of their own, as what is evaluated in place of files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l3embed.export.loading import load_export
from l3embed.export.manifest import ManifestRow
from l3embed.export.window_labels import read_window_labels
from l3embed.progress import counted


@dataclass(frozen=True)
class LabelledWindows:
    """All windows that have a label.

    Parameters
    ----------
    rows : sequence of ManifestRow
        What the manifest says of each one's file, with the window's own label, and with its time behind the
        path: ``rain.wav@0.5``. Those of one file have one checksum, so that they are held out together.
    embeddings : np.ndarray
        Of each, shape ``(N, D)``.
    notes : tuple of str
        What the user should know.
    """

    rows: Sequence[ManifestRow]
    embeddings: npt.NDArray[np.float32]
    notes: tuple[str, ...]


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
        If the export has no row for each window, or is damaged.
    """
    if not inputs or read_window_labels(export) is None:
        return None
    loaded = load_export(export)
    found = np.flatnonzero(loaded.labels != "")
    by_path = {row.path: row for row in inputs}
    rows = []
    for place in found:
        row = by_path[loaded.paths[place]]
        path = f"{row.path}@{loaded.times[place]:g}"
        rows.append(replace(row, path=path, label=loaded.labels[place], sha256=row.sha256 or row.path))
    without = len(loaded.labels) - len(found)
    has = "has" if without == 1 else "have"
    note = f"{without:,} of {counted(len(loaded.labels), 'window')} {has} no label"
    return LabelledWindows(rows, loaded.embeddings[found], (note,) if without else ())

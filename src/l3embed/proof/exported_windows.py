"""Some embeddings of an export, from ``.npz`` files or Parquet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.disk.rows import read_npz_rows
from l3embed.disk.seals import reading
from l3embed.errors import OpenL3Error
from l3embed.export.manifest import STAGE, ManifestRow, has_npz
from l3embed.export.parquet import has_frames, read_frames
from l3embed.proof.statement import ProvenWindow, in_base64
from l3embed.proof.summed_manifest import DrawnFrame
from l3embed.variants import Modality

Array = npt.NDArray[Any]

Key = tuple[str, int]
"""An input's path, and which of its embeddings."""

Found = tuple[Key, ProvenWindow, str]
"""An embedding, and the type that the export holds it in."""


def read_windows(export: Path, drawn: Sequence[DrawnFrame]) -> tuple[list[ProvenWindow], dict[str, str]]:
    """Return embeddings in the order in which they were drawn, and by modality the type they are held in.

    Raises
    ------
    OpenL3Error
        If the export has none for single moments, a file of it is damaged, or it holds others than its
        manifest says.
    """
    windows: dict[tuple[str, Key], ProvenWindow] = {}
    dtypes: dict[str, str] = {}
    by_modality: defaultdict[str, list[DrawnFrame]] = defaultdict(list)
    for each in drawn:
        by_modality[each.row.modality].append(each)
    for modality, own in by_modality.items():
        for key, window, dtype in _read(export, Modality(modality), own):
            windows[modality, key], dtypes[modality] = window, dtype
    keys = [(each.row.modality, (each.row.path, each.frame)) for each in drawn]
    if missing := [key for key in keys if key not in windows]:
        modality, (path, frame) = missing[0]
        raise OpenL3Error(
            f"{export} does not hold what its manifest says: number {frame} of the {modality} embeddings of "
            f"{path} is not there. Run 'dvc repro -f {STAGE}', which writes both anew."
        )
    return [windows[key] for key in keys], dtypes


def _read(export: Path, modality: Modality, drawn: Sequence[DrawnFrame]) -> Iterator[Found]:
    rows = {each.row.path: each.row for each in drawn}
    frames: defaultdict[str, set[int]] = defaultdict(set)
    for each in drawn:
        frames[each.row.path].add(each.frame)
    if has_npz(export, rows.values()):
        for path, row in rows.items():
            yield from _from_npz(export, row, frames[path])
    elif has_frames(export, modality):
        yield from _from_parquet(export, modality, rows, frames)
    else:
        raise OpenL3Error(
            f"{export} has no row for each moment, which a proof is made of. Export anew with "
            "export.formats=[npz], or export.formats=[parquet] and export.rows=frames."
        )


def _from_npz(export: Path, row: ManifestRow, frames: set[int]) -> Iterator[Found]:
    path = export / row.output
    with reading(path, STAGE):
        with np.load(path, allow_pickle=False) as arrays:
            times_s = arrays.get("timestamps")
        start = 0
        for block in read_npz_rows(path, "embedding"):
            for frame in sorted(frames & set(range(start, start + len(block)))):
                time_s = None if times_s is None else float(times_s[frame])
                yield _window(row, frame, time_s, block[frame - start])
            start += len(block)


def _from_parquet(
    export: Path, modality: Modality, rows: dict[str, ManifestRow], frames: dict[str, set[int]]
) -> Iterator[Found]:
    for block in read_frames(export, modality, rows):
        chosen = [place for place, path in enumerate(block.paths) if path in rows]
        for place in np.flatnonzero(np.isin(block.path_of, chosen)).tolist():
            path, frame = block.paths[block.path_of[place]], int(block.numbers[place])
            if frame in frames[path]:
                time_s = float(block.times_s[place])
                known_s = None if np.isnan(time_s) else time_s
                yield _window(rows[path], frame, known_s, block.embeddings[place])


def _window(row: ManifestRow, frame: int, time_s: float | None, vector: Array) -> Found:
    if vector.shape != (row.dimension,) or not np.isfinite(vector).all():
        raise OpenL3Error(
            f"Number {frame} of the {row.modality} embeddings of {row.path} must be {row.dimension} finite "
            f"numbers; it is not. Run 'dvc repro -f {STAGE}', which writes the export anew."
        )
    key = (row.path, frame)
    return key, ProvenWindow(*(row.path, row.modality, frame, time_s), in_base64(vector)), str(vector.dtype)

"""How a recording or a video resembles itself over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l3embed.disk.seals import reading
from l3embed.errors import OpenL3Error
from l3embed.export.file_rows import frame_blocks, frame_times_s
from l3embed.export.manifest import STAGE, ManifestRow
from l3embed.progress import say
from l3embed.report.formatting import format_clock
from l3embed.report.neighbours import vector_lengths
from l3embed.variants import Modality

FEWEST_FRAMES = 4
MOST_FIGURES = 6
MOST_CELLS = 200
"""Rows and columns of a matrix: longer recordings are averaged down to it."""

READ_ROWS = 256
MOST_TICKS = 6
TICK_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)

Cosines = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Tick:
    """A mark on both axes: what it says, and where it stands (0 is the start, 1 the end)."""

    text: str
    place: float


@dataclass(frozen=True)
class SelfSimilarity:
    """One file's matrix, ``(cells, cells)``: mean cosines between the frames of two cells."""

    row: ManifestRow
    cosines: Cosines
    cell_times_s: list[float]  # mean timestamp of each cell's frames; none for images
    ticks: tuple[Tick, ...]

    @property
    def frames_per_cell(self) -> float:
        """How many frames one cell stands for, on average."""
        return self.row.frames / len(self.cosines)


def choose_rows(rows: Sequence[ManifestRow]) -> list[ManifestRow]:
    """Return the longest inputs of different labels, in turn from each modality; then the longest others."""
    candidates = [row for row in rows if row.is_ok and row.output and row.frames >= FEWEST_FRAMES]
    queues = []
    for modality in Modality:
        own = sorted(
            (row for row in candidates if row.modality == modality.value),
            key=lambda row: (-row.frames, row.path),
        )
        longest_of_label = {row.label: row for row in reversed(own)}
        firsts = [row for row in own if longest_of_label[row.label] is row]
        queues.append(firsts + [row for row in own if longest_of_label[row.label] is not row])
    turns = chain.from_iterable(zip_longest(*queues))
    chosen = list(islice((row for row in turns if row is not None), MOST_FIGURES))
    order = [modality.value for modality in Modality]
    return sorted(chosen, key=lambda row: order.index(row.modality))


def self_similarities(export: Path, rows: Sequence[ManifestRow]) -> list[SelfSimilarity]:
    """Compare the frames of each file with each other; say so of one whose embeddings are damaged."""
    figures = []
    for row in rows:
        try:
            with reading(export / row.output, STAGE):
                figures.append(self_similarity(export, row))
        except OpenL3Error as error:
            say(f"report: warning: {error}")
    return figures


def self_similarity(export: Path, row: ManifestRow) -> SelfSimilarity:
    """Compare the frames of one file with each other."""
    cell_of = np.arange(row.frames) * min(MOST_CELLS, row.frames) // row.frames
    cells = _cell_vectors(export, row, cell_of)
    times_s = frame_times_s(export, row)
    cell_times_s = np.bincount(cell_of, times_s) / np.bincount(cell_of) if times_s.size else times_s
    # The mean of unit vectors makes their dot product the mean of the cosines of all pairs of frames.
    cosines = np.clip(cells @ cells.T, -1, 1)
    return SelfSimilarity(row, cosines, np.round(cell_times_s, 3).tolist(), time_ticks(times_s))


def time_ticks(times_s: npt.NDArray[np.float64]) -> tuple[Tick, ...]:
    """Return round times with their places on an axis on which every frame is equally wide."""
    if len(times_s) < 2 or times_s[-1] <= times_s[0]:
        return ()
    first_s, last_s = float(times_s[0]), float(times_s[-1])
    length_s = last_s - first_s
    step_s = next((step for step in TICK_STEPS_S if length_s / step < MOST_TICKS), length_s / MOST_TICKS)
    rounds = np.arange(np.ceil(first_s / step_s - 1e-9), np.floor(last_s / step_s + 1e-9) + 1) * step_s
    places = (np.interp(rounds, times_s, np.arange(len(times_s))) + 0.5) / len(times_s)
    return tuple(
        Tick(format_clock(second, step_s), float(place)) for second, place in zip(rounds, places, strict=True)
    )


def _cell_vectors(export: Path, row: ManifestRow, cell_of: npt.NDArray[np.intp]) -> Cosines:
    """Return the mean of the unit vectors of each cell's frames, ``(cells, D)``."""
    frames_of_cell = np.bincount(cell_of)
    sums = np.zeros((len(frames_of_cell), row.dimension), np.float32)
    done = 0
    for frames in frame_blocks(export, row, READ_ROWS):  # a day of sound has gigabytes of them
        units = frames / vector_lengths(frames)[:, np.newaxis]
        np.add.at(sums, cell_of[done : done + len(frames)], units)
        done += len(frames)
    if done != len(cell_of):
        raise OpenL3Error(f"It must hold {len(cell_of)} embeddings; it has {done}.")
    sums /= frames_of_cell[:, np.newaxis]
    return sums

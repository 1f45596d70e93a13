"""Sets of embeddings that are there already: a folder of ``.npz`` files, or an export of the pipeline."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.disk.rows import read_npz_rows
from l3embed.distances.computed_with import (
    AS_OPENL3,
    UNKNOWN,
    ComputedWith,
    check_alike,
    computed_with,
    joined,
)
from l3embed.distances.streamed_statistics import BLOCK_ROWS
from l3embed.errors import OpenL3Error, source_faults
from l3embed.export.manifest import STAGE, ManifestRow, embedded_in, has_npz, read_manifest
from l3embed.variants import Modality

NPZ_SUFFIX = ".npz"
ARRAY = "embedding"

FEWEST_FILES = 2
"""A set of one file says nothing of others of its kind."""

Blocks = Iterator[npt.NDArray[Any]]


@dataclass(frozen=True)
class FrameFile:
    """The embeddings of one file.

    Parameters
    ----------
    name : str
        As it is called where it is named: below the set's folder.
    frames : int
        How many there are.
    read : callable
        Reads them in blocks, ``(n, D)``.
    label : str
        Its class; empty if it has none.
    """

    name: str
    frames: int
    read: Callable[[], Blocks]
    label: str = ""


@dataclass(frozen=True)
class EmbeddedSet:
    """A set of embeddings, file by file, which are read again each time that they are needed.

    Parameters
    ----------
    name : str
        As the user has named it.
    files : tuple of FrameFile
        Those that could be read.
    dimension : int
        Numbers in each embedding.
    made : ComputedWith
        What all of them were computed with.
    failures : dict[str, str]
        Files that could not be read, and why.
    """

    name: str
    files: tuple[FrameFile, ...]
    dimension: int
    made: ComputedWith = UNKNOWN
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """How many embeddings there are."""
        return sum(file.frames for file in self.files)

    def of_label(self, label: str) -> EmbeddedSet:
        """Return the files of one class."""
        own = tuple(file for file in self.files if file.label == label)
        return replace(self, name=f"{self.name} ({label})", files=own, failures={})


def check_set(found: EmbeddedSet) -> EmbeddedSet:
    """Check that there are files enough, and return the set.

    Raises
    ------
    OpenL3Error
        If there are fewer than two; those that failed are named.
    """
    if len(found.files) < FEWEST_FILES:
        lost = "".join(f"\n  {path}: {reason}" for path, reason in found.failures.items())
        failed = f", and {len(found.failures)} that could not be used:{lost}" if lost else "."
        raise OpenL3Error(
            f"A set needs at least {FEWEST_FILES} files; {found.name} has {len(found.files)}{failed}"
        )
    return found


def files_below(folder: Path, suffixes: frozenset[str], *, recursive: bool) -> list[Path]:
    """Return the files of a folder that have one of some endings, sorted.

    Raises
    ------
    OpenL3Error
        If a folder cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise OpenL3Error(f"The folder {error.filename} could not be read: {error.strerror}.")

    files: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=refuse):
        if not recursive:
            folders.clear()
        files += (Path(place, name) for name in names if Path(name).suffix.lower() in suffixes)
    return sorted(files)


def read_npz_set(folder: Path, paths: list[Path], name: str = "") -> EmbeddedSet:
    """Return the set of the ``.npz`` files of a folder, each of which is looked through once.

    Raises
    ------
    OpenL3Error
        If two of them were not computed alike.
    """
    return gather(
        name or str(folder), {str(path.relative_to(folder)): partial(open_npz, path) for path in paths}
    )


Opened = tuple[Callable[[], Blocks], ComputedWith, str]
"""What reads a file's embeddings, what they were computed with, and the file's class."""


def gather(name: str, sources: Mapping[str, Callable[[], Opened]]) -> EmbeddedSet:
    """Return a set of files, each of which is read once to see that it is whole.

    A file that cannot be read, is empty, holds NaN or has another dimension is left out and named.

    Raises
    ------
    OpenL3Error
        If two were not computed alike.
    """
    files: list[FrameFile] = []
    failures: dict[str, str] = {}
    made, dimension, first = UNKNOWN, 0, ""
    for file_name, open_file in sources.items():
        try:
            with source_faults():
                read, own, label = open_file()
                shape = _looked_through(read)
        except OpenL3Error as error:
            failures[file_name] = str(error)
            continue
        check_alike(f"{name}: {first}", made, file_name, own)
        if files and shape[1] != dimension:
            failures[file_name] = (
                f"Its embeddings have {shape[1]} numbers; those of {first} have {dimension}."
            )
            continue
        made, dimension, first = joined(made, own), shape[1], first or file_name
        files.append(FrameFile(file_name, shape[0], read, label))
    return EmbeddedSet(name, tuple(files), dimension, made, failures)


def _looked_through(read: Callable[[], Blocks]) -> tuple[int, int]:
    """Return how many embeddings a file has, and of what dimension.

    Raises
    ------
    OpenL3Error
        If it has none, or one that is not finite.
    """
    frames, dimension = 0, 0
    for block in read():
        if block.ndim != 2 or block.dtype.kind != "f" or not block.shape[1]:
            raise OpenL3Error(
                f"It must hold a matrix of embeddings, (T, D); got {block.shape} of {block.dtype}."
            )
        is_finite = np.isfinite(block).all(axis=1)
        if not is_finite.all():
            row = frames + int(np.argmin(is_finite))
            raise OpenL3Error(f"Its embeddings must be finite numbers; row {row} holds NaN or infinite ones.")
        frames, dimension = frames + len(block), block.shape[1]
    if not frames:
        raise OpenL3Error("It holds no embeddings.")
    return frames, dimension


def open_npz(path: Path) -> Opened:
    """Return what reads the embeddings of an ``.npz``, and what it says of them.

    Raises
    ------
    OpenL3Error
        If it holds none.
    """
    with np.load(path, allow_pickle=False) as arrays:
        if ARRAY not in arrays:
            raise OpenL3Error(f"It holds no array {ARRAY!r}; its arrays: {', '.join(arrays) or 'none'}.")
        others = {name: arrays[name] for name in arrays.files if name != ARRAY}
    return partial(_npz_blocks, path, is_ours="version" in others), computed_with(others), ""


def _npz_blocks(path: Path, *, is_ours: bool) -> Blocks:
    if is_ours:
        yield from read_npz_rows(path, ARRAY, BLOCK_ROWS)
        return
    with np.load(path, allow_pickle=False) as arrays:  # which may be laid out in any way
        embeddings = arrays[ARRAY]
        yield from (embeddings[start : start + BLOCK_ROWS] for start in range(0, len(embeddings), BLOCK_ROWS))


def export_modalities(export: Path) -> list[Modality]:
    """Return the modalities that an export has embeddings in.

    Raises
    ------
    OpenL3Error
        If it is none.
    """
    rows = read_manifest(export)
    return [modality for modality in Modality if embedded_in(rows, modality)]


def export_made(export: Path, modality: Modality) -> ComputedWith:
    """Return what the first of an export's files in one modality was computed with, which has to be there.

    Raises
    ------
    OpenL3Error
        If it is no export, or the file cannot be read.
    """
    row = embedded_in(read_manifest(export), modality)[0]
    made = _export_origins([row], modality)[row.path]
    return joined(made, open_npz(export / row.output)[1]) if has_npz(export, [row]) else made


def read_export_set(export: Path, modality: Modality, scratch: Path) -> EmbeddedSet:
    """Return the set of an export's files in one modality, whatever the format it was written in.

    Parameters
    ----------
    export : Path
        Its folder.
    modality : Modality
        Which embeddings.
    scratch : Path
        Folder for those that are in Parquet, as they cannot be read file by file.

    Raises
    ------
    OpenL3Error
        If it is none, or has no row for each frame.
    """
    rows = embedded_in(read_manifest(export), modality)
    made_by = _export_origins(rows, modality)
    if has_npz(export, rows):
        sources = {row.path: partial(_open_output, export, row, made_by[row.path]) for row in rows}
    else:
        mapped = _spooled_parquet(export, modality, rows, scratch)
        sources = {}
        start = 0
        for row in rows:
            piece = slice(start, start + row.frames)
            sources[row.path] = partial(_open_mapped, mapped, piece, made_by[row.path], row.label)
            start = piece.stop
    return gather(str(export), sources)


def _export_origins(rows: Sequence[ManifestRow], modality: Modality) -> dict[str, ComputedWith]:
    is_sound = modality is Modality.AUDIO
    channels, protocol = (1, AS_OPENL3) if is_sound else (None, None)
    return {
        row.path: ComputedWith(row.variant or None, row.weights or None, None, channels, protocol)
        for row in rows
    }


def _open_output(export: Path, row: ManifestRow, made: ComputedWith) -> Opened:
    read, own, _ = open_npz(export / row.output)
    return read, joined(made, own), row.label


def _open_mapped(mapped: Path, piece: slice, made: ComputedWith, label: str) -> Opened:
    return partial(_mapped_blocks, mapped, piece), made, label


def _mapped_blocks(mapped: Path, piece: slice) -> Blocks:
    for start in range(piece.start, piece.stop, BLOCK_ROWS):
        # Mapped anew for each block: all that is read from one mapping counts as this process's memory.
        yield np.load(mapped, mmap_mode="r")[start : min(start + BLOCK_ROWS, piece.stop)].copy()


def _spooled_parquet(export: Path, modality: Modality, rows: Sequence[ManifestRow], scratch: Path) -> Path:
    """Write the frames of a Parquet dataset to one array, in the manifest's order, and return its file."""
    from l3embed.export.parquet import has_frames, read_frames

    if not has_frames(export, modality):
        raise OpenL3Error(
            f"{export} has no row for each frame, only for each file, and those have no spread. Export anew "
            "with export.formats=[npz], or export.formats=[parquet] and export.rows=frames."
        )
    shape = sum(row.frames for row in rows), rows[0].dimension
    path = scratch / f"{len(list(scratch.iterdir()))}.npy"
    array = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    ends = np.cumsum([row.frames for row in rows])
    starts = {row.path: int(end) - row.frames for row, end in zip(rows, ends, strict=True)}
    left = shape[0]
    for frames in read_frames(export, modality):
        if frames.embeddings.shape[1:] != shape[1:] or not starts.keys() >= set(frames.paths):
            break
        places = np.array([starts[path] for path in frames.paths])[frames.path_of] + frames.numbers
        if len(places) > left or places.max(initial=0) >= shape[0]:
            break
        array[places] = frames.embeddings
        left -= len(places)
    if left:
        raise OpenL3Error(
            f"The Parquet dataset in {export} has other rows than its manifest says. Run 'dvc repro -f "
            f"{STAGE}', which writes both anew."
        )
    array.flush()
    return path

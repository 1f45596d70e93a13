"""Which files the sample dataset has, and how they come to lie in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from l3embed.errors import OpenL3Error
from l3embed.sample.clips import CLIPS
from l3embed.sample.item import Item
from l3embed.sample.photographs import CROPS
from l3embed.sample.video import VIDEOS

ITEMS: tuple[Item, ...] = (*CLIPS, *CROPS, *VIDEOS)

CLUTTER = frozenset({".DS_Store", ".gitignore", ".gitkeep", "Thumbs.db", "desktop.ini"})
"""Files of the system or of Git that are nobody's data."""


def write_sample_dataset(directory: str | Path, seed: int = 0) -> list[Path]:
    """Write a small labelled dataset of sounds and images, one folder a class, and a video.

    Six classes of four synthesised clips, 1.2 to 2.8 s each, in several formats and sample rates, in mono
    and stereo; in ``photographs``, six classes of four images, crops of photographs that scikit-image
    brings along (`l3embed.sample.photographs` states their licences); and a video of both kinds, without a
    class. What is decoded from the files depends on the seed only. A file that is there already and holds
    the same is left as it is, so that nothing which depends on its bytes or its date has to be done again.

    Parameters
    ----------
    directory : str or Path
        Where the class folders go. It may be missing, empty, or hold an earlier sample dataset.
    seed : int
        Another seed, 0 or above, makes other clips and crops of the same classes.

    Returns
    -------
    list of Path
        The files: the clips and the images, ordered by class and number, and the video.

    Raises
    ------
    OpenL3Error
        If the directory holds anything else, or cannot be written, or ffmpeg cannot write the video.
    """
    if seed < 0:
        raise OpenL3Error(f"the seed is {seed}: give 0 or a positive whole number")
    directory = Path(directory)
    _refuse_foreign_files(directory)
    try:
        return [_write(item, directory, seed) for item in ITEMS]
    except OSError as fault:
        raise OpenL3Error(
            f"cannot write the sample dataset to {directory}: {fault}; choose another folder"
        ) from fault


def _write(item: Item, directory: Path, seed: int) -> Path:
    """Put one file into its place at once, unless it is there already, and return its path."""
    path, temporary_path = directory / item.path, directory / _temporary(item.path)
    earlier = path.read_bytes() if path.exists() else None
    content = item.renewed(earlier, seed)
    if content == earlier:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary_path.write_bytes(content)
    temporary_path.replace(path)
    return path


def _temporary(path: Path) -> Path:
    """Where a file lies while it is being written: known, so that what a crash leaves is overwritten."""
    return path.with_name(f".{path.name}.partial")


def _refuse_foreign_files(directory: Path) -> None:
    """Raise OpenL3Error if the directory holds, or is, a file that is not the sample's own."""
    if directory.exists() and not directory.is_dir():
        raise OpenL3Error(f"{directory} is a file: give a folder for the sample dataset")
    foreign = next(_foreign_files(directory), None)
    if foreign is not None:
        raise OpenL3Error(
            f"{directory} holds {foreign}, which is not of the sample dataset: give a new or an empty folder"
        )


def _foreign_files(directory: Path) -> Iterator[Path]:
    """Yield the files in a directory, relative to it, that are neither the sample's own nor clutter."""
    own = {item.path: item for item in ITEMS}
    temporary = {_temporary(path) for path in own}
    # Links are followed: a class folder that leads to somebody's music is not ours to write into.
    for folder, _, names in os.walk(directory, followlinks=True):
        for name in sorted(names):
            path = Path(folder, name).relative_to(directory)
            if name in CLUTTER or path in temporary or (path in own and own[path].is_own(directory / path)):
                continue
            yield path

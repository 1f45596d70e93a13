"""The files of the sample dataset, and how they come to lie in a folder.

They lie next to this module, the same bytes for ever. The sounds are l3embed's own; the pictures are crops of
scikit-image's photographs, which may be used freely, as it states in the documentation of `skimage.data`:
brick and gravel (CC0Textures), grass (linolafett), coffee (Rachel Michetti) and retina (Mikael Häggström) are
dedicated to the public by CC0; the Hubble eXtreme Deep Field is NASA's, and in the public domain.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from l3embed.disk.atomic import remove_abandoned, replacing
from l3embed.errors import OpenL3Error

SOURCE = Path(__file__).with_name("files")

PATTERNS = ("*/*_??.*", "photographs/*/*_??.*", "*.mp4")
FILES = tuple(path.relative_to(SOURCE) for pattern in PATTERNS for path in sorted(SOURCE.glob(pattern)))
"""Where each file lies within the dataset: clips, images and the video."""

DOUBTFUL_SOURCE = Path(__file__).with_name("doubtful_files")
COPIES = {Path("again.ogg"): "bells/bells_02.ogg", Path("drums/rain_03.ogg"): "rain/rain_03.ogg"}
"""Copies of files of the sample: one has no label, one has another label."""

DOUBTFUL = {
    path.relative_to(DOUBTFUL_SOURCE): path for path in sorted(DOUBTFUL_SOURCE.rglob("*")) if path.is_file()
} | {path: SOURCE / name for path, name in COPIES.items()}
"""Where each file with which something is wrong lies within the dataset, and where it comes from.

Silence, a click, a cut file, a black picture, one that asks to be turned, a video without sound, copies, and
a class of one file: there is one of each kind that the pipeline has its doubts about.
"""

EARLIER_TAG = b"made by l3embed sample"
"""In each file of the samples that earlier versions synthesised: these may be replaced."""

OWN = {path: SOURCE / path for path in FILES} | DOUBTFUL
"""All that may lie in the dataset, and where it comes from."""

CLUTTER = frozenset({".DS_Store", ".gitignore", ".gitkeep", "Thumbs.db", "desktop.ini"})
"""Files of the system or of Git that are nobody's data."""

TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")
"""Name that `replacing` gives to a file while it is being written, and a killed run leaves behind."""


def write_sample_dataset(directory: str | Path, *, doubtful: bool = False) -> list[Path]:
    """Write a small labelled dataset of sounds and images, one folder a class, and a video.

    Six classes of four clips, in several formats and sample rates, in mono and stereo; in ``photographs``,
    six classes of four images; and a video without a class. A file that is there already is left as it is,
    so that nothing which depends on its date has to be done again.

    Parameters
    ----------
    directory : str or Path
        Where the class folders go. It may be missing, empty, or hold the sample, also an earlier version's.
    doubtful : bool
        Whether files with which something is wrong are written, too.

    Returns
    -------
    list of Path
        The files: the clips and the images, ordered by class and number, and the video; then the doubtful.

    Raises
    ------
    OpenL3Error
        If the directory holds anything else, or cannot be written.
    """
    directory = Path(directory)
    sources = OWN if doubtful else {path: OWN[path] for path in FILES}
    try:
        _refuse_foreign_files(directory)
        return [_write(directory / path, source.read_bytes()) for path, source in sources.items()]
    except OSError as fault:
        raise OpenL3Error(
            f"cannot write the sample dataset to {directory}: {fault}; choose another folder"
        ) from fault


def _write(path: Path, content: bytes) -> Path:
    """Put one file into its place at once, unless it is there already, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path.parent)
    if not path.exists() or path.read_bytes() != content:
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    return path


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
    # Links are followed: a class folder that leads to somebody's music is not ours to write into.
    for folder, _, names in os.walk(directory, followlinks=True):
        for name in sorted(names):
            path = Path(folder, name).relative_to(directory)
            if name in CLUTTER or TEMPORARY.fullmatch(name) or (path in OWN and _is_own(directory, path)):
                continue
            yield path


def _is_own(directory: Path, path: Path) -> bool:
    """Tell whether a file in the place of one of the sample's is that one, or an earlier version's."""
    content = (directory / path).read_bytes()
    return content == OWN[path].read_bytes() or EARLIER_TAG in content

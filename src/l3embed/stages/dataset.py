"""Which files of a folder, or rows of a listing, are a dataset's inputs."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from l3embed.decoding import image, recording, video
from l3embed.errors import OpenL3Error
from l3embed.listings.listing_table import LISTING_SUFFIXES, is_listing, read_listing
from l3embed.progress import counted
from l3embed.stages.dataset_input import Input as Input
from l3embed.stages.listed_inputs import ListedInputs, listed_inputs
from l3embed.variants import Media

SUFFIXES = {
    Media.AUDIO: recording.SUFFIXES,
    Media.IMAGE: image.SUFFIXES,
    Media.VIDEO: video.SUFFIXES,
}
"""Endings by which the kinds are told apart, in lower case."""

ANYTHING = "*"
"""The pattern that any path fits."""


@dataclass(frozen=True)
class Selection:
    """Which files of a folder count.

    Parameters
    ----------
    media : tuple of Media
        Which kinds.
    include, exclude : tuple of str
        Patterns as in ``.gitignore``, on paths below the dataset's folder: a file counts if one of the
        first fits, or there are none, and none of the second does.
    """

    media: tuple[Media, ...] = tuple(Media)
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What lies in a dataset's folder, or stands in its listing.

    Parameters
    ----------
    inputs : sequence of Input
        The files to embed, sorted by path. Those of a listing are made as they are asked for.
    left_out : int
        Other files: of other kinds, or not selected.
    linked_folders : tuple of str
        Links to folders, which are not followed.
    unreadable_folders : tuple of str
        Folders whose files are unknown.
    repeated : int
        Rows of a listing that say what another one says.
    unused_columns : tuple of str
        Those of a listing that have no meaning here.
    has_labels : bool
        Whether it is a listing that says which class inputs are of.
    """

    inputs: Sequence[Input]
    left_out: int
    linked_folders: tuple[str, ...] = ()
    unreadable_folders: tuple[str, ...] = ()
    repeated: int = 0
    unused_columns: tuple[str, ...] = ()
    has_labels: bool = False

    @property
    def counts(self) -> str:
        """How many there are of each kind, as in ``24 audio, 3 image``."""
        if isinstance(self.inputs, ListedInputs):
            by_kind = Counter(self.inputs.kinds)
        else:
            by_kind = Counter(input_.media for input_ in self.inputs)
        counts = ", ".join(f"{by_kind[media]:,} {media.value}" for media in Media if by_kind[media])
        return f"{counts} (sound and frames)" if by_kind[Media.VIDEO] else counts


def find_inputs(dataset: Path, selection: Selection) -> Found:
    """Find the inputs below a folder, or those that a listing names.

    Files and folders whose names begin with a dot do not count. Links to files do, even if they lead
    nowhere: then they fail by name. Links to folders are not followed, because DVC does not see what
    changes behind them.

    Raises
    ------
    OpenL3Error
        If the folder is not there, nothing in it is selected, or a pattern is none; if a listing is no table
        of paths (`read_listing`), or its rows contradict one another.
    """
    chosen = _Chooser(selection)
    if is_listing(dataset):
        return _find_listed(dataset, selection, chosen)
    if not dataset.is_dir():
        raise OpenL3Error(
            f"The dataset must be a folder, or a listing ({', '.join(LISTING_SUFFIXES)}); "
            f"{dataset} is neither. Set dataset.path to yours."
        )
    linked: list[str] = []
    unreadable: list[str] = []
    files = sorted(_visible_files(dataset, linked, unreadable))
    inputs = tuple(Input(path, media) for path in files if (media := chosen.media_of(path)))
    if not inputs:
        raise OpenL3Error(_nothing(dataset, selection, files, unreadable))
    return Found(inputs, len(files) - len(inputs), tuple(sorted(linked)), tuple(sorted(unreadable)))


def _find_listed(dataset: Path, selection: Selection, chosen: _Chooser) -> Found:
    listing = read_listing(dataset)
    listed = listed_inputs(listing, chosen.media_of)
    if not listed.inputs:
        raise OpenL3Error(_nothing(dataset, selection, range(listed.left_out), []))
    return Found(
        listed.inputs,
        listed.left_out,
        repeated=listed.repeated,
        unused_columns=listing.unused,
        has_labels=listing.has_labels,
    )


class _Chooser:
    def __init__(self, selection: Selection) -> None:
        self._media = {suffix: media for media in selection.media for suffix in SUFFIXES[media]}
        self._include = _matcher("include", selection.include or (ANYTHING,))
        self._exclude = _matcher("exclude", selection.exclude)

    def media_of(self, path: str) -> Media | None:
        """Return the kind of a file, or None if it is not selected."""
        media = self._media.get(os.path.splitext(path)[1].lower())  # noqa: PTH122
        is_chosen = media and self._include(path) and not self._exclude(path)
        return media if is_chosen else None


def _matcher(name: str, patterns: Sequence[str]) -> Callable[[str], bool]:
    """Return what tells whether a path fits one of some patterns."""
    from pathspec import GitIgnoreSpec

    try:
        spec = GitIgnoreSpec.from_lines(patterns)
    except (ValueError, re.error) as error:
        raise OpenL3Error(
            f"dataset.{name} must be patterns as in .gitignore; got {list(patterns)}. ({error})"
        ) from error
    # In their regular expressions a dot is any character but a new line, which a name may hold.
    return lambda path: bool(spec.match_file(path.replace("\n", " ")))


def _visible_files(dataset: Path, linked: list[str], unreadable: list[str]) -> Iterator[str]:
    """Yield the files below a folder; collect the links to folders, and the folders that cannot be read."""

    def note(error: OSError) -> None:
        unreadable.append(Path(error.filename).relative_to(dataset).as_posix())

    for folder, folders, files in os.walk(dataset, onerror=note):
        here = Path(folder)
        visible = [name for name in folders if not name.startswith(".")]
        links = {name for name in visible if (here / name).is_symlink()}
        linked += [(here / name).relative_to(dataset).as_posix() for name in links]
        folders[:] = [name for name in visible if name not in links]
        for name in files:
            if not name.startswith("."):
                yield (here / name).relative_to(dataset).as_posix()


def _nothing(dataset: Path, selection: Selection, files: Sequence[object], unreadable: list[str]) -> str:
    kinds = ", ".join(media.value for media in selection.media)
    endings = ", ".join(sorted(suffix for media in selection.media for suffix in SUFFIXES[media]))
    patterns = ""
    if selection.include or selection.exclude:
        include, exclude = list(selection.include), list(selection.exclude)
        patterns = f" that fit dataset.include={include}, dataset.exclude={exclude}"
    locked = f" These folders could not be read: {', '.join(sorted(unreadable))}." if unreadable else ""
    return (
        f"There are no files of the kinds {kinds} in {dataset}{patterns}, known by their endings: {endings}. "
        f"It holds {counted(len(files), 'file')}.{locked} "
        f"Set dataset.path, dataset.modality, dataset.include or dataset.exclude."
    )

"""Which files take part in an evaluation, and which of them are held out together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from l3embed.export.manifest import ManifestRow

Positions = npt.NDArray[np.intp]

MOST_NAMED = 10
"""Classes that one note names."""


@dataclass(frozen=True)
class Unsplit:
    """Why there is nothing to evaluate.

    Parameters
    ----------
    reason : str
        In a few words.
    notes : tuple of str
        What the user should know.
    """

    reason: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Folds:
    """The fold of each file.

    Parameters
    ----------
    names : tuple of str
        As the dataset's authors call them, or numbers.
    numbers : array of int
        The files' folds, (N,): positions in `names`.
    notes : tuple of str
        What the user should know.
    """

    names: tuple[str, ...]
    numbers: Positions
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Split:
    """The files that take part, and what cross-validation must know of them.

    Parameters
    ----------
    rows : array of int
        Positions, (N,), of the files among all.
    labels : tuple of str
        The classes, sorted.
    actual : array of int
        The files' classes, (N,): positions in `labels`.
    groups : array of int
        Copies of one file, (N,), have one number.
    folds : Folds
        Which files are held out together.
    notes : tuple of str
        What the user should know.
    """

    rows: Positions
    labels: tuple[str, ...]
    actual: Positions
    groups: Positions
    folds: Folds
    notes: tuple[str, ...]

    def parts(self) -> Iterator[tuple[Positions, Positions]]:
        """Yield, for each fold, the files to learn from and those that are held out.

        No file is learnt from whose copy is held out, not even where the authors' folds would have it.
        """
        for fold in np.unique(self.folds.numbers):
            held_out = self.folds.numbers == fold
            is_copy = np.isin(self.groups, self.groups[held_out])
            yield np.flatnonzero(~is_copy), np.flatnonzero(held_out)


def split_files(rows: Sequence[ManifestRow], most_folds: int, seed: int) -> Split | Unsplit:
    """Choose the files that can be evaluated, and put them into folds.

    Copies of one file are in one fold, and each class is spread evenly over the folds. Folds that come with
    the labels are used as they are, if every labelled file has one.

    Parameters
    ----------
    rows : sequence of ManifestRow
        Inputs with embeddings in one modality.
    most_folds : int
        How many folds; fewer if the smallest class does not have as many different files.
    seed : int
        Which of the equally good folds.
    """
    labelled = [row for row in rows if row.label]
    if not labelled:
        return Unsplit("no labels" if rows else "no files")
    are_given, notes = _judge_folds([row.fold for row in labelled])
    left_out = _small_classes(labelled, are_given)
    needed = "files in two folds" if are_given else "two different files"
    if left_out:
        notes += (f"left out, since a class needs {needed}: {_listed(left_out)}",)
    kept = np.flatnonzero(np.isin([row.label for row in rows], ["", *left_out], invert=True))
    chosen = [rows[number] for number in kept]
    labels, actual = _numbered([row.label for row in chosen])
    if len(labels) < 2:
        return Unsplit(f"fewer than two classes have {needed}", notes)
    groups = _grouped(chosen)
    if are_given:
        folds = _given_folds(chosen, groups)
    else:
        folds = _new_folds(labels, actual, groups, most_folds, seed)
    split = Split(kept, labels, actual, groups, folds, notes + folds.notes)
    if all(len(learnt) for learnt, _ in split.parts()):
        return split
    return Unsplit("one fold has copies of all other files, so nothing is left to learn from", notes)


def _grouped(rows: Sequence[ManifestRow]) -> Positions:
    """Return a number for each file that its copies share, in the order in which the files come.

    In the order of their checksums, the same sounds in files of other bytes would come into other folds.
    """
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(_identity(row), len(numbers)) for row in rows], np.intp)


def _identity(row: ManifestRow) -> str:
    """Return what copies of one file share."""
    return row.sha256 or row.path


def _numbered(words: Sequence[str]) -> tuple[tuple[str, ...], Positions]:
    """Return the different words, sorted, and the position of each word among them."""
    different, positions = np.unique(np.array(words, np.str_), return_inverse=True)
    return tuple(different.tolist()), positions


def _judge_folds(folds: Sequence[str]) -> tuple[bool, tuple[str, ...]]:
    """Return whether the labels' folds can be used, and what to say if they can't."""
    missing = folds.count("")
    if missing == len(folds):
        return False, ()
    if missing:
        return False, (f"the labels' folds are not used: {missing} of {len(folds)} labelled files have none",)
    if len(set(folds)) == 1:
        return False, (f"the labels' folds are not used: all files are in fold {folds[0]}",)
    return True, ()


def _small_classes(rows: Sequence[ManifestRow], are_folds_given: bool) -> tuple[str, ...]:
    """Return the classes that can't be both learnt and held out."""
    files, folds = defaultdict(set), defaultdict(set)
    for row in rows:
        files[row.label].add(_identity(row))
        folds[row.label].add(row.fold)
    return tuple(
        label
        for label in sorted(files)
        if len(files[label]) < 2 or (are_folds_given and len(folds[label]) < 2)
    )


def _listed(labels: Sequence[str]) -> str:
    more = len(labels) - MOST_NAMED
    return ", ".join(labels[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _given_folds(rows: Sequence[ManifestRow], groups: Positions) -> Folds:
    """Return the labels' own folds, with a note if copies are in several."""
    names, numbers = _numbered([row.fold for row in rows])
    crossing = np.flatnonzero((_count_different(groups, numbers) > 1)[groups])
    if not len(crossing):
        return Folds(names, numbers)
    example = rows[crossing[0]].path
    note = f"{len(crossing)} files have copies in other folds, as {example} has: these are not learnt from"
    return Folds(names, numbers, (note,))


def _new_folds(
    labels: Sequence[str], actual: Positions, groups: Positions, most_folds: int, seed: int
) -> Folds:
    """Return folds that have copies together, with each class spread evenly."""
    from sklearn.model_selection import StratifiedGroupKFold

    sizes = _count_different(actual, groups)
    smallest = int(np.argmin(sizes))
    count = int(min(most_folds, sizes[smallest]))
    # Shuffled here, since StratifiedGroupKFold(shuffle=True) forgets to stratify before scikit-learn 1.8.
    shuffled = np.random.default_rng(seed).permutation(groups.max() + 1)[groups]
    numbers = np.zeros_like(actual)
    for number, (_, held_out) in enumerate(StratifiedGroupKFold(count).split(actual, actual, shuffled)):
        numbers[held_out] = number
    names = tuple(str(number) for number in range(1, count + 1))
    if count == most_folds:
        return Folds(names, numbers)
    note = f"{count} folds rather than {most_folds}: class {labels[smallest]} has {count} different files"
    return Folds(names, numbers, (note,))


def _count_different(keys: Positions, values: Positions) -> Positions:
    """Return how many different values there are with each key."""
    pairs = np.unique(np.stack((keys, values)), axis=1)
    return np.bincount(pairs[0])

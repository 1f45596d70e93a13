"""Which files take part in an evaluation, and which of them are held out together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from l3embed.export.manifest import ManifestRow
from l3embed.progress import counted

Positions = npt.NDArray[np.intp]

MOST_NAMED = 10
"""Classes that one note names."""

MOST_LEFT_OUT = 0.1
"""Share of the files, in classes too small for the folds, that is left out rather than have fewer folds.

One class of two files would otherwise have all others learnt from half of their files.
"""


@dataclass(frozen=True)
class FoldOptions:
    """How files are put into folds.

    Parameters
    ----------
    most : int
        How many folds; fewer if too many classes do not have as many different files.
    min_class_files : int or None
        Different files that a class needs to take part, from 2 on; None: as many as there are folds.
    seed : int
        Which of the equally good folds.
    """

    most: int = 5
    min_class_files: int | None = None
    seed: int = 0


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


def split_files(rows: Sequence[ManifestRow], options: FoldOptions) -> Split | Unsplit:
    """Choose the files that can be evaluated, and put them into folds.

    Copies of one file are in one fold, and each class is spread evenly over the folds. Folds that come with
    the labels are used as they are, if every labelled file has one. Classes that are too small are left
    out: with fewer different files than folds, unless these were more than a tenth of all files.

    Parameters
    ----------
    rows : sequence of ManifestRow
        Inputs with embeddings in one modality.
    options : FoldOptions
        How many folds, and which.
    """
    labelled = [row for row in rows if row.label]
    if not labelled:
        return Unsplit("no labels" if rows else "no files")
    are_given, notes = _judge_folds([row.fold for row in labelled])
    if len(labelled) < len(rows):
        lacking = len(rows) - len(labelled)
        has = "has" if lacking == 1 else "have"
        notes = (f"{lacking:,} of {counted(len(rows), 'file')} {has} no label", *notes)
    minimum = max(2, options.min_class_files or (2 if are_given else _fold_count(labelled, options.most)))
    left_out = _small_classes(labelled, minimum, are_given)
    needed = f"{minimum} different files{' in two folds' if are_given else ''}"
    if left_out:
        notes += (f"left out, since a class needs {needed}: {_listed(left_out)}",)
    kept = np.flatnonzero(np.isin([row.label for row in rows], ["", *left_out], invert=True))
    chosen = [rows[number] for number in kept]
    labels, actual = _numbered([row.label for row in chosen])
    if len(labels) < 2:
        return Unsplit(f"fewer than two classes have {needed}", notes)
    groups = _grouped(chosen)
    folds = _given_folds(chosen, groups) if are_given else _new_folds(labels, actual, groups, options)
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


def _fold_count(rows: Sequence[ManifestRow], most: int) -> int:
    """Return how many folds there can be if two classes, and nearly all files, are to be left for them."""
    files = Counter(row.label for row in rows)
    different = _different_files(rows)
    for count in range(most, 2, -1):
        kept = [label for label, contents in different.items() if len(contents) >= count]
        if len(kept) >= 2 and sum(files[label] for label in kept) >= (1 - MOST_LEFT_OUT) * len(rows):
            return count
    return 2


def _different_files(rows: Sequence[ManifestRow]) -> dict[str, set[str]]:
    """Return what each class has, copies once."""
    files = defaultdict(set)
    for row in rows:
        files[row.label].add(_identity(row))
    return files


def _small_classes(rows: Sequence[ManifestRow], minimum: int, are_folds_given: bool) -> tuple[str, ...]:
    """Return the classes that have too few files, or can't be both learnt and held out."""
    folds = defaultdict(set)
    for row in rows:
        folds[row.label].add(row.fold)
    return tuple(
        label
        for label, files in sorted(_different_files(rows).items())
        if len(files) < minimum or (are_folds_given and len(folds[label]) < 2)
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
    files = counted(len(crossing), "file has", "files have")
    note = f"{files} copies in other folds, as {example} has: these are not learnt from"
    return Folds(names, numbers, (note,))


def _new_folds(labels: Sequence[str], actual: Positions, groups: Positions, options: FoldOptions) -> Folds:
    """Return folds that have copies together, with each class spread evenly."""
    from sklearn.model_selection import StratifiedGroupKFold

    sizes = _count_different(actual, groups)
    smallest = int(np.argmin(sizes))
    count = int(min(options.most, sizes[smallest]))
    # Shuffled here, since StratifiedGroupKFold(shuffle=True) forgets to stratify before scikit-learn 1.8.
    shuffled = np.random.default_rng(options.seed).permutation(groups.max() + 1)[groups]
    numbers = np.zeros_like(actual)
    for number, (_, held_out) in enumerate(StratifiedGroupKFold(count).split(actual, actual, shuffled)):
        numbers[held_out] = number
    names = tuple(str(number) for number in range(1, count + 1))
    if count == options.most:
        return Folds(names, numbers)
    note = f"{count} folds rather than {options.most}: class {labels[smallest]} has {count} different files"
    return Folds(names, numbers, (note,))


def _count_different(keys: Positions, values: Positions) -> Positions:
    """Return how many different values there are with each key."""
    pairs = np.unique(np.stack((keys, values)), axis=1)
    return np.bincount(pairs[0])

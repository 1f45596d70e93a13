"""What copies tell of the labels."""

from __future__ import annotations

import numpy as np

from l3embed.evaluation.folds import FoldOptions, Split, split_files
from l3embed.evaluation.mislabelled import notes_on_copies

from .exported import file_rows

LABELS = [*["dog"] * 6, *["cat"] * 6]


def notes(contents: list[int], mistaken: list[int]) -> list[str]:
    """Notes on files of two classes of six, of which the mistaken ones are taken for the other class."""
    rows = file_rows(LABELS, contents=contents)
    split = split_files(rows, FoldOptions())
    assert isinstance(split, Split)
    predicted = split.actual.copy()
    predicted[mistaken] = 1 - predicted[mistaken]
    return list(notes_on_copies(rows, split, np.asarray(predicted)))


def test_nothing_is_said_of_different_files() -> None:
    assert notes(list(range(12)), mistaken=[3]) == []


def test_copies_are_counted_with_an_example() -> None:
    found = notes([0, 0, 0, 3, 4, 5, 6, 6, 8, 9, 10, 11], mistaken=[])
    assert found == ["3 files are copies of others, as 001.wav is of 000.wav: copies are held out together"]


def test_conflicts_of_labels_are_named_with_the_mistakes_that_they_explain() -> None:
    # 000 and 006 are copies of two classes: both are taken for cats, which is one mistake; 009 is another.
    found = notes([0, 1, 2, 3, 4, 5, 0, 7, 8, 9, 10, 11], mistaken=[0, 9])
    assert found == [
        "1 file is a copy of another, as 006.wav is of 000.wav: copies are held out together",
        (
            "2 files have copies under other labels, as 000.wav (dog) and 006.wav (cat): "
            "that explains 1 of 2 mistakes of the linear probe"
        ),
    ]

"""Which files are held out together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from l3embed.evaluation.folds import FoldOptions, Split, Unsplit, split_files
from l3embed.export.manifest import ManifestRow

from .exported import file_rows

SIX_CLASSES = [f"class {number % 6}" for number in range(60)]


def split(rows: Sequence[ManifestRow], seed: int = 0, most_folds: int = 5) -> Split:
    found = split_files(rows, FoldOptions(most=most_folds, seed=seed))
    assert isinstance(found, Split)
    return found


def held_out_sets(found: Split) -> set[frozenset[int]]:
    return {frozenset(found.rows[held_out].tolist()) for _, held_out in found.parts()}


@pytest.mark.parametrize("seed", range(5))
def test_each_class_is_spread_evenly(seed: int) -> None:
    found = split(file_rows(SIX_CLASSES), seed=seed)
    for _, held_out in found.parts():
        assert np.bincount(found.actual[held_out], minlength=6).tolist() == [2] * 6


@pytest.mark.parametrize("seed", range(5))
def test_copies_are_never_on_both_sides_whatever_their_labels(seed: int) -> None:
    random = np.random.default_rng(seed)
    contents = random.integers(40, size=120).tolist()
    labels = [f"class {number}" for number in random.integers(3, size=120)]
    found = split(file_rows(labels, contents=contents))
    for learnt, held_out in found.parts():
        sides = [{contents[row] for row in found.rows[side]} for side in (learnt, held_out)]
        assert not sides[0] & sides[1]
    folds = dict(zip(contents, found.folds.numbers.tolist(), strict=True))
    assert found.folds.numbers.tolist() == [folds[content] for content in contents]


def test_each_file_is_held_out_once_and_learnt_from_otherwise() -> None:
    found = split(file_rows(SIX_CLASSES))
    held_out = np.concatenate([held_out for _, held_out in found.parts()])
    assert sorted(held_out) == list(range(60))
    assert all(len(learnt) == 48 for learnt, _ in found.parts())


def test_the_seed_decides_on_the_folds() -> None:
    assert held_out_sets(split(file_rows(SIX_CLASSES))) == held_out_sets(split(file_rows(SIX_CLASSES)))
    assert held_out_sets(split(file_rows(SIX_CLASSES))) != held_out_sets(
        split(file_rows(SIX_CLASSES), seed=1)
    )


def test_the_same_files_in_other_encodings_come_into_the_same_folds() -> None:
    labels = ["cat", "dog"] * 10
    others = [f"encoded anew {-number}" for number in range(20)]
    once, again = split(file_rows(labels)), split(file_rows(labels, contents=others))
    assert held_out_sets(once) == held_out_sets(again)


def test_there_are_no_more_folds_than_different_files_in_the_smallest_class() -> None:
    labels = [*["rare"] * 6, *["common"] * 20]
    contents = [0, 0, 0, 1, 1, 2, *range(10, 30)]
    found = split(file_rows(labels, contents=contents))
    assert found.folds.names == ("1", "2", "3")
    assert found.notes == ("3 folds rather than 5: class rare has 3 different files",)


def test_classes_of_one_file_are_left_out_by_name_however_often_it_was_copied() -> None:
    labels = [*["dog", "cat"] * 5, "alone", "copied", "copied"]
    contents = [*range(10), 10, 11, 11]
    found = split(file_rows(labels, contents=contents), most_folds=2)
    assert found.labels == ("cat", "dog")
    assert found.rows.tolist() == list(range(10))
    assert found.notes == ("left out, since a class needs 2 different files: alone, copied",)


def test_a_rare_class_does_not_set_the_folds_for_all() -> None:
    found = split(file_rows([*["dog", "cat"] * 20, "owl", "owl"]))
    assert found.labels == ("cat", "dog")
    assert len(found.folds.names) == 5
    assert found.notes == ("left out, since a class needs 5 different files: owl",)


def test_no_more_than_a_tenth_of_the_files_is_left_out_for_more_folds() -> None:
    found = split(file_rows([*["dog", "cat"] * 12, "owl", "owl", "owl"]))
    assert found.labels == ("cat", "dog", "owl")
    assert found.notes == ("3 folds rather than 5: class owl has 3 different files",)


def test_two_classes_remain_if_two_can() -> None:
    found = split(file_rows([*["dog"] * 50, "owl", "owl"]))
    assert found.labels == ("dog", "owl")


def test_how_many_files_a_class_needs_can_be_chosen() -> None:
    rows = file_rows([*["dog", "cat"] * 12, "owl", "owl", "owl"])
    found = split_files(rows, FoldOptions(min_class_files=4))
    assert isinstance(found, Split)
    assert found.labels == ("cat", "dog")
    assert found.notes == ("left out, since a class needs 4 different files: owl",)


def test_files_without_a_label_are_counted() -> None:
    found = split(file_rows([*["dog", "cat"] * 5, "", ""]))
    assert found.rows.tolist() == list(range(10))
    assert found.notes == ("2 of 12 files have no label",)


def test_only_some_of_many_left_out_classes_are_named() -> None:
    found = split(file_rows([*["dog", "cat"] * 5, *(f"class {number}" for number in range(20))]))
    assert found.notes[0].endswith("class 15, class 16, class 17 and 10 more")


@pytest.mark.parametrize(
    ("labels", "contents", "folds", "reason"),
    [
        pytest.param([], None, None, "no files", id="nothing"),
        pytest.param(["", ""], None, None, "no labels", id="no labels"),
        pytest.param(
            ["dog"] * 9, None, None, "fewer than two classes have 2 different files", id="one class"
        ),
        pytest.param(
            ["a", "b", "c"], None, None, "fewer than two classes have 2 different files", id="singles"
        ),
        pytest.param(
            ["a", "b"] * 4,
            [0] * 8,
            None,
            "fewer than two classes have 2 different files",
            id="copies of one",
        ),
        pytest.param(
            ["a", "a", "b", "b"],
            None,
            [*"1122"],
            "fewer than two classes have 2 different files in two folds",
            id="folds",
        ),
        pytest.param(
            ["a", "a", "b", "b"] * 2,
            [0, 1, 2, 3] * 2,
            [*"11112222"],
            "one fold has copies of all other files, so nothing is left to learn from",
            id="folds of copies",
        ),
    ],
)
def test_there_is_a_reason_if_nothing_can_be_evaluated(
    labels: list[str], contents: list[object] | None, folds: list[str] | None, reason: str
) -> None:
    found = split_files(file_rows(labels, contents=contents, folds=folds), FoldOptions())
    assert isinstance(found, Unsplit)
    assert found.reason == reason


def test_the_labels_folds_are_used_as_they_are() -> None:
    folds = ["train", "train", "test", "test", "more", "more"]
    found = split(file_rows(["dog", "cat"] * 3, folds=folds))
    assert found.folds.names == ("more", "test", "train")
    assert held_out_sets(found) == {frozenset({0, 1}), frozenset({2, 3}), frozenset({4, 5})}
    assert found.notes == ()


@pytest.mark.parametrize(
    ("folds", "note"),
    [
        (["1", "2", "", "2"] * 5, "the labels' folds are not used: 5 of 20 labelled files have none"),
        (["A"] * 20, "the labels' folds are not used: all files are in fold A"),
    ],
    ids=["some missing", "only one"],
)
def test_folds_that_cannot_be_used_are_not(folds: list[str], note: str) -> None:
    found = split(file_rows(["dog", "cat"] * 10, folds=folds))
    assert found.folds.names == ("1", "2", "3", "4", "5")
    assert found.notes == (note,)


def test_folds_of_files_without_a_label_do_not_matter() -> None:
    found = split(file_rows([*["dog", "cat"] * 2, ""], folds=["x", "x", "y", "y", ""]))
    assert found.folds.names == ("x", "y")


def test_a_class_in_one_of_the_labels_folds_is_left_out() -> None:
    found = split(file_rows(["dog", "cat", "dog", "cat", "owl", "owl"], folds=["1", "1", "2", "2", "2", "2"]))
    assert found.notes == ("left out, since a class needs 2 different files in two folds: owl",)


def test_a_copy_in_another_of_the_labels_folds_is_not_learnt_from() -> None:
    found = split(
        file_rows(["dog", "dog", "cat", "dog", "cat", "cat"], contents=[0, 1, 2, 0, 3, 4], folds=[*"111222"])
    )
    parts = [(learnt.tolist(), held_out.tolist()) for learnt, held_out in found.parts()]
    assert parts == [([4, 5], [0, 1, 2]), ([1, 2], [3, 4, 5])]
    assert found.notes == ("2 files have copies in other folds, as 000.wav has: these are not learnt from",)


def test_files_whose_bytes_are_unknown_are_different_files() -> None:
    found = split([replace(row, sha256="") for row in file_rows(["dog", "cat"] * 5)])
    assert len(found.folds.names) == 5

"""The one loop over inputs: what is found, computed, left to others and let go of."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from l3embed.disk.folders import FolderError
from l3embed.errors import OpenL3Error
from l3embed.store.claims import Claims
from l3embed.store.entries import Entry, Store
from l3embed.store.recipe import Recipe, Step
from l3embed.store.reuse import Computed, Outcome, resolve

TAKE = """
import sys
from pathlib import Path
from l3embed.store.claims import Claims
print(*[Claims(Path(sys.argv[1])).take(key) for key in sys.argv[2:]])
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as store:
        yield store


def recipe_of(content: str) -> Recipe:
    return Recipe(Step.POOL, content, {}, "code", "packages")


def put(store: Store, recipe: Recipe) -> Entry:
    return store.put(recipe, [], {"of": recipe.sha256})


class Computing:
    """Computes what it is given, and remembers what that was; faults come from inputs called bad."""

    def __init__(self, store: Store, recipes: dict[str, Recipe]) -> None:
        self.store, self.recipes = store, recipes
        self.keys: list[str] = []

    def __call__(self, keys: Iterator[str]) -> Iterator[Computed[str]]:
        for key in keys:
            self.keys.append(key)
            if key.startswith("bad"):
                yield key, OpenL3Error("It is bad.")
            else:
                yield key, put(self.store, self.recipes[key])


def run(store: Store, recipes: dict[str, Recipe]) -> tuple[list[Outcome[str]], list[str]]:
    computing = Computing(store, recipes)
    return list(resolve(store, recipes, computing)), computing.keys


def told(outcomes: list[Outcome[str]]) -> dict[str, tuple[str, bool]]:
    """What became of each key: of which input its result is, and whether it was computed."""
    return {
        outcome.key: (
            str(outcome.result) if isinstance(outcome.result, OpenL3Error) else outcome.result.facts["of"],
            outcome.was_computed,
        )
        for outcome in outcomes
    }


def taken_by_another_process(store: Store, *keys: str) -> list[str]:
    """Which keys another process can have."""
    command = [sys.executable, "-c", TAKE, str(store.folder / "claims.lock"), *keys]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_nothing_is_made_of_nothing(store: Store) -> None:
    assert run(store, {}) == ([], [])


def test_what_is_missing_is_computed_and_the_rest_found(store: Store) -> None:
    recipes = {key: recipe_of(key) for key in "abc"}
    put(store, recipes["b"])
    outcomes, computed = run(store, recipes)
    assert computed == ["a", "c"]
    assert told(outcomes) == {"a": ("a", True), "b": ("b", False), "c": ("c", True)}


def test_what_is_done_is_let_go_of_at_once(store: Store) -> None:
    recipes = {key: recipe_of(key) for key in "ab"}
    outcomes = resolve(store, recipes, Computing(store, recipes))
    next(outcomes)
    assert taken_by_another_process(store, recipes["a"].key) == ["True"]


def test_equal_recipes_are_computed_once(store: Store) -> None:
    outcomes, computed = run(store, {"a": recipe_of("x"), "b": recipe_of("x"), "c": recipe_of("x")})
    assert computed == ["a"]
    assert told(outcomes) == {"a": ("x", True), "b": ("x", False), "c": ("x", False)}


def test_a_fault_is_an_outcome_and_no_result(store: Store) -> None:
    recipes = {key: recipe_of(key) for key in ("a", "bad", "c")}
    outcomes, _ = run(store, recipes)
    assert told(outcomes) == {"a": ("a", True), "bad": ("It is bad.", True), "c": ("c", True)}
    assert store.find(recipes["bad"]) is None


def test_every_equal_input_of_a_fault_fails(store: Store) -> None:
    outcomes, _ = run(store, {"bad 1": recipe_of("x"), "bad 2": recipe_of("x")})
    assert told(outcomes) == {"bad 1": ("It is bad.", True), "bad 2": ("It is bad.", True)}


def test_what_another_run_puts_there_between_looking_and_claiming_is_found(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes = {"a": recipe_of("a")}
    take: Callable[[Claims, str], bool] = Claims.take

    def take_late(claims: Claims, key: str) -> bool:
        put(store, recipes["a"])
        return take(claims, key)

    monkeypatch.setattr(Claims, "take", take_late)
    outcomes, computed = run(store, recipes)
    assert computed == []
    assert told(outcomes) == {"a": ("a", False)}
    assert taken_by_another_process(store, recipes["a"].key) == ["True"]


def test_what_is_being_computed_is_not_let_go_of(store: Store) -> None:
    recipes = {"a": recipe_of("a")}
    seen: list[str] = []

    def compute(keys: Iterator[str]) -> Iterator[Computed[str]]:
        for key in keys:
            seen.extend(taken_by_another_process(store, recipes[key].key))
            yield key, put(store, recipes[key])

    list(resolve(store, recipes, compute))
    assert seen == ["False"]


def test_a_run_that_ends_early_lets_go_of_all(store: Store) -> None:
    recipes = {key: recipe_of(key) for key in "abc"}

    def compute(keys: Iterator[str]) -> Iterator[Computed[str]]:
        all_keys = list(keys)
        assert taken_by_another_process(store, *(recipes[key].key for key in all_keys)) == ["False"] * 3
        raise OSError("The disk is full.")
        yield

    with pytest.raises(OSError, match="full"):
        list(resolve(store, recipes, compute))
    assert taken_by_another_process(store, *(recipe.key for recipe in recipes.values())) == ["True"] * 3


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EACCES], ids=errno.errorcode.get)
def test_a_lock_file_that_cannot_be_made_is_told_instead_of_waited_for(
    fault: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks like a lock that another run holds."""

    def refuse(self: Claims) -> int:
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(Claims, "_descriptor", refuse)
    with Store(tmp_path / "store") as store, pytest.raises(FolderError, match="set L3EMBED_STORE"):
        run(store, {"a": recipe_of("a")})

"""A store of its own for each test, and results to put into it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import child

from l3embed.store.entries import Entry, Store
from l3embed.store.recipe import Recipe, Step

FILE = "rows.npy"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the test's store lies."""
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with Store(folder) as store:
        yield store


def recipe_of(name: str, step: Step = Step.PREPROCESS, **parameters: Any) -> Recipe:
    return Recipe(step, sha256=name, parameters=parameters, code="code", packages="numpy 2.2.6")


Put = Callable[..., Entry]


@pytest.fixture
def put(store: Store) -> Put:
    """Put a result of one file into the store."""

    def put(recipe: Recipe, content: bytes = b"content", **facts: Any) -> Entry:
        store.path(recipe, FILE).write_bytes(content)
        return store.put(recipe, [FILE], facts)

    return put


@contextmanager
def another_process(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run Python in another process, to talk with it by lines."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with child(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())

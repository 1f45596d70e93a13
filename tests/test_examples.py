"""The examples in docstrings: every public function has one, and it does what it says."""

from __future__ import annotations

import doctest
import inspect
from collections.abc import Iterator
from dataclasses import is_dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import l3embed
from l3embed.export.manifest import ManifestRow, mean_path, write_manifest
from l3embed.sample import write_sample_dataset
from l3embed.search import Index
from l3embed.variants import Modality

FLAGS = doctest.NORMALIZE_WHITESPACE
FRAMES, DIMENSION = 4, 512


def public_callables() -> Iterator[tuple[str, Any]]:
    """Every function that the package shows, and every class that computes, by its name."""
    for name, place in (
        ("l3embed", l3embed),
        ("core", l3embed.core),
        ("models", l3embed.models),
        ("distances", l3embed.distances),
    ):
        for member in place.__all__:
            value = getattr(place, member)
            is_plain = inspect.ismodule(value) or not callable(value)
            if not is_plain and not (inspect.isclass(value) and _is_told(value)):
                yield f"{name}.{member}", value
    yield "OpenL3Transformer", import_module("l3embed.interfaces.sklearn").OpenL3Transformer
    yield "search.Index", Index
    yield "to_pandas", l3embed.load_export.__globals__["ExportedEmbeddings"].to_pandas


def _is_told(kind: type) -> bool:
    """Whether a class is one that computes nothing: exceptions, words, and what is known."""
    return issubclass(kind, (Exception, Enum)) or is_dataclass(kind)


PUBLIC = {id(value): (name, value) for name, value in public_callables()}
"""Once each: ``core`` and the package show the same functions."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample dataset, and an export of its sounds."""
    folder = tmp_path_factory.mktemp("examples")
    files = write_sample_dataset(folder / "sample")
    export = folder / "data" / "export"
    export.mkdir(parents=True)
    numbers = np.random.default_rng(0)
    sounds = sorted(
        path.relative_to(folder / "sample").as_posix()
        for path in files
        if path.suffix in (".wav", ".flac", ".ogg")
    )
    rows = []
    for path in sounds:
        output = f"{path.replace('/', '_')}.npz"
        embedding = numbers.normal(size=(FRAMES, DIMENSION)).astype(np.float32)
        np.savez(export / output, embedding=embedding, timestamps=0.5 * np.arange(FRAMES))
        facts: dict[str, Any] = {"frames": FRAMES, "dimension": DIMENSION, "duration_s": 2.0}
        rows.append(ManifestRow(path, "audio", path.split("/")[0], output=output, **facts))
    write_manifest(export, rows)
    np.save(mean_path(export, Modality.AUDIO), numbers.normal(size=(len(rows), DIMENSION)).astype(np.float32))
    return folder


def example_of(name: str, value: Any) -> doctest.DocTest:
    (found,) = doctest.DocTestFinder(recurse=False, exclude_empty=False).find(value, name, globs={})
    return found


@pytest.mark.parametrize(("name", "value"), PUBLIC.values(), ids=[name for name, _ in PUBLIC.values()])
def test_every_public_function_has_an_example_of_which_nothing_is_left_out(name: str, value: Any) -> None:
    examples = example_of(name, value).examples
    assert examples
    assert not any(doctest.SKIP in example.options for example in examples)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value"), PUBLIC.values(), ids=[name for name, _ in PUBLIC.values()])
def test_the_example_of_a_public_function_works(
    name: str, value: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    failed, tried = doctest.DocTestRunner(optionflags=FLAGS).run(example_of(name, value))
    assert not failed
    assert tried

"""Warnings tell the line that called l3embed, whatever lies between: its user can change no other."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import WriteWav, noise

import l3embed as openl3
from l3embed.errors import OpenL3Warning, warn
from l3embed.runtimes.ahead import Ahead

SILENCE = np.zeros(48_000)

CALLS: dict[str, Callable[[Any, str], Any]] = {
    "silent array": lambda model, path: openl3.get_audio_embedding(SILENCE, 48_000, model=model),
    "channels first": lambda model, path: openl3.get_audio_embedding(noise(1)[None], 48_000, model=model),
    "preprocessing": lambda model, path: openl3.preprocess_audio(SILENCE, 48_000),
    "short file": lambda model, path: openl3.process_audio_file(path, model=model, verbose=False),
    "list of files": lambda model, path: openl3.process_audio_file([path], model=model, overwrite=True),
    "black picture": lambda model, path: openl3.get_image_embedding(np.zeros((224, 224, 3)), model=model),
    "untrained weights": lambda model, path: openl3.models.load_audio_embedding_model(
        "mel128", "music", 512, weights="random:3"
    ),
}
"""Calls of the library, each with something odd."""


@pytest.fixture(scope="module")
def tiny_image_model() -> Any:
    import keras

    inputs = keras.Input((224, 224, 3))
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))


def told(act: Callable[[], object]) -> list[tuple[str, int]]:
    """The places that are told as those of warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        act()
    return [(one.filename, one.lineno) for one in caught if one.category is OpenL3Warning]


@pytest.mark.parametrize("name", CALLS)
def test_a_warning_points_at_the_callers_line(
    name: str, tiny_model: Any, tiny_image_model: Any, write_wav: WriteWav
) -> None:
    path = str(write_wav("brief.wav", seconds=0.4))
    call = CALLS[name]
    model = tiny_image_model if name == "black picture" else tiny_model

    places = told(lambda: call(model, path))

    first = call.__code__.co_firstlineno
    assert places
    assert {file for file, _ in places} == {__file__}
    assert {line - first for _, line in places} == {0}


def test_a_warning_of_a_users_thread_points_into_it(tiny_model: Any) -> None:
    def embed() -> None:
        openl3.get_audio_embedding(SILENCE, 48_000, model=tiny_model)

    def run() -> None:
        thread = threading.Thread(target=embed)
        thread.start()
        thread.join()

    assert told(run) == [(__file__, embed.__code__.co_firstlineno + 1)]


def test_what_a_thread_of_l3embeds_warns_of_is_told_to_whoever_takes_its_results() -> None:
    def items() -> Iterator[int]:
        warn("Something is odd.")
        yield 1
        warn("Something else is odd.")

    def take(ahead: Ahead[int]) -> list[int]:
        return list(ahead)

    def run() -> None:
        with Ahead(items(), 1, "test") as ahead:
            assert take(ahead) == [1]

    line = take.__code__.co_firstlineno + 1
    assert told(run) == [(__file__, line), (__file__, line)]


def test_the_same_line_is_told_of_once_by_default(tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            openl3.preprocess_audio(SILENCE, 48_000)
    assert len(caught) == 1

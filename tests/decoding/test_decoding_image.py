"""Image files read in several threads at once: what becomes of Python's warnings meanwhile."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from conftest import PATIENCE_S
from skimage.io import imsave

from l3embed.decoding.image import QUIET, read_image

READER = "PIL.Image"
"""A module whose warnings are hidden."""

ODDITY = "Something is odd."


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "noise.png"
    imsave(path, np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8), check_contrast=False)
    return path


def warn_as(module: str) -> None:
    """Warn as code of a module does."""
    exec(f"import warnings\nwarnings.warn({ODDITY!r})", {"__name__": module})


def shown_by_warn_as(shown: Iterable[warnings.WarningMessage]) -> list[str]:
    """Its warnings among those that were shown: there may be others, of files that nobody has closed."""
    return [str(warning.message) for warning in shown if str(warning.message) == ODDITY]


def overlapping(*inside: Callable[[], None]) -> None:
    """Enter in one thread after the other, be inside together, and leave in the same order."""
    all_inside = threading.Barrier(len(inside))
    turns = [threading.Event() for _ in inside]

    def read(number: int) -> None:
        with QUIET:
            all_inside.wait(PATIENCE_S)
            inside[number]()
            if number:
                assert turns[number - 1].wait(PATIENCE_S)
        turns[number].set()

    with ThreadPoolExecutor(len(inside)) as pool:
        list(pool.map(read, range(len(inside))))


def nothing() -> None:
    pass


def test_filters_are_as_they_were_when_the_last_thread_leaves() -> None:
    """Of threads that overlap, the first to enter also leaves first: each for itself would mix them up."""
    before = list(warnings.filters)

    overlapping(nothing, nothing, nothing)

    assert warnings.filters == before


def test_filters_are_as_they_were_after_many_threads_have_read_images(image: Path) -> None:
    before = list(warnings.filters)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read_image, [image] * 40))

    assert warnings.filters == before


def test_filters_are_as_they_were_after_an_image_that_cannot_be_read(tmp_path: Path) -> None:
    before = list(warnings.filters)
    path = tmp_path / "text.png"
    path.write_text("no image")

    with pytest.raises(Exception, match="could not be read as an image"):
        read_image(path)

    assert warnings.filters == before


def test_warnings_of_the_readers_are_hidden_in_every_thread() -> None:
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        overlapping(*[lambda: warn_as(READER)] * 3)

    assert shown_by_warn_as(shown) == []


def test_warnings_of_other_code_are_shown_meanwhile() -> None:
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        overlapping(lambda: warn_as("somebody.elses"), nothing)

    assert shown_by_warn_as(shown) == [ODDITY]


def test_warnings_of_the_readers_are_shown_outside() -> None:
    overlapping(nothing)

    with pytest.warns(UserWarning, match=ODDITY):
        warn_as(READER)

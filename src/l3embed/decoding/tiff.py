"""TIFF pages that Pillow lacks or would round, read by tifffile: 16-bit colours and wider numbers."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error

SUBFILE_TYPE_TAG, BITS_TAG, SAMPLES_TAG, SAMPLE_FORMAT_TAG, ORIENTATION_TAG = 254, 258, 277, 339, 274

REDUCED_COPY = 0x01
"""Flag of the subfile type: the page is a small copy of another."""

UNSIGNED = 1
"""The sample format of unsigned integers, the default."""

BYTE_BITS, MOST_GREY_BITS = 8, 16
"""What Pillow keeps of unsigned samples: bytes, and 16 bits of grey."""

WIDE_BITS = (8, 16, 32, 64)
MIN_IS_BLACK, RGB = 1, 2
CHANNELS = {MIN_IS_BLACK: (1, 2), RGB: (3, 4)}
"""Samples of a pixel, the last one of two or four being alpha, by the photometric interpretation."""

MAGIC_NUMBERS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def is_tiff(path: Path) -> bool:
    """Tell whether a file begins as a TIFF."""
    with path.open("rb") as file:
        return file.read(4) in MAGIC_NUMBERS


def is_wide(tags: Mapping[int, Any]) -> bool:
    """Tell whether Pillow would lose bits of a page, or take them for others."""
    bits = max(tags.get(BITS_TAG, (1,)))
    formats = tags.get(SAMPLE_FORMAT_TAG, (UNSIGNED,))
    most = MOST_GREY_BITS if tags.get(SAMPLES_TAG, 1) == 1 else BYTE_BITS
    return bits > most or any(kind != UNSIGNED for kind in formats)


def count_pages(path: Path) -> int:
    """Return how many pages a file has."""
    with _opened(path) as file:
        return len(file.pages)


class WidePage:
    """One page of numbers that are kept as they are.

    Raises
    ------
    OpenL3Error
        If it is neither grey nor RGB. Nothing is read before that is known: what a damaged file declares
        might keep tifffile busy for minutes.
    """

    def __init__(self, page: Any) -> None:
        samples = page.samplesperpixel
        if page.dtype is None or page.bitspersample not in WIDE_BITS or page.imagedepth != 1:
            raise OpenL3Error(
                "It could not be read as an image: samples must have 8, 16, 32 or 64 bits; it has "
                f"{page.bitspersample}."
            )
        if samples not in CHANNELS.get(page.photometric, ()):
            raise OpenL3Error(
                f"It is neither grey nor RGB: it has {samples} samples a pixel, of the kind "
                f"{getattr(page.photometric, 'name', page.photometric)}."
            )
        self._page = page
        self.size = page.imagewidth, page.imagelength
        self.orientation = page.tags.valueof(ORIENTATION_TAG, 1)
        self.is_reduced_copy = bool(page.subfiletype & REDUCED_COPY)

    def pixels(self) -> npt.NDArray[Any]:
        """Read it, ``(height, width, channels)``."""
        width, height = self.size
        pixels = np.asarray(self._page.asarray()).reshape(-1)
        samples = self._page.samplesperpixel
        if self._page.planarconfig == 1:
            return pixels.reshape(height, width, samples)
        return np.moveaxis(pixels.reshape(samples, height, width), 0, -1)


@contextmanager
def open_page(path: Path, number: int) -> Iterator[WidePage]:
    """Open one page of a file."""
    with _opened(path) as file:
        yield WidePage(file.pages[number])


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import tifffile

    tifffile.logger().addFilter(_is_others)
    thread = get_ident()
    _reading.add(thread)
    try:
        with tifffile.TiffFile(path) as file:
            yield file
    finally:
        _reading.discard(thread)


_reading: set[int] = set()
"""Threads that read a file here: what becomes of it is said elsewhere, and needs not be logged."""


def _is_others(record: logging.LogRecord) -> bool:
    return record.thread not in _reading

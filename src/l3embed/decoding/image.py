"""Image files to RGB arrays, read by Pillow, and by tifffile where Pillow would lose bits of a TIFF."""

from __future__ import annotations

import os
import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.decoding import tiff
from l3embed.decoding.checks import check_present
from l3embed.decoding.reading import AS_OPENL3, Reading
from l3embed.errors import OpenL3Error, source_faults

SUFFIXES = frozenset(
    (
        *(".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm"),
        *(".tga", ".tif", ".tiff", ".webp"),
    )
)
"""Endings by which images are picked out of a folder."""

WARNING_MODULES = r"(PIL|tifffile)\b"

PROGRAM_FORMATS = {"EPS"}
"""Formats that Pillow would have another program read, which a file may tell what to do."""

PAGED_FORMATS = {"AVIF", "GIF", "PNG", "TIFF", "WEBP"}
"""Formats whose further pages are images of their own: those of others are previews, masks and depths."""

GREY_BYTES = ("1", "L", "LA", "La")
GREY_16_BIT = ("I;16", "I;16L", "I;16B", "I;16N")
GREY_NUMBERS = ("I", "F")
"""Pillow's modes that are grey; all others are made RGB by Pillow."""

LARGEST_16_BIT = 0xFFFF
RGB_CHANNELS = 3
UPRIGHT = 1

Image = npt.NDArray[Any]

TURNS: dict[int, Callable[[Image], Image]] = {
    2: lambda page: page[:, ::-1],
    3: lambda page: page[::-1, ::-1],
    4: lambda page: page[::-1],
    5: lambda page: page.swapaxes(0, 1),
    6: lambda page: np.rot90(page, -1),
    7: lambda page: page[::-1, ::-1].swapaxes(0, 1),
    8: lambda page: np.rot90(page),
}
"""What turns a picture upright, by its EXIF orientation."""

TURNS_BACK = {**TURNS, 6: TURNS[8], 8: TURNS[6]}

BROKEN_EXIF = (SyntaxError, ValueError, KeyError, TypeError, IndexError, OSError, struct.error)
"""What Pillow raises over metadata that is damaged, and decides about no pixel otherwise."""


class _QuietReaders:
    """Hides warnings of the packages that read images, while any thread is reading one.

    Pillow warns of metadata that it does not understand, and has a limit of its own on a picture's size: what
    becomes of the file is said here. Python's filters and that limit belong to the process, so that threads
    that each put theirs back would leave them in disorder: the last one out does it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._readers = 0
        self._filters = warnings.catch_warnings()
        self._limit: int | None = None

    def __enter__(self) -> None:
        from PIL import Image as Pillow

        with self._lock:
            if not self._readers:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.filterwarnings("ignore", module=WARNING_MODULES)
                self._limit, Pillow.MAX_IMAGE_PIXELS = Pillow.MAX_IMAGE_PIXELS, None
            self._readers += 1

    def __exit__(self, *_: object) -> None:
        from PIL import Image as Pillow

        with self._lock:
            self._readers -= 1
            if not self._readers:
                Pillow.MAX_IMAGE_PIXELS = self._limit
                self._filters.__exit__(None, None, None)

    def start_anew(self) -> None:
        """Forget, in a forked process, its parent's readers, and the lock that one of them may have held."""
        self._lock = Lock()
        if self._readers:
            self._readers = 1
            self.__exit__()


QUIET = _QuietReaders()
if hasattr(os, "register_at_fork"):  # Windows cannot fork
    os.register_at_fork(after_in_child=QUIET.start_anew)


@dataclass(frozen=True)
class _Page:
    """One image as it was decoded, and how it stands: `is_upright` if its orientation has been obeyed."""

    image: Image
    orientation: int
    is_upright: bool = False


class ImageFile:
    """An open image file, with one image or several.

    Parameters
    ----------
    path : Path
        The file.
    picture : PIL.Image.Image or None
        The same, opened by Pillow; None if it is a TIFF that Pillow lacks.
    reading : Reading
        How it is to be read.

    Attributes
    ----------
    orientation : int
        As EXIF has it, of the image that was read last: 1 if that needs no turning.
    """

    def __init__(self, path: Path, picture: Any, reading: Reading) -> None:
        self._path = path
        self._picture = picture
        self._reading = reading
        self.orientation = UPRIGHT

    @property
    def is_paged(self) -> bool:
        """Whether it may hold several images."""
        if self._picture is None:
            return True
        return self._picture.format in PAGED_FORMATS and getattr(self._picture, "is_animated", False)

    def pages(self) -> Iterator[Image]:
        """Yield its images, ``(height, width, 3)``, from the first on; they may differ in size.

        An alpha channel is dropped, as in the reference, and grey is made RGB. TIFF's small copies of other
        pages are left out.

        Raises
        ------
        OpenL3Error
            If one is too large, or cannot be read to its end.
        """
        count = self._count()
        if not count:
            raise OpenL3Error("It could not be read as an image: it holds none, and may be cut short.")
        for number in range(count):
            with _reading_faults():
                page = self._wide_page(number) if self._picture is None else self._page(number)
            if page is not None:
                yield self._turned(page)

    def _count(self) -> int:
        if not self.is_paged:
            return 1
        with _reading_faults():
            return tiff.count_pages(self._path) if self._picture is None else int(self._picture.n_frames)

    def _page(self, number: int) -> _Page | None:
        picture = self._picture
        if self.is_paged:
            picture.seek(number)
        tags = dict(picture.tag_v2) if picture.format == "TIFF" else {}
        if tags and tiff.is_wide(tags):
            return self._wide_page(number)
        if number and tags.get(tiff.SUBFILE_TYPE_TAG, 0) & tiff.REDUCED_COPY:
            return None
        _check_size(picture.size, self._reading)
        image = _as_rgb(picture)
        if tags:  # Pillow turns these itself
            return _Page(image, tags.get(tiff.ORIENTATION_TAG, UPRIGHT), is_upright=True)
        return _Page(image, _exif_orientation(picture))

    def _wide_page(self, number: int) -> _Page | None:
        with tiff.open_page(self._path, number) as page:
            if number and page.is_reduced_copy:
                return None
            _check_size(page.size, self._reading)
            pixels = page.pixels()
            is_grey = pixels.shape[-1] < RGB_CHANNELS
            image = _grey(pixels[..., 0]) if is_grey else pixels[..., :RGB_CHANNELS]
            return _Page(image, page.orientation)

    def _turned(self, page: _Page) -> Image:
        self.orientation = page.orientation
        if page.orientation not in TURNS or page.is_upright is self._reading.exif_rotation:
            return page.image
        return (TURNS_BACK if page.is_upright else TURNS)[page.orientation](page.image)


@contextmanager
def open_image(path: Path, reading: Reading) -> Iterator[ImageFile]:
    """Open an image file.

    Raises
    ------
    OpenL3Error
        If there is no such file, or it is no image.
    """
    check_present(path)
    with _reading_faults():
        picture = _open_by_pillow(path)
    with picture or nullcontext():
        yield ImageFile(path, picture, reading)


def _open_by_pillow(path: Path) -> Any:
    """Return an open picture; None if it is a TIFF that Pillow lacks."""
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    try:
        return Pillow.open(path, formats=_formats())
    except UnidentifiedImageError as error:
        if tiff.is_tiff(path):
            return None
        raise OpenL3Error("It could not be read as an image: it is of no known format.") from error


def read_image(path: Path, reading: Reading = AS_OPENL3) -> Image:
    """Read the first image of a file, ``(height, width, 3)``, with the errors of `ImageFile.pages`."""
    with open_image(path, reading) as file:
        return next(file.pages())


@contextmanager
def _reading_faults() -> Iterator[None]:
    with QUIET, source_faults("It could not be read as an image", (OSError, SyntaxError)):
        yield


@cache
def _formats() -> list[str]:
    """Return the formats that Pillow itself reads."""
    from PIL import Image as Pillow

    Pillow.init()
    return [name for name in Pillow.ID if name not in PROGRAM_FORMATS]


def _check_size(size: tuple[int, int], reading: Reading) -> None:
    width, height = size
    if width * height > 1e6 * reading.max_megapixels:
        raise OpenL3Error(
            f"The picture has {width} x {height} pixels, {width * height / 1e6:.0f} megapixels; the limit is "
            f"max_megapixels={reading.max_megapixels:g}. Set it higher if the memory suffices."
        )


def _as_rgb(picture: Any) -> Image:
    """Decode a picture, and make it RGB by its mode."""
    if picture.mode in GREY_BYTES:
        return _grey(np.asarray(picture.convert("L")))
    if picture.mode in GREY_16_BIT:
        return _grey(np.asarray(picture).astype(np.uint16))
    if picture.mode in GREY_NUMBERS:
        numbers = np.asarray(picture)
        is_16_bit = picture.mode == "I" and numbers.min() >= 0 and numbers.max() <= LARGEST_16_BIT
        return _grey(numbers.astype(np.uint16) if is_16_bit else numbers)
    if picture.mode in ("RGB", "RGBA", "RGBX"):
        return np.asarray(picture)[..., :RGB_CHANNELS]
    return np.asarray(picture.convert("RGB"))


def _grey(image: Image) -> Image:
    return np.stack([image] * RGB_CHANNELS, axis=-1)


def _exif_orientation(picture: Any) -> int:
    """Return the orientation of a decoded picture: metadata that are damaged decide about no pixel."""
    with suppress(*BROKEN_EXIF):
        orientation = picture.getexif().get(tiff.ORIENTATION_TAG, UPRIGHT)
        return orientation if isinstance(orientation, int) else UPRIGHT
    return UPRIGHT

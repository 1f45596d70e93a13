"""The images of the sample dataset: crops of photographs that scikit-image brings along as files.

All may be used freely, as scikit-image states in the documentation of `skimage.data`. Brick and gravel
(CC0Textures), grass (linolafett), coffee (Rachel Michetti) and retina (Mikael Häggström) are dedicated to
the public by CC0; the Hubble eXtreme Deep Field is NASA's, and in the public domain. Brick, grass and
gravel are grey.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error
from l3embed.sample.item import OWNER_TAG

PHOTOGRAPHS = {
    "brick": "brick.png",
    "coffee": "coffee.png",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "hubble_deep_field": "hubble_deep_field.jpg",
    "retina": "retina.jpg",
}
"""Class of each photograph, and its file in scikit-image."""

FOLDER = "photographs"
CROPS_PER_CLASS = 4

SMALLEST_PIXELS = 224
"""Shortest side of a crop: what the image network takes in. The smallest photograph is 400 pixels high."""

REACH_PIXELS = 320
"""How far from the middle of a photograph the crops reach: the corners of the retina's are black."""

STREAM = 100
"""Keeps the chance that crops are made by apart from that of the clips, whose classes count from 0."""

JPEG_QUALITY = 90


@dataclass(frozen=True)
class Crop:
    """One image of the dataset: the class and the number within it (from 1), which is its quarter."""

    label: str
    number: int

    @property
    def path(self) -> Path:
        """Where the image lies within the dataset."""
        suffix = "png" if self.number % 2 else "jpg"  # both in each class: no format tells a class
        return Path(FOLDER, self.label, f"{self.label}_{self.number:02d}.{suffix}")

    def renewed(self, earlier: bytes | None, seed: int) -> bytes:
        """Return the image's file: the earlier one, if it holds the same pixels in the same format."""
        content = self._encode(seed)
        # Bytes do not compare: how well a PNG is compressed differs from one zlib to the next.
        return earlier if earlier is not None and _same_picture(earlier, content) else content

    def is_own(self, path: Path) -> bool:
        """Tell whether an image says that the sample dataset made it."""
        from PIL import Image

        try:
            with Image.open(path) as image:
                return _comment(image) == OWNER_TAG
        except (OSError, SyntaxError, ValueError):
            return False

    def _encode(self, seed: int) -> bytes:
        from PIL import Image
        from PIL.PngImagePlugin import PngInfo

        image = Image.fromarray(crop_pixels(self, seed))
        buffer = io.BytesIO()
        if self.path.suffix == ".png":
            comment = PngInfo()
            comment.add_text("Comment", OWNER_TAG)
            image.save(buffer, "PNG", pnginfo=comment)
        else:
            image.save(buffer, "JPEG", quality=JPEG_QUALITY, comment=OWNER_TAG)
        return buffer.getvalue()


CROPS = tuple(Crop(label, number) for label in PHOTOGRAPHS for number in range(1, CROPS_PER_CLASS + 1))


def crop_pixels(crop: Crop, seed: int) -> npt.NDArray[np.uint8]:
    """Return the pixels of a crop, ``(height, width)`` if it is grey, or ``(height, width, 3)``."""
    photograph = read_photograph(crop.label)
    rng = np.random.default_rng([seed, STREAM + list(PHOTOGRAPHS).index(crop.label), crop.number])
    lower, right = divmod(crop.number - 1, 2)
    rows = _span(photograph.shape[0], bool(lower), rng)
    columns = _span(photograph.shape[1], bool(right), rng)
    return photograph[rows, columns]


@lru_cache(maxsize=1)  # the four crops of a photograph are cut one after the other
def read_photograph(label: str) -> npt.NDArray[np.uint8]:
    """Return the pixels of a photograph, ``(height, width)`` if it is grey, or ``(height, width, 3)``.

    Raises
    ------
    OpenL3Error
        If scikit-image does not bring it along.
    """
    from PIL import Image

    # Not by skimage.data's functions: they would look for a photograph that is missing on the network.
    try:
        with (files("skimage.data") / PHOTOGRAPHS[label]).open("rb") as file:
            return np.asarray(Image.open(file))
    except FileNotFoundError as error:
        raise OpenL3Error(
            f"This scikit-image lacks its photograph {PHOTOGRAPHS[label]}. "
            "Install it from its wheel: pip install --force-reinstall scikit-image"
        ) from error


def _span(length: int, is_second: bool, rng: np.random.Generator) -> slice:
    """Choose the rows, or the columns, of a crop in the first or the second half of a photograph.

    Crops overlap only where half a photograph is shorter than a crop may be.
    """
    middle = length // 2
    reach = min(middle, REACH_PIXELS)
    size = int(rng.integers(SMALLEST_PIXELS, max(reach, SMALLEST_PIXELS), endpoint=True))
    first = middle if is_second else middle - reach
    start = first + int(rng.integers(max(reach - size, 0), endpoint=True))
    start = min(start, length - size)
    return slice(start, start + size)


def _same_picture(one: bytes, other: bytes) -> bool:
    """Tell whether two files hold the same pixels in the same format."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(one)) as left, Image.open(io.BytesIO(other)) as right:
            kinds = [(image.format, image.mode, _comment(image)) for image in (left, right)]
            return kinds[0] == kinds[1] and np.array_equal(np.asarray(left), np.asarray(right))
    except (OSError, SyntaxError, ValueError):
        return False


def _comment(image: Any) -> str:
    """Return the comment in an image: Pillow has a PNG's as text, a JPEG's as bytes."""
    comment = image.info.get("Comment", image.info.get("comment", ""))
    return comment.decode("utf-8", "replace") if isinstance(comment, bytes) else str(comment)

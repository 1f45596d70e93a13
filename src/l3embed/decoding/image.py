"""Image files to RGB arrays, read by scikit-image."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.decoding.checks import check_present
from l3embed.errors import OpenL3Error

SUFFIXES = frozenset(
    (
        *(".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm"),
        *(".tga", ".tif", ".tiff", ".webp"),
    )
)
"""Endings by which images are picked out of a folder."""

WARNING_MODULES = r"(PIL|imageio|skimage|tifffile)\b"

GREY_AND_ALPHA_CHANNELS = 2
RGB_CHANNELS = 3
RGB_AND_ALPHA_CHANNELS = 4


class _QuietReaders:
    """Hides warnings of the packages that read images, while any thread is reading one.

    Pillow warns of metadata that it does not understand, and imageio of readers that it tries on files that
    are no images: what becomes of the file is said here. Python's filters belong to the process, so that
    threads that each put theirs back would leave them in disorder: the last one out does it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._readers = 0
        self._filters = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if not self._readers:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.filterwarnings("ignore", module=WARNING_MODULES)
            self._readers += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._readers -= 1
            if not self._readers:
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


def read_image(path: Path) -> npt.NDArray[Any]:
    """Read an image file as an array ``(H, W, 3)``, or ``(N, H, W, 3)`` if it holds several images.

    An alpha channel is dropped, as in the reference, and grey is made RGB.

    Raises
    ------
    OpenL3Error
        If there is no such file, or it is no image that can be read to its end.
    """
    from skimage.io import imread

    check_present(path)
    try:
        with QUIET:
            image = np.asarray(imread(path))
    except (OSError, ValueError, SyntaxError, RuntimeError, TypeError, IndexError, EOFError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise OpenL3Error(f"It could not be read as an image: {reason}") from error
    return _as_rgb(image)


def _as_rgb(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    channels = image.shape[-1] if image.ndim > len(("height", "width")) else 0
    if image.ndim == len(("height", "width")):
        return np.stack([image] * RGB_CHANNELS, axis=-1)
    if channels in (1, GREY_AND_ALPHA_CHANNELS):
        return np.repeat(image[..., :1], RGB_CHANNELS, axis=-1)
    if channels in (RGB_CHANNELS, RGB_AND_ALPHA_CHANNELS):
        return image[..., :RGB_CHANNELS]
    raise OpenL3Error(f"It is neither grey nor RGB: its shape is {image.shape}.")

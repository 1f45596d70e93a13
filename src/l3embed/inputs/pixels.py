"""Images to the pixels that the image network looks at: crop, scale, and the reference's ranges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error
from l3embed.profiling import Phase, phase
from l3embed.variants import IMAGE_SIDE_PIXELS

SCALED_SIDE_PIXELS = 256
"""Length of the shorter side that larger images are scaled to, before their centre is cut out."""

RGB_CHANNELS = 3

BLOCK_IMAGES = 32
"""Images whose pixels are held at a time: 0.6 MB each."""

Images = npt.NDArray[Any]
Pixels = npt.NDArray[np.float32]


def check_images(images: Images) -> Images:
    """Check an image, ``(H, W, 3)``, or a sequence, ``(N, H, W, 3)``, and return it as a sequence.

    Raises
    ------
    OpenL3Error
        If it is empty, of another shape, not of real numbers, or smaller than 224 pixels at a side.
    """
    shape = images.shape
    if images.ndim not in (3, 4) or shape[-1] != RGB_CHANNELS:
        raise OpenL3Error(
            "An image must have shape (height, width, 3), a sequence (images, height, width, 3), red, green "
            f"and blue last; got {shape}. Make grey images RGB, and drop an alpha channel."
        )
    if not images.size:
        raise OpenL3Error(f"The image is empty: its shape is {shape}.")
    if not (np.issubdtype(images.dtype, np.number) or images.dtype == np.bool_) or np.iscomplexobj(images):
        raise OpenL3Error(f"An image must be an array of real numbers; got the type {images.dtype}.")
    height, width = shape[-3:-1]
    if min(height, width) < IMAGE_SIDE_PIXELS:
        raise OpenL3Error(
            f"An image must have at least {IMAGE_SIDE_PIXELS} x {IMAGE_SIDE_PIXELS} pixels; "
            f"got {height} x {width}. Scale it up first."
        )
    return images if images.ndim == len(("image", "height", "width", "channel")) else images[np.newaxis]


def preprocess_images(images: Images) -> Pixels:
    """Turn images into what the network takes in, ``(N, 224, 224, 3)``, exactly as the reference does.

    Images of 224 x 224 are taken whole. Others are scaled so that their shorter side is 256, if it is
    longer, and their centre is cut out. The range of the result depends on the way there, which the
    documentation of OpenL3 does not say ("[-1, 1]"), but all published figures were computed so:

    - scaled images: [0, 1], where bytes came in;
    - images of 224 x 224: [-1, 1], unsigned integers being stretched to it;
    - images that were only cropped keep their numbers;
    - and a sequence whose largest magnitude is above 1 is divided by it, as a whole.

    Parameters
    ----------
    images : np.ndarray [shape=(H, W, 3) or (N, H, W, 3)]
        Of any integer or float type. Signed integers are taken to have negative values.

    Raises
    ------
    OpenL3Error
        As `check_images`.
    """
    return np.concatenate(list(pixel_blocks(images)))


def pixel_blocks(images: Images) -> Iterator[Pixels]:
    """Do the same a block of images at a time: the pixels of a long sequence are never all held."""
    sequence = check_images(images)
    if len(sequence) <= BLOCK_IMAGES:  # as any image file's: computed once
        block = _unscaled_pixels(sequence)
        yield _divided(block, _largest(block))
        return
    starts = range(0, len(sequence), BLOCK_IMAGES)
    yield from sequence_pixels(lambda: (sequence[start : start + BLOCK_IMAGES] for start in starts))


def sequence_pixels(read: Callable[[], Iterable[Images]]) -> Iterator[Pixels]:
    """Do the same with a sequence that is read twice, since all of it is divided by its largest magnitude.

    Parameters
    ----------
    read : callable
        Returns its images from the first on, each ``(H, W, 3)``, or several of one size ``(n, H, W, 3)``.
    """
    largest = max(_largest(_unscaled_pixels(check_images(images))) for images in read())
    for images in read():
        yield _divided(_unscaled_pixels(check_images(images)), largest)


def _largest(pixels: Pixels) -> float:
    return max(float(pixels.max()), -float(pixels.min()))


def _divided(pixels: Pixels, largest: float) -> Pixels:
    return pixels / np.float32(largest) if largest > 1 else pixels


def _unscaled_pixels(sequence: Images) -> Pixels:
    """Crop, scale and convert images, whatever magnitudes that leaves."""
    with phase(Phase.FRONTEND):
        pixels = _converted(sequence)
    if not np.isfinite(pixels).all():
        raise OpenL3Error("An image must hold finite numbers; got NaN or infinite ones.")
    return pixels


def _converted(sequence: Images) -> Pixels:
    from skimage.util import img_as_float32

    is_whole = sequence.shape[1:3] == (IMAGE_SIDE_PIXELS, IMAGE_SIDE_PIXELS)
    if is_whole and np.issubdtype(sequence.dtype, np.unsignedinteger):
        stretched: Pixels = 2 * img_as_float32(sequence) - 1
        return stretched
    if is_whole:
        whole: Pixels = img_as_float32(sequence)
        return whole
    return np.stack([_scale_and_crop(image).astype(np.float32) for image in sequence])


def frame_pixels(read: Callable[[], Iterable[Images]]) -> Iterator[Pixels]:
    """Turn the frames of a video into what the network takes in, block by block.

    The reference divides all frames of a video by the largest value in any of them. That value is needed
    first, so the frames are read twice; but hardly any video goes without a byte of 255 for long.

    Parameters
    ----------
    read : callable
        Returns the frames from the beginning, in blocks ``(n, height, width, 3)`` of bytes.
    """
    largest = _largest_byte(read())
    divisor = np.float32(max(1, largest))
    for block in read():
        yield crop_centre(block).astype(np.float32) / divisor


def _largest_byte(blocks: Iterable[Images]) -> int:
    largest = 0
    for block in blocks:
        largest = max(largest, int(crop_centre(block).max()))
        if largest == np.iinfo(np.uint8).max:
            break
    return largest


def crop_centre(images: Images) -> Images:
    """Cut the centre 224 x 224 out of an image, or of several: ``(..., H, W, 3)``."""
    top, left = (side // 2 - IMAGE_SIDE_PIXELS // 2 for side in images.shape[-3:-1])
    return images[..., top : top + IMAGE_SIDE_PIXELS, left : left + IMAGE_SIDE_PIXELS, :]


def _scale_and_crop(image: Images) -> Images:
    """Scale an image whose shorter side is above 256 down to that, and cut out its centre."""
    shorter = min(image.shape[:2])
    if shorter <= SCALED_SIDE_PIXELS:
        return crop_centre(image)
    return _scale_centre(image, SCALED_SIDE_PIXELS / shorter)


def _scale_centre(image: Images, factor: float) -> npt.NDArray[np.float64]:
    """Scale an image down, and cut out its centre.

    This is ``skimage.transform.rescale(image, factor, order=1, anti_aliasing=False)`` to the bit, where it is
    cut out, and for a photograph seven times as fast.
    """
    rows, row_weights = _neighbours(image.shape[0], factor)
    columns, column_weights = _neighbours(image.shape[1], factor)
    used = image[:, columns[0] : columns[-1] + 2]
    scaled_rows = _between(used, rows, row_weights, axis=0)
    return _between(scaled_rows, columns - columns[0], column_weights, axis=1)


def _neighbours(side: int, factor: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the pixel before each pixel of a scaled side's centre, and how far it lies behind that one."""
    scaled = round(side * factor)
    first = scaled // 2 - IMAGE_SIDE_PIXELS // 2
    positions = (np.arange(first, first + IMAGE_SIDE_PIXELS) + 0.5) * (side / scaled) - 0.5
    before = np.clip(np.floor(positions).astype(np.int64), 0, side - 2)
    return before, positions - before


def _between(
    pixels: Images, before: npt.NDArray[np.int64], weights: npt.NDArray[np.float64], axis: int
) -> npt.NDArray[np.float64]:
    """Interpolate between pixels and their next ones along an axis; no others are made floating point."""
    from skimage.util import img_as_float64

    shape = [1, 1, 1]
    shape[axis] = len(weights)
    first = img_as_float64(pixels.take(before, axis))
    result: npt.NDArray[np.float64] = img_as_float64(pixels.take(before + 1, axis))
    result -= first
    result *= weights.reshape(shape)
    result += first
    return result

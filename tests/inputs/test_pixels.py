"""Images to the network's pixels: sizes, types, and the ranges that the reference leaves them in."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from l3embed import OpenL3Error
from l3embed.inputs.pixels import BLOCK_IMAGES, preprocess_images


def gradient(height: int, width: int, dtype: Any = np.uint8, largest: float = 255) -> npt.NDArray[Any]:
    """Rising from 0 at the top left to `largest` at the bottom right, in all three channels."""
    rows, columns = np.mgrid[0:height, 0:width]
    values = (rows + columns) / (height + width - 2) * largest
    return np.repeat(values[..., np.newaxis], 3, axis=-1).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64])
def test_unsigned_images_of_the_network_s_size_are_stretched_to_minus_one_to_one(dtype: Any) -> None:
    image = gradient(224, 224, dtype, largest=float(np.iinfo(dtype).max // 2))

    pixels = preprocess_images(image)

    expected = 2 * (image.astype(float) / np.iinfo(dtype).max) - 1
    np.testing.assert_allclose(pixels[0], expected, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64])
def test_signed_images_keep_their_sign(dtype: Any) -> None:
    image = np.full((224, 224, 3), np.iinfo(dtype).min // 2, dtype)

    np.testing.assert_allclose(preprocess_images(image), -0.5, atol=0.01)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_in_range_stay_as_they_are(dtype: Any) -> None:
    image = gradient(224, 224, dtype, largest=1.0) - dtype(0.5)

    np.testing.assert_allclose(preprocess_images(image)[0], image, atol=1e-6)


def test_floats_beyond_one_are_divided_by_the_largest() -> None:
    image = gradient(224, 224, np.float64, largest=255.0)

    np.testing.assert_allclose(preprocess_images(image)[0], image / 255.0, atol=1e-6)


def test_a_scaled_image_is_in_zero_to_one() -> None:
    pixels = preprocess_images(gradient(512, 512))

    # Not [-1, 1], as the documentation of OpenL3 has it: the reference leaves scaled bytes as they are.
    assert pixels.min() == pytest.approx(16 / 255, abs=0.01)
    assert pixels.max() == pytest.approx(1 - 16 / 255, abs=0.01)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
@pytest.mark.parametrize(
    "size", [(480, 640), (640, 480), (257, 257), (257, 400), (1081, 1920), (259, 999)], ids=str
)
def test_scaling_is_scikit_image_s(size: tuple[int, int], dtype: Any) -> None:
    from skimage.transform import rescale

    values = np.random.default_rng(0).random((*size, 3))
    image = (values * 255).astype(dtype) if np.issubdtype(dtype, np.integer) else values.astype(dtype)
    scaled = rescale(image, 256 / min(size), order=1, anti_aliasing=False, channel_axis=-1)
    top, left = (side // 2 - 112 for side in scaled.shape[:2])

    expected = scaled[top : top + 224, left : left + 224].astype(np.float32)
    np.testing.assert_array_equal(preprocess_images(image)[0], expected)


def test_the_centre_of_a_cropped_image_is_kept() -> None:
    image = np.zeros((240, 250, 3), np.uint8)
    image[8:232, 13:237] = 255

    np.testing.assert_array_equal(preprocess_images(image), np.ones((1, 224, 224, 3), np.float32))


def test_a_sequence_is_divided_by_the_largest_of_all_its_images() -> None:
    dark, bright = np.full((240, 240, 3), 50, np.uint8), np.full((240, 240, 3), 200, np.uint8)

    pixels = preprocess_images(np.stack([dark] * BLOCK_IMAGES + [bright]))

    np.testing.assert_allclose(pixels[0], 50 / 200, atol=1e-6)
    np.testing.assert_allclose(pixels[-1], 1.0)


def test_a_long_side_does_not_distort_the_image() -> None:
    image = gradient(300, 900)

    pixels = preprocess_images(image)[0, ..., 0]

    # Rows and columns of the scene rise alike, so those of the cut-out do too.
    assert np.diff(pixels[112]).mean() == pytest.approx(np.diff(pixels[:, 112]).mean(), rel=0.05)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((300, 300)), r"shape \(height, width, 3\).*got \(300, 300\)"),
        (np.zeros((300, 300, 4), np.uint8), "got .300, 300, 4.*alpha"),
        (np.zeros((300, 300, 1), np.uint8), "got .300, 300, 1.*grey"),
        (np.zeros((0, 300, 300, 3)), "empty"),
        (np.zeros((200, 300, 3)), "224 x 224 pixels; got 200 x 300"),
        (np.zeros((300, 300, 3), complex), "real numbers; got the type complex128"),
        (np.full((224, 224, 3), np.nan), "finite"),
    ],
    ids=["two dimensions", "alpha", "grey", "empty", "too small", "complex", "NaN"],
)
def test_what_is_no_rgb_image_is_an_error(image: npt.NDArray[Any], message: str) -> None:
    with pytest.raises(OpenL3Error, match=message):
        preprocess_images(image)

"""Image files to RGB by their modes, pages and orientation; and Python's warnings while threads read them."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from conftest import PATIENCE_S
from PIL import Image, ImageOps
from skimage.io import imsave

from l3embed.decoding.image import QUIET, open_image, read_image
from l3embed.decoding.reading import AS_OPENL3, Reading
from l3embed.errors import OpenL3Error

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


HEIGHT, WIDTH = 60, 80


def gradient() -> npt.NDArray[np.uint8]:
    """A picture whose corners, rows and columns differ, ``(60, 80, 3)``."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([3 * x, 4 * y, 255 - x - y], axis=-1).astype(np.uint8)


def pages_of(path: Path, reading: Reading = AS_OPENL3) -> list[npt.NDArray[Any]]:
    with open_image(path, reading) as file:
        return list(file.pages())


MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"]
ENDINGS = {"1": "png", "LA": "png", "P": "gif", "PA": "tif", "RGBA": "webp", "CMYK": "jpg", "YCbCr": "jpg"}


@pytest.mark.parametrize("mode", MODES)
def test_a_picture_of_any_mode_is_what_pillow_makes_rgb_of(mode: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ENDINGS.get(mode, 'png')}"
    options: dict[str, Any] = {"lossless": True} if path.suffix == ".webp" else {}
    Image.fromarray(gradient()).convert(mode).save(path, **options)
    with Image.open(path) as picture:
        expected = np.asarray(picture.convert("RGB"))
    (page,) = pages_of(path)
    np.testing.assert_array_equal(page, expected)
    assert page.dtype == np.uint8


def sixteen_bits() -> npt.NDArray[np.uint16]:
    return gradient()[..., 0].astype(np.uint16) * 257 + 1


@pytest.mark.parametrize("ending", ["png", "tif", "pgm"])
def test_16_bits_of_grey_are_kept(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    if ending == "pgm":
        path.write_bytes(b"P5\n80 60\n65535\n" + sixteen_bits().astype(">u2").tobytes())
    else:
        Image.fromarray(sixteen_bits()).save(path)
    (page,) = pages_of(path)
    assert page.dtype == np.uint16
    np.testing.assert_array_equal(page, np.stack([sixteen_bits()] * 3, axis=-1))


WIDE = [
    pytest.param(np.uint16, (HEIGHT, WIDTH, 3), id="16-bit colours"),
    pytest.param(np.float32, (HEIGHT, WIDTH, 3), id="float colours"),
    pytest.param(np.float32, (HEIGHT, WIDTH), id="float grey"),
    pytest.param(np.uint32, (HEIGHT, WIDTH), id="32-bit grey"),
    pytest.param(np.int16, (HEIGHT, WIDTH), id="signed grey"),
]


@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize(("dtype", "shape"), WIDE)
def test_a_tiff_of_wide_numbers_keeps_them(
    dtype: type[np.generic], shape: tuple[int, ...], planes: Any, tmp_path: Path
) -> None:
    numbers = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    colours = len(shape) == len(("height", "width", "channel"))
    stored = np.moveaxis(numbers, -1, 0) if colours and planes == "separate" else numbers
    photometric: Any = "rgb" if colours else "minisblack"
    planar = planes if colours else None
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric=photometric, planarconfig=planar)
    (page,) = pages_of(tmp_path / "a.tif")
    assert page.dtype == dtype
    np.testing.assert_array_equal(page, numbers if colours else np.stack([numbers] * 3, axis=-1))


@pytest.mark.parametrize("ending", ["gif", "png", "tif", "webp"])
def test_several_pages_are_several_images(ending: str, tmp_path: Path) -> None:
    turned = [Image.fromarray(np.roll(gradient(), 20 * shift, axis=1)) for shift in range(3)]
    path = tmp_path / f"a.{ending}"
    options: dict[str, Any] = {"lossless": True} if ending == "webp" else {}
    turned[0].save(path, save_all=True, append_images=turned[1:], **options)
    pages = pages_of(path)
    tolerance = 40 if ending == "gif" else 0  # of 256 colours
    assert len(pages) == 3
    for page, expected in zip(pages, turned, strict=True):
        np.testing.assert_allclose(page.astype(int), np.asarray(expected).astype(int), atol=tolerance)


def test_grey_pages_are_no_channels(tmp_path: Path) -> None:
    grey = [Image.fromarray(gradient()[..., channel]) for channel in range(3)]
    grey[0].save(tmp_path / "a.tif", save_all=True, append_images=grey[1:])
    pages = pages_of(tmp_path / "a.tif")
    assert [page.shape for page in pages] == [(HEIGHT, WIDTH, 3)] * 3
    np.testing.assert_array_equal(pages[1], np.stack([gradient()[..., 1]] * 3, axis=-1))


def test_a_tiff_s_small_copies_are_no_images(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(gradient(), photometric="rgb")
        file.write(gradient()[::4, ::4], photometric="rgb", subfiletype=1)
    assert [page.shape for page in pages_of(tmp_path / "a.tif")] == [(HEIGHT, WIDTH, 3)]


def test_a_camera_s_preview_is_no_second_image(tmp_path: Path) -> None:
    picture = Image.fromarray(gradient())
    picture.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[picture.resize((20, 15))])
    assert len(pages_of(tmp_path / "a.jpg")) == 1


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_only_when_asked_for(orientation: int, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(gradient()).save(path, exif=exif, quality=100, subsampling=0)
    stored = gradient()
    with Image.open(path) as picture:
        upright = np.asarray(ImageOps.exif_transpose(picture).convert("RGB")).astype(int)

    with open_image(path, AS_OPENL3) as file:
        (page,) = file.pages()
        assert file.orientation == orientation
    np.testing.assert_allclose(page.astype(int), stored.astype(int), atol=12)
    (page,) = pages_of(path, Reading(exif_rotation=True))
    np.testing.assert_allclose(page.astype(int), upright, atol=12)


def test_a_picture_above_the_limit_is_told_with_the_setting(tmp_path: Path) -> None:
    Image.new("1", (2000, 1100)).save(tmp_path / "a.png")
    with pytest.raises(OpenL3Error, match=r"2000 x 1100 pixels, 2 megapixels; .* max_megapixels=2\."):
        pages_of(tmp_path / "a.png", Reading(max_megapixels=2))
    assert len(pages_of(tmp_path / "a.png", Reading(max_megapixels=2.3))) == 1


def test_pillow_s_own_limit_is_as_it_was(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS
    Image.new("1", (14_000, 14_000)).save(tmp_path / "huge.png")
    (page,) = pages_of(tmp_path / "huge.png")
    assert page.shape == (14_000, 14_000, 3)
    assert before == Image.MAX_IMAGE_PIXELS


def test_a_jpeg_named_tif_is_read_by_what_it_is(tmp_path: Path) -> None:
    Image.fromarray(gradient()).save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").rename(tmp_path / "a.tif")
    assert pages_of(tmp_path / "a.tif")[0].shape == (HEIGHT, WIDTH, 3)


def half(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate"])
def test_a_cut_tiff_is_told(compression: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (300, 300, 3), np.uint8))
    picture.save(tmp_path / "a.tif", compression=compression)
    half(tmp_path / "a.tif")
    with pytest.raises(OpenL3Error, match="could not be read as an image"):
        pages_of(tmp_path / "a.tif")


def test_damaged_metadata_cost_no_picture(tmp_path: Path) -> None:
    Image.fromarray(gradient()).save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    assert len(pages_of(tmp_path / "a.jpg")) == 1


def test_a_program_s_picture_starts_no_program(tmp_path: Path) -> None:
    """Pillow would have Ghostscript run what is in the file."""
    (tmp_path / "a.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 300 300\nshowpage\n")
    with pytest.raises(OpenL3Error, match="of no known format"):
        pages_of(tmp_path / "a.png")


def test_a_tiff_that_is_neither_grey_nor_rgb_is_told(tmp_path: Path) -> None:
    numbers = np.zeros((HEIGHT, WIDTH, 5), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", numbers, photometric="minisblack", planarconfig="contig")
    with pytest.raises(OpenL3Error, match="neither grey nor RGB: it has 5 samples a pixel"):
        pages_of(tmp_path / "a.tif")


def test_what_tifffile_says_of_a_damaged_file_is_not_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that Pillow lacks, whose first tag points behind its end."""
    numbers = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    tifffile.imwrite(tmp_path / "a.tif", numbers, photometric="rgb")
    content = bytearray((tmp_path / "a.tif").read_bytes())
    content[18:22] = b"\xff\xff\xff\x7f"
    content[12:14] = b"\xff\xff"
    (tmp_path / "a.tif").write_bytes(content)
    with suppress(OpenL3Error):
        pages_of(tmp_path / "a.tif")
    assert caplog.records == []

    with suppress(Exception), tifffile.TiffFile(tmp_path / "a.tif") as file:
        file.pages.first.asarray()
    assert caplog.records  # of whoever else reads it

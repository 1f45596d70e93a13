"""Products of a matrix of half floats, which may be mapped from a file, with a few vectors: on all cores.

NumPy turns half floats into floats one by one, which takes longer than reading them. Here whole blocks are
turned by three quick operations on integers, in a buffer that stays in the cache: the bits of a half float,
moved to their places in a float, are its number times 2**-112, since the two count their exponents from
different ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.runtimes.processor import available_threads

SCALE = 2.0**15
"""Directions are kept times this: their numbers, of at most 1, then use the whole range of half floats."""

BLOCK_NUMBERS = 1 << 18
"""Numbers that are turned at a time: 1 MB of floats, about what one core's cache holds."""

MANTISSA_SHIFT = 13
"""Bits that a float's fraction has more: 23 and 10."""

SIGN_AND_NUMBER = np.int32(-0x70000001)
"""0x8FFFFFFF: without the three copies of the sign that moving leaves behind it."""

EXPONENTS_APART = 2.0**112
"""A float's exponent counts from -127, a half float's from -15."""

Halves = npt.NDArray[np.float16]
Floats = npt.NDArray[np.float32]


def as_halves(units: Floats) -> Halves:
    """Return vectors whose numbers are at most 1 as half floats for `products`, in the same shape."""
    return (units * np.float32(SCALE)).astype(np.float16)


def products(matrix: Halves, vectors: Floats, threads: int = 0) -> Floats:
    """Return the products of vectors with all rows of a matrix, but for the rounding of these exact.

    Parameters
    ----------
    matrix : np.ndarray
        What `as_halves` has made, ``(N, D)``.
    vectors : np.ndarray
        Shape ``(k, D)``, with numbers of at most 1000.
    threads : int
        How many threads; 0: as many as this process may use.

    Returns
    -------
    np.ndarray
        Shape ``(k, N)``.
    """
    found = np.empty((len(vectors), len(matrix)), np.float32)
    raised = np.ascontiguousarray((vectors * np.float32(EXPONENTS_APART / SCALE)).T)
    count = available_threads(threads)
    bounds = np.linspace(0, len(matrix), count + 1).astype(int)
    with _single_threaded_products(), ThreadPoolExecutor(count) as pool:
        shares = [slice(start, stop) for start, stop in pairwise(bounds)]
        done = [pool.submit(_fill, found[:, share], matrix[share], raised) for share in shares]
        for each in done:
            each.result()
    return found


def _fill(place: Floats, matrix: Halves, raised: Floats) -> None:
    """Fill in the products of some rows."""
    rows = max(1, BLOCK_NUMBERS // matrix.shape[1])
    bits = np.empty((rows, matrix.shape[1]), np.int32)
    for start in range(0, len(matrix), rows):
        block = matrix[start : start + rows].view(np.int16)
        wide = bits[: len(block)]
        np.copyto(wide, block)
        np.left_shift(wide, MANTISSA_SHIFT, out=wide)
        np.bitwise_and(wide, SIGN_AND_NUMBER, out=wide)
        place[:, start : start + rows] = (wide.view(np.float32) @ raised).T


@cache
def _controller() -> Any:
    """Return what knows the libraries that multiply: looking for them takes longer than many a search."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def _single_threaded_products() -> Iterator[None]:
    """Keep BLAS from using threads of its own in each of ours."""
    with _controller().limit(limits=1, user_api="blas"):
        yield

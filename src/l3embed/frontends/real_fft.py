"""A Fourier transform of real numbers, written out in sums and products of tensors.

Spectrograms reach down to where a transform in single precision rounds, so the transform is part of their
definition. This one does the sums and products of TensorFlow's and SciPy's on the CPU, in the same order,
in whatever framework and on whatever device: as long as none of these is fused with the next, the numbers
are the same to the bit. A framework's own transform moves bins at rounding level by up to 20 dB.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

SQRT_HALF = float(np.float32(np.sqrt(0.5)))

Halves = tuple[Any, Any]
"""Real and imaginary parts of the lower halves of spectra: ``(items, spectra, frequencies)`` each."""


class TensorOps(Protocol):
    """What a framework calls the operations that have no sign of their own, such as ``+``."""

    def reshape(self, tensor: Any, shape: tuple[int, ...]) -> Any:
        """Return the same numbers in another shape, whose first size may be -1."""

    def part(self, tensor: Any, axis: int, start: int, stop: int) -> Any:
        """Return places `start` to `stop` (exclusive) of an axis."""

    def join(self, tensors: Sequence[Any]) -> Any:
        """Return tensors one behind the other along their last axis."""

    def reverse(self, tensor: Any) -> Any:
        """Return the last axis from its end to its start."""


def twiddles(samples: int) -> list[npt.NDArray[np.float32]]:
    """Return the factors of each pass behind the first, of shape ``(2, radix - 1, frequencies)``.

    They are cosines and sines. The passes are of radix 4, and the last one is of radix 2 if the number of
    samples, a power of 2 from 16 on, is no power of 4.
    """
    factors = []
    length = 4
    while length < samples:
        radix = min(4, samples // length)
        turns = np.outer(np.arange(1, radix), np.arange(length // 2)) / (radix * length)
        factors.append(np.stack([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)]).astype(np.float32))
        length *= radix
    return factors


def real_fft(ops: TensorOps, frames: Any, samples: int, factors: Sequence[Any]) -> Halves:
    """Transform frames of real numbers.

    Parameters
    ----------
    ops : TensorOps
        The framework's.
    frames : tensor [shape=(n, samples)]
        In single precision.
    samples : int
        How many there are in a frame.
    factors : sequence of tensors
        The ones of `twiddles`, where the frames are.

    Returns
    -------
    tuple of two tensors [shape=(n, samples / 2 + 1)]
        Real and imaginary parts.
    """
    spectra = samples // 4
    halves = _first_pass(ops, ops.reshape(frames, (-1, samples, 1)), spectra)
    length = 4
    for factor in factors:
        radix = 1 + factor.shape[1]
        spectra //= radix
        halves = (_radix_4 if radix == 4 else _radix_2)(ops, halves, factor, spectra, length // 2)
        length *= radix
    real, imaginary = (ops.reshape(half, (-1, samples // 2 + 1)) for half in halves)
    return real, imaginary


def _first_pass(ops: TensorOps, numbers: Any, spectra: int) -> Halves:
    """Make spectra of four numbers each, which are a quarter of the frame apart."""
    a, b, c, d = (ops.part(numbers, 1, i * spectra, (i + 1) * spectra) for i in range(4))
    ac, bd = a + c, d + b
    zero = a * 0.0
    return ops.join([ac + bd, a - c, ac - bd]), ops.join([zero, d - b, zero])


def _radix_4(ops: TensorOps, halves: Halves, factor: Any, spectra: int, middle: int) -> Halves:
    """Make each spectrum of four; `middle` is the number of the highest frequency of those."""
    quarters = [tuple(ops.part(half, 1, i * spectra, (i + 1) * spectra) for half in halves) for i in range(4)]
    (a_r, a_i), *others = [tuple(ops.part(half, 2, 0, middle) for half in quarter) for quarter in quarters]
    (b_r, b_i), (c_r, c_i), (d_r, d_i) = (
        _turned(real, imaginary, factor[0, i], factor[1, i]) for i, (real, imaginary) in enumerate(others)
    )
    bd_r, bd_r_less = d_r + b_r, d_r - b_r
    bd_i, bd_i_less = b_i + d_i, b_i - d_i
    ac_r, ac_r_less = a_r + c_r, a_r - c_r
    ac_i, ac_i_less = a_i + c_i, a_i - c_i
    # The highest frequency is real in all four, and turned by multiples of 45 degrees.
    a, b, c, d = (ops.part(quarter[0], 2, middle, middle + 1) for quarter in quarters)
    cosine, sine = (b - d) * SQRT_HALF, (b + d) * -SQRT_HALF
    real = [
        ac_r + bd_r,
        a + cosine,
        ops.reverse(ac_r_less - bd_i_less),
        ops.part(ac_r_less + bd_i_less, 2, 1, middle),
        a - cosine,
        ops.reverse(ac_r - bd_r),
    ]
    imaginary = [
        bd_i + ac_i,
        sine - c,
        ops.reverse(bd_r_less - ac_i_less),
        ops.part(bd_r_less + ac_i_less, 2, 1, middle),
        sine + c,
        ops.reverse(bd_i - ac_i),
    ]
    return ops.join(real), ops.join(imaginary)


def _radix_2(ops: TensorOps, halves: Halves, factor: Any, spectra: int, middle: int) -> Halves:
    """Make each spectrum of two; `middle` is the number of the highest frequency of those."""
    (a, a_i), (b, b_i) = (
        tuple(ops.part(half, 1, i * spectra, (i + 1) * spectra) for half in halves) for i in range(2)
    )
    a_r, a_i = (ops.part(half, 2, 0, middle) for half in (a, a_i))
    b_r, b_i = (ops.part(half, 2, 0, middle) for half in (b, b_i))
    b_r, b_i = _turned(b_r, b_i, factor[0, 0], factor[1, 0])
    a, b = (ops.part(half, 2, middle, middle + 1) for half in (a, b))
    real = [a_r + b_r, a, ops.reverse(a_r - b_r)]
    imaginary = [b_i + a_i, b * -1.0, ops.reverse(b_i - a_i)]
    return ops.join(real), ops.join(imaginary)


def _turned(real: Any, imaginary: Any, cosine: Any, sine: Any) -> Halves:
    return real * cosine + imaginary * sine, imaginary * cosine - real * sine

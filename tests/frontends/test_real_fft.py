"""The Fourier transform that is written out gives SciPy's numbers, which are the reference's."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.fft

from l3embed.frontends.real_fft import real_fft, twiddles

IS_X86 = platform.machine().lower() in ("x86_64", "amd64")
"""Elsewhere SciPy's compiler may fuse a product with the sum behind it, and rounds once less."""


class NumPyOps:
    def reshape(self, tensor: Any, shape: tuple[int, ...]) -> Any:
        return tensor.reshape(shape)

    def part(self, tensor: Any, axis: int, start: int, stop: int) -> Any:
        return np.take(tensor, range(start, stop), axis)

    def join(self, tensors: Sequence[Any]) -> Any:
        return np.concatenate(tensors, axis=-1)

    def reverse(self, tensor: Any) -> Any:
        return tensor[..., ::-1]


def signals(samples: int) -> npt.NDArray[np.float32]:
    """Noise, a tone, whose other bins are at rounding level, an impulse and silence."""
    noise = np.random.default_rng(0).standard_normal((20, samples))
    tone = np.sin(2 * np.pi * 3 * np.arange(samples) / samples)
    impulse = np.eye(1, samples, 5)
    return np.concatenate([noise, [tone], impulse, np.zeros((1, samples))]).astype(np.float32)


@pytest.mark.parametrize("samples", [16, 64, 128, 512, 2048])
def test_it_is_scipy_s_to_the_bit(samples: int) -> None:
    frames = signals(samples)

    real, imaginary = real_fft(NumPyOps(), frames, samples, twiddles(samples))

    expected = scipy.fft.rfft(frames)
    assert real.dtype == imaginary.dtype == np.float32
    if IS_X86:
        np.testing.assert_array_equal(real, expected.real)
        np.testing.assert_array_equal(imaginary, expected.imag)
    else:
        np.testing.assert_allclose(real + 1j * imaginary, expected, atol=1e-6 * np.abs(expected).max())

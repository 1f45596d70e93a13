"""The kapre frontend as a PyTorch module, on whatever device its input is on; its gradient is there, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from l3embed.frontends.decibel import DYNAMIC_RANGE_DB, SMALLEST_MAGNITUDE
from l3embed.frontends.kapre import hann_window, padded_samples
from l3embed.frontends.mel import mel_filterbank
from l3embed.frontends.real_fft import real_fft, twiddles
from l3embed.variants import SPECTROGRAM_HOP_SAMPLES, SPECTROGRAMS, WINDOW_SAMPLES, InputRepr

NOTHING = 1e-36
"""Square of a magnitude of nothing: far below what decibels begin with."""


class _Ops:
    """PyTorch's operations, as `real_fft` calls them."""

    def reshape(self, tensor: Any, shape: tuple[int, ...]) -> Any:
        return tensor.reshape(shape)

    def part(self, tensor: Any, axis: int, start: int, stop: int) -> Any:
        return tensor.narrow(axis, start, stop - start)

    def join(self, tensors: Sequence[Any]) -> Any:
        return torch.cat(list(tensors), dim=-1)

    def reverse(self, tensor: Any) -> Any:
        return tensor.flip(-1)


class Spectrogram(nn.Module):  # type: ignore[misc]
    """Samples, ``(batch, 1, 48000)``, to decibels, ``(batch, 1, frequency, time)``.

    Parameters
    ----------
    input_repr : InputRepr
        Which spectrogram.
    """

    def __init__(self, input_repr: InputRepr) -> None:
        super().__init__()
        self.shape = SPECTROGRAMS[input_repr]
        self.padding = padded_samples(self.shape) - WINDOW_SAMPLES
        self._keep("taper", hann_window(self.shape.fft_samples))
        self.passes = []
        for number, factors in enumerate(twiddles(self.shape.fft_samples)):
            self.passes.append(f"twiddles_{number}")
            self._keep(self.passes[-1], factors)
        if self.shape.is_mel:
            self._keep("filters", mel_filterbank(self.shape.fft_samples, self.shape.bins).T)

    def _keep(self, name: str, array: Any) -> None:
        """Keep what goes where the module goes, and is no part of its weights."""
        self.register_buffer(name, torch.from_numpy(array.copy()), persistent=False)

    def forward(self, samples: Any) -> Any:
        """Compute the spectrograms."""
        shape = self.shape
        padded = nn.functional.pad(samples.float().squeeze(1), (0, self.padding))
        frames = padded.unfold(-1, shape.fft_samples, SPECTROGRAM_HOP_SAMPLES) * self.taper
        factors = [getattr(self, name) for name in self.passes]
        real, imaginary = real_fft(_Ops(), frames.flatten(0, 1), shape.fft_samples, factors)
        # Where there is nothing, the root has no gradient of its own; no magnitude that counts is changed.
        squares = (real * real + imaginary * imaginary).clamp_min(NOTHING)
        magnitudes = squares.sqrt().unflatten(0, (-1, shape.frames))
        if shape.is_mel:
            magnitudes = magnitudes @ self.filters
        decibels = 10 * magnitudes.clamp_min(SMALLEST_MAGNITUDE).log10()
        relative = decibels - decibels.amax(dim=(1, 2), keepdim=True)
        return relative.clamp_min(-DYNAMIC_RANGE_DB).transpose(1, 2).unsqueeze(1)

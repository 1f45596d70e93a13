"""Slaney's mel filters, as both frontends of the reference have them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from l3embed.variants import SAMPLE_RATE_HZ

# Figures of the scale, from Slaney's Auditory Toolbox (1998): linear below 1 kHz, logarithmic above.
HZ_PER_MEL = 200 / 3
LINEAR_UP_TO_HZ = 1000.0
LOG_STEP = np.log(6.4) / 27

BAND_FILTERS = 8
"""Filters that are applied together: so few that most of the bins that they share are let through, and
that OpenBLAS does not call upon further threads, for which several callers would queue."""


@dataclass(frozen=True)
class Band:
    """Neighbouring filters, and the bins that any of them lets through.

    Parameters
    ----------
    filters, bins : slice
        Which they are.
    weights : np.ndarray [shape=(bins, filters)]
        float32, as both frontends of the reference have them.
    """

    filters: slice
    bins: slice
    weights: npt.NDArray[np.float32]


def mel_filterbank(fft_samples: int, filters: int) -> npt.NDArray[np.float32]:
    """Return triangular filters from 0 to 24 kHz, of the same area each, shape ``(filters, bins)``.

    They are librosa's to the bit, without loading librosa, which takes longer than a short file.
    """
    bins_hz = np.fft.rfftfreq(fft_samples, 1 / SAMPLE_RATE_HZ)
    edges_hz = _mel_to_hz(np.linspace(0.0, _hz_to_mel(SAMPLE_RATE_HZ / 2), filters + 2, dtype=np.float64))
    widths_hz = np.diff(edges_hz)
    distances_hz = np.subtract.outer(edges_hz, bins_hz)
    rising = -distances_hz[:-2] / widths_hz[:-1, np.newaxis]
    falling = distances_hz[2:] / widths_hz[1:, np.newaxis]
    # Rounded before they are scaled and after it, as librosa does.
    triangles: npt.NDArray[np.float32] = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    triangles *= (2.0 / (edges_hz[2:] - edges_hz[:-2]))[:, np.newaxis]
    return triangles


@cache
def mel_bands(fft_samples: int, filters: int) -> tuple[Band, ...]:
    """Return the same filters cut into bands, in order: nine tenths of the whole matrix are zeros."""
    filterbank = mel_filterbank(fft_samples, filters)
    bands = []
    for start in range(0, filters, BAND_FILTERS):
        some = filterbank[start : start + BAND_FILTERS]
        used = np.flatnonzero(some.any(axis=0))
        bins = slice(int(used[0]), int(used[-1]) + 1)
        bands.append(Band(slice(start, start + len(some)), bins, np.ascontiguousarray(some[:, bins].T)))
    return tuple(bands)


def _hz_to_mel(frequency_hz: float) -> float:
    """Return the place on the mel scale of a frequency above 1 kHz."""
    return float(LINEAR_UP_TO_HZ / HZ_PER_MEL + np.log(frequency_hz / LINEAR_UP_TO_HZ) / LOG_STEP)


def _mel_to_hz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    knee = LINEAR_UP_TO_HZ / HZ_PER_MEL
    above = LINEAR_UP_TO_HZ * np.exp(LOG_STEP * (mels - knee))
    frequencies: npt.NDArray[np.float64] = np.where(mels < knee, HZ_PER_MEL * mels, above)
    return frequencies

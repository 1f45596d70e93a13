"""Magnitudes to decibels the way the published networks were trained: kapre 0.1.4's."""

from typing import Any

import numpy as np
import numpy.typing as npt

SMALLEST_MAGNITUDE = 1e-10
DYNAMIC_RANGE_DB = 80.0


def magnitudes_to_decibels(magnitudes: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return ``10 log10`` of magnitudes, less the maximum of each window, floored at -80 dB.

    Parameters
    ----------
    magnitudes : np.ndarray [shape=(batch, ...)]
        Magnitudes; not powers, although the factor is that of powers: so the networks were trained.
    """
    decibels = 10 * np.log10(np.maximum(magnitudes, SMALLEST_MAGNITUDE))
    window_axes = tuple(range(1, decibels.ndim))
    maxima = decibels.max(axis=window_axes, keepdims=True)
    floored: npt.NDArray[np.floating] = np.maximum(decibels - maxima, -DYNAMIC_RANGE_DB)
    return floored


def magnitude_tensors_to_decibels(
    magnitudes: Any, smallest: float = SMALLEST_MAGNITUDE, dynamic_range_db: float = DYNAMIC_RANGE_DB
) -> Any:
    """Do the same on tensors, as part of a model; the maximum of a one-dimensional tensor is its own."""
    from keras import ops

    window_axes = tuple(range(1, len(magnitudes.shape))) or None
    decibels = 10 * ops.log10(ops.maximum(magnitudes, ops.cast(smallest, magnitudes.dtype)))
    maxima = ops.max(decibels, axis=window_axes, keepdims=True)
    return ops.maximum(decibels - maxima, -dynamic_range_db)

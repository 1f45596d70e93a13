"""Checks of the inputs that the mirrored functions take."""

from __future__ import annotations

import os
from numbers import Real
from typing import TYPE_CHECKING, Any

from l3embed.core.outputs import get_output_path
from l3embed.errors import OpenL3Error, warn
from l3embed.inputs.windows import check_sample_rate

if TYPE_CHECKING:
    import numpy.typing as npt

MOST_CHANNELS = 32
"""More of them, and fewer samples than those, are likely to be samples."""


def is_positive_number(value: Any) -> bool:
    """Tell whether a value is a number above zero, and finite."""
    return isinstance(value, Real) and not isinstance(value, bool) and 0 < float(value) < float("inf")


def parse_paths(filepath: Any) -> list[str]:
    """Return the paths that an argument names, one or several.

    Raises
    ------
    OpenL3Error
        If it is neither a path nor a list of paths.
    """
    paths = filepath if isinstance(filepath, list) else [filepath]
    for path in paths:
        if not isinstance(path, (str, os.PathLike)):
            raise OpenL3Error(f"filepath must be a path or a list of paths; got {type(path).__name__}.")
    return [os.fspath(path) for path in paths]


def parse_outputs(filepath: Any, suffix: str | None, output_dir: Any) -> dict[str, str]:
    """Return the output of each input.

    Raises
    ------
    OpenL3Error
        If a path is none.
    """
    folder = None if output_dir is None else parse_paths(output_dir)[0]
    return {path: get_output_path(path, f"{suffix or ''}.npz", folder) for path in parse_paths(filepath)}


def parse_rates(name: str, rates: Any, count: int) -> list[float]:
    """Return one rate for each of `count` inputs.

    Raises
    ------
    OpenL3Error
        If it is neither a positive number nor a list of one for each input.
    """
    values = list(rates) if isinstance(rates, (list, tuple)) else [rates] * count
    if len(values) != count:
        raise OpenL3Error(f"{name} must be one rate, or one for each of {count} inputs; got {len(values)}.")
    for value in values:
        if not is_positive_number(value):
            raise OpenL3Error(f"{name} must be a positive number of Hz, or a list of them; got {value!r}.")
    return [float(value) for value in values]


def parse_sample_rates(sr: Any, count: int) -> list[float]:
    """Return the sample rate of each of `count` recordings.

    Raises
    ------
    OpenL3Error
        If it is neither a number of Hz, 1000 at least, nor a list of one for each.
    """
    rates = parse_rates("sr", sr, count)
    for rate in rates:
        check_sample_rate("sr", rate)
    return rates


def parse_arrays(name: str, arrays: Any) -> list[Any]:
    """Return a list of the arrays that an argument brings, one or several.

    Raises
    ------
    OpenL3Error
        If it is neither a NumPy array nor a list of them.
    """
    values = arrays if isinstance(arrays, list) else [arrays]
    for value in values:
        check_array(name, value, "a NumPy array or a list of them")
    return values


def check_array(name: str, value: Any, allowed: str = "a NumPy array") -> None:
    """Check that an argument is an array, and one whose elements are what they seem.

    Raises
    ------
    OpenL3Error
        If it is none, masked, or a matrix.
    """
    import numpy as np

    if not isinstance(value, np.ndarray):
        raise OpenL3Error(f"{name} must be {allowed}; got {type(value).__name__}.")
    if isinstance(value, np.ma.MaskedArray):  # what is masked would be embedded like the rest
        raise OpenL3Error(f"{name} must not be masked. Pass array.filled(VALUE), or array.compressed().")
    if isinstance(value, np.matrix):  # whose rows and columns never lose a dimension
        raise OpenL3Error(f"{name} must be an array, not a matrix. Pass numpy.asarray(matrix).")


def check_channels(name: str, audio: npt.NDArray[Any]) -> None:
    """Check that an array of audio has channels, and warn if those are likely to be its samples.

    Raises
    ------
    OpenL3Error
        If it has two dimensions, and nothing in the second.
    """
    if audio.ndim != len(("samples", "channels")):
        return
    samples, channels = audio.shape
    if not channels:
        raise OpenL3Error(f"{name} has no channels: its shape is {audio.shape}.")
    if channels > max(samples, MOST_CHANNELS):
        warn(
            f"{name} has shape {audio.shape}, (samples, channels): {samples} samples of {channels} channels "
            "are embedded. Pass audio.T if it is the other way round, as librosa and torchaudio have it.",
        )


def name_of(index: int, kind: str, inputs: object) -> str:
    """Return what a warning calls one of several inputs."""
    return f"{kind} {index}" if isinstance(inputs, list) and len(inputs) > 1 else f"The {kind.lower()}"

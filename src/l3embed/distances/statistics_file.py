"""Files of statistics: a mean and a covariance, which other projects read, and theirs."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.disk.atomic import replacing
from l3embed.distances.computed_with import PUBLISHED, UNKNOWN, ComputedWith, computed_with
from l3embed.distances.frechet import check_statistics
from l3embed.distances.streamed_statistics import Statistics
from l3embed.errors import OpenL3Error, source_faults
from l3embed.version import __version__

NAMES = (("mu", "cov"), ("mu", "sigma"), ("mu_ref", "sigma_ref"))
"""What a mean and a covariance are called: in l3embed's files and others, in pytorch-fid's, and in
stable-audio-metrics'. In fadtk's the names of the first pair follow the model's and a dot."""

FADTK_MEAN, FADTK_COVARIANCE = ".mu", ".cov"

STABLE_AUDIO_NAME = re.compile(
    r"__channels(?P<channels>[12])__(?P<bandwidth>\d+)__openl3(?P<content>music|env)__openl3hopsize(?P<hop>[\d.]+)__"
)
"""What stable-audio-metrics writes into the names of its files, as in
``stable-audio__musiccaps-public__channels2__44100__openl3music__openl3hopsize0.5__batch4.npz``."""

STABLE_AUDIO = "stable-audio-metrics"
STABLE_AUDIO_HZ = 44_100


def write_statistics(path: str | os.PathLike[str], statistics: Statistics) -> None:
    """Write statistics to an ``.npz``: ``mu`` and ``cov`` in float64, and what they are of.

    Parameters
    ----------
    path : str
        File to write; its folder is made. It appears when it is whole.
    statistics : Statistics
        What `RunningStatistics` or `read_statistics` returns.

    Examples
    --------
    >>> import numpy as np
    >>> from l3embed.distances import RunningStatistics, read_statistics, write_statistics
    >>> running = RunningStatistics(4)
    >>> running.add(np.random.default_rng(0).normal(size=(100, 4)))
    >>> write_statistics("reference.npz", running.statistics())
    >>> read_statistics("reference.npz").frames
    100
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    made = {name: value for name, value in vars(statistics.made).items() if value is not None}
    with replacing(target) as temporary, temporary.open("wb") as stream:
        np.savez(
            stream,
            mu=statistics.mean,
            cov=statistics.covariance,
            frames=statistics.frames,
            files=statistics.files,
            version=__version__,
            **made,
        )


def read_statistics(path: str | os.PathLike[str]) -> Statistics:
    """Read statistics: l3embed's own, or those of fadtk, pytorch-fid or stable-audio-metrics.

    What others' files do not say stays unknown; of stable-audio-metrics', their names tell most of it.

    Raises
    ------
    OpenL3Error
        If the file holds no mean and covariance, or not of finite numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from l3embed.distances import read_statistics
    >>> np.savez("theirs.npz", mu_ref=np.zeros(4), sigma_ref=np.eye(4))
    >>> read_statistics("theirs.npz").dimension
    4
    """
    source = Path(path)
    try:
        with source_faults(), np.load(source, allow_pickle=False) as arrays:
            return _parse(arrays, source.name)
    except OpenL3Error as error:
        raise OpenL3Error(f"{source}: {error}") from error


def holds_statistics(names: npt.ArrayLike) -> bool:
    """Tell by the names of a file's arrays whether it is one of statistics."""
    return bool(_pairs(list(np.asarray(names, dtype=str))))


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    """Return the names of means and covariances that there are."""
    found = [(mean, covariance) for mean, covariance in NAMES if mean in names and covariance in names]
    models = [name.removesuffix(FADTK_MEAN) for name in names if name.endswith(FADTK_MEAN)]
    return found + [
        (f"{model}{FADTK_MEAN}", f"{model}{FADTK_COVARIANCE}")
        for model in models
        if f"{model}{FADTK_COVARIANCE}" in names
    ]


def _parse(arrays: Mapping[str, Any], file_name: str) -> Statistics:
    pairs = _pairs(list(arrays))
    if len(pairs) != 1:
        told = "; ".join(" and ".join(pair) for pair in pairs) or "none"
        raise OpenL3Error(
            "It must hold one mean and one covariance: mu and cov, mu and sigma, mu_ref and sigma_ref, or "
            f"MODEL.mu and MODEL.cov; got {told} among {', '.join(arrays)}."
        )
    ((mean, covariance),) = pairs
    found = Statistics(
        np.asarray(arrays[mean], np.float64),
        np.asarray(arrays[covariance], np.float64),
        int(arrays["frames"]) if "frames" in arrays else 0,
        int(arrays["files"]) if "files" in arrays else 0,
    )
    check_statistics(found, mean, covariance)
    made = computed_with(arrays)
    return replace(found, made=_by_name(file_name) if made == UNKNOWN else made)


def _by_name(name: str) -> ComputedWith:
    """Return what the name of a file of stable-audio-metrics says."""
    match = STABLE_AUDIO_NAME.search(name)
    if not match:
        return UNKNOWN
    rate_hz = int(match["bandwidth"])
    return ComputedWith(
        f"audio_mel256_{match['content']}_512_kapre",
        PUBLISHED,
        float(match["hop"]),
        int(match["channels"]),
        STABLE_AUDIO if rate_hz == STABLE_AUDIO_HZ else f"{STABLE_AUDIO} at {rate_hz} Hz",
    )

"""What every folder of embeddings says of its inputs, and how their frames are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error
from l3embed.variants import Modality

Vectors = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MadeWith:
    """What embeddings were computed with: those that differ in it are not compared.

    Parameters
    ----------
    variant : str
        As in ``audio_mel256_music_6144_kapre``.
    weights : str
        Their identity, as in ``random:20260101``.
    """

    variant: str
    weights: str

    def __str__(self) -> str:
        return f"{self.variant} with the weights {self.weights}"


@dataclass(frozen=True)
class Input:
    """One input of a folder in one modality.

    Parameters
    ----------
    path : str
        How the folder names it, with slashes.
    label : str
        Its class; empty if it has none.
    duration_s, sample_rate_hz : float or None
        Of its sound, where that is known.
    """

    path: str
    label: str = ""
    duration_s: float | None = None
    sample_rate_hz: float | None = None


@dataclass(frozen=True)
class Frames:
    """Frames of one input, all of them or those that come next.

    Parameters
    ----------
    place : int
        The input's place in the folder's list.
    embeddings : np.ndarray
        Shape ``(n, D)``; without any, the input has nothing in this modality.
    times_s : np.ndarray
        Shape ``(n,)``; NaN for pictures.
    made_with : MadeWith
        What they were computed with.
    fault : OpenL3Error or None
        Why the input cannot be read; what came of it before is void.
    """

    place: int
    embeddings: Vectors
    times_s: Times
    made_with: MadeWith
    fault: OpenL3Error | None = None


class SearchedFolder(Protocol):
    """A folder of embeddings of one modality."""

    folder: Path
    modality: Modality
    inputs: Sequence[Input]

    def fingerprints(self) -> list[str]:
        """Return a word for each input that is another when its embeddings are others."""

    def frames(self, places: Sequence[int]) -> Iterator[Frames]:
        """Read the frames of some inputs, input by input, in this order.

        Raises
        ------
        OpenL3Error
            If the folder has no frames, but only whole files.
        """

    def means(self) -> Vectors | None:
        """Return the mean of each input's frames, ``(inputs, D)``; None if the folder does not hold them."""

    def moment_labels(self) -> Mapping[str, Mapping[int, str]] | None:
        """Return the labels of moments, by path and number; None if it is inputs that have labels."""

    def made_with(self) -> MadeWith | None:
        """Return what all of it was computed with; None if only reading the frames tells."""


def faulty(place: int, fault: OpenL3Error) -> Frames:
    """Return what is read of an input that cannot be read."""
    return Frames(place, np.empty((0, 0), np.float32), np.empty(0), MadeWith("", ""), fault)

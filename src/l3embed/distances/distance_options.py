"""What is asked for of distances, and how whatever is not embedded yet is to be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from l3embed.errors import OpenL3Error
from l3embed.variants import check_at_least, check_one_of, parse_choice

CANDIDATE, REFERENCE = "candidate", "reference"
"""Whose distances the width of KAD's kernel is the median of."""


class DistanceMeasure(str, Enum):
    """What tells two sets apart; the values are names in arguments and results."""

    FD = "fd"
    KAD = "kad"
    FAD_INF = "fad-inf"

    @property
    def heading(self) -> str:
        """What it is called in tables."""
        return {"fd": "FD", "kad": "KAD", "fad-inf": "FAD-inf"}[self.value]


@dataclass(frozen=True)
class DistanceOptions:
    """How to measure distances.

    Parameters
    ----------
    measures : tuple of "fd", "kad" and "fad-inf"
        Fréchet distance, kernel distance, and the first extrapolated to endless samples.
    per_file : bool
        Whether to measure the Fréchet distance of each file's own frames too.
    bandwidth : "candidate" or "reference"
        Whose median distance is the width of KAD's kernel; the candidate's, as in kadtk.
    resamples : int
        Of a candidate's files, for the intervals; 0: none.
    seed : int
        Of the resamples, and of the frames that FAD-infinity draws.
    recursive : bool
        Whether to take the files of subfolders too.
    modality : "audio", "image" or None
        Which embeddings; None: what all sides have, sounds first.
    protocol : "stable-audio-metrics", "kadtk" or None
        How sounds are embedded; None: as OpenL3 does.
    channels : 1, 2 or None
        Channels embedded apart; None: as the protocol has it.
    input_repr, content_type, embedding_size, hop_size, precision
        As in `get_audio_embedding`. None: as the sides that are embedded already, or mel256, music, 512 and
        0.5 s, with which distances are published.
    weights, device, runtime, threads, batch_size
        As in `get_audio_embedding`; weights of None: as the sides that are embedded already, or as there.
    keep : Path or None
        Folder that embeddings of sounds and pictures are kept in, and found again.
    verbose : bool
        Whether to say what is going on.

    Raises
    ------
    OpenL3Error
        If a value is not allowed.
    """

    measures: tuple[str, ...] = (DistanceMeasure.FD.value,)
    per_file: bool = False
    bandwidth: str = CANDIDATE
    resamples: int = 200
    seed: int = 0
    recursive: bool = False
    modality: str | None = None
    protocol: str | None = None
    channels: int | None = None
    input_repr: str | None = None
    content_type: str | None = None
    embedding_size: int | None = None
    hop_size: float | None = None
    precision: str | None = None
    weights: str | None = None
    device: str = "auto"
    runtime: str = "auto"
    threads: int = 0
    batch_size: int = 32
    keep: Path | None = None
    verbose: bool = True

    def __post_init__(self) -> None:
        if not self.measures or isinstance(self.measures, str):
            raise OpenL3Error(f"measures must be a tuple, such as ('fd', 'kad'); got {self.measures!r}.")
        for name in self.measures:
            parse_choice(DistanceMeasure, "measures", name)
        check_one_of("bandwidth", self.bandwidth, (CANDIDATE, REFERENCE))
        check_at_least("resamples", self.resamples, 0)
        check_at_least("seed", self.seed, 0)

    @property
    def kinds(self) -> tuple[DistanceMeasure, ...]:
        """The measures, each once."""
        return tuple(dict.fromkeys(map(DistanceMeasure, self.measures)))

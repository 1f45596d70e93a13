"""What a proof says: inputs, settings, networks, code, packages, and some embeddings in full."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error
from l3embed.variants import Media, Modality, Precision, parse_choice

Vector = npt.NDArray[np.float32]

LITTLE_ENDIAN = np.dtype("<f4")


@dataclass(frozen=True)
class ProvenInput:
    """One file of the dataset, or a section of one.

    Parameters
    ----------
    path : str
        Its name in the export, with slashes.
    sha256 : str
        Of the file's bytes; empty if they could not be read.
    frames : dict of str to int
        How many embeddings it has, by modality.
    duration_s : float or None
        Of its sound or video.
    start_s, end_s : float or None
        Which section of the file it is.
    location : str
        Where it lay, as a listing has it. Nothing is fetched from there: a check has a listing of its own.
    reason : str
        Why it has no embeddings in a modality.
    """

    path: str
    sha256: str
    frames: dict[str, int]
    duration_s: float | None = None
    start_s: float | None = None
    end_s: float | None = None
    location: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        steps = PurePosixPath(self.path).parts
        if not steps or ".." in steps or self.path.startswith("/") or PureWindowsPath(self.path).drive:
            raise OpenL3Error(f"an input's path must lead into the dataset; got {self.path!r}")


@dataclass(frozen=True)
class ProvenInputs:
    """All inputs.

    Parameters
    ----------
    count, failed : int
        How many there are, and how many of them have no embeddings at all.
    embeddings : int
        How many they have together.
    duration_s : float
        Of all sounds and videos together, each once.
    digest : str
        SHA-256 over all inputs, in the order of their paths; see `input_groups.line_of`.
    rows : tuple of ProvenInput
        Each of them; if there are more than `input_groups.MOST_LISTED`, those of the windows alone.
    groups : tuple of str
        Then the digests of the groups that all inputs fall into by their paths; else there are none.
    """

    count: int
    failed: int
    embeddings: int
    duration_s: float
    digest: str
    rows: tuple[ProvenInput, ...]
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProvenSettings:
    """The settings that decide about the numbers.

    Parameters
    ----------
    known_from : str
        The name of the file that they are from, or `stated_settings.FROM_EMBEDDINGS`.
    dataset : str or None
        Its path, as the settings had it.
    media, include, exclude : tuple of str
        Which of its files counted.
    hop_s, center : float and bool, or None
        How sound was cut into windows; None without any.
    on_damage, exif_rotation, max_megapixels : as `l3embed.decoding.reading.Reading` has them
        How files were read.
    """

    known_from: str
    dataset: str | None
    media: tuple[str, ...]
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    hop_s: float | None
    center: bool | None
    on_damage: str
    exif_rotation: bool
    max_megapixels: float

    def __post_init__(self) -> None:
        for name in self.media:
            parse_choice(Media, "media", name)


@dataclass(frozen=True)
class ProvenNetwork:
    """What embeddings of one modality were computed with.

    Parameters
    ----------
    variant : str
        As in ``audio_mel256_music_512_kapre``.
    precision : str
        What its convolutions computed in.
    dimension : int
        Numbers in an embedding.
    dtype : str
        What the export holds them in: ``float32``, or ``float16``.
    weights : str
        Their identity, as in ``random:20260101``.
    numbers_sha256 : str or None
        SHA-256 of the weights' numbers, whatever file holds them; None if they were not at hand.
    runtimes : tuple of str
        What computed the network.
    """

    variant: str
    precision: str
    dimension: int
    dtype: str
    weights: str
    numbers_sha256: str | None
    runtimes: tuple[str, ...]

    def __post_init__(self) -> None:
        parse_choice(Precision, "precision", self.precision)


@dataclass(frozen=True)
class ProvenWindow:
    """One embedding, as the export has it.

    Parameters
    ----------
    path : str
        The input's.
    modality : str
        Which network's it is.
    frame : int
        Which of the input's embeddings, from 0 on.
    time_s : float or None
        When it is in the input; None of a picture.
    embedding : str
        Its numbers as float32, the lowest byte first, in base64.
    """

    path: str
    modality: str
    frame: int
    time_s: float | None
    embedding: str

    def __post_init__(self) -> None:
        parse_choice(Modality, "modality", self.modality)

    @property
    def vector(self) -> Vector:
        """Its numbers, ``(D,)``.

        Raises
        ------
        OpenL3Error
            If they are none.
        """
        try:
            numbers = np.frombuffer(base64.b64decode(self.embedding, validate=True), LITTLE_ENDIAN)
        except (binascii.Error, ValueError) as error:
            raise OpenL3Error(f"an embedding of {self.path} is no float32 in base64: {error}") from error
        return numbers.astype(np.float32)


def in_base64(vector: Vector) -> str:
    """Return an embedding, ``(D,)``, as `ProvenWindow` holds it."""
    return base64.b64encode(vector.astype(LITTLE_ENDIAN).tobytes()).decode("ascii")


@dataclass(frozen=True)
class Proof:
    """The whole of it.

    Parameters
    ----------
    inputs, settings : ProvenInputs and ProvenSettings
        What was embedded, and how.
    networks : dict of str to ProvenNetwork
        By modality.
    code : dict of str to str
        SHA-256 of the code of each step; empty if another version of l3embed has computed the export.
    packages : dict of str to tuple of str
        The versions of l3embed and of the packages that computed it.
    machine : str
        Where the proof was written, in words.
    windows : tuple of ProvenWindow
        Embeddings that were drawn among all, in the order in which they were drawn: the first of them are a
        fair sample, too.
    """

    inputs: ProvenInputs
    settings: ProvenSettings
    networks: dict[str, ProvenNetwork]
    code: dict[str, str]
    packages: dict[str, tuple[str, ...]]
    machine: str
    windows: tuple[ProvenWindow, ...]

    def __post_init__(self) -> None:
        rows = {row.path: row for row in self.inputs.rows}
        for window in self.windows:
            row, network = rows.get(window.path), self.networks.get(window.modality)
            if row is None or network is None or not 0 <= window.frame < row.frames.get(window.modality, 0):
                raise OpenL3Error(f"an embedding is of {window.path}, which has no such one")
            if len(window.vector) != network.dimension:
                raise OpenL3Error(f"an embedding of {window.path} has not {network.dimension} numbers")

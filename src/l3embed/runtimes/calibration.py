"""What networks are calibrated with for int8: windows and pictures of the files that the package carries."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l3embed.inputs import sound
from l3embed.inputs.media import SourceFile, network_inputs
from l3embed.inputs.windows import Framing
from l3embed.variants import AudioVariant, Media, Modality, Variant

Items = npt.NDArray[np.float32]

REFERENCE_INPUTS = Path(__file__).parents[1] / "reference" / "inputs"
"""The files that openl3 0.4.2's figures were computed from; ``l3embed verify`` reads them as well."""

FILES = {
    Modality.AUDIO: {"notes_48k_mono.flac": Media.AUDIO, "rain_22k_mono.wav": Media.AUDIO},
    Modality.IMAGE: {
        "clip_12fps.mp4": Media.VIDEO,
        "discs_224.png": Media.IMAGE,
        "discs_240x250.png": Media.IMAGE,
        "discs_300x420.png": Media.IMAGE,
    },
}
"""Those that each network has something in."""

HOP_S = 0.125
"""From one window of sound to the next: each falls on the notes otherwise, and there are enough to part."""

MOST_OF_A_FILE = {Modality.AUDIO: 24, Modality.IMAGE: 6}
"""Windows or frames that are taken of one file, spread over all of it."""

DIMMED = 0.5
"""How bright a picture's third version is."""


@dataclass(frozen=True)
class Calibration:
    """What is computed with a network to find the ranges of its numbers, and to see what int8 makes of them.

    Parameters
    ----------
    items : np.ndarray [shape=(n, *network_shape)]
        What the ranges are found with.
    held_out : np.ndarray [shape=(m, *network_shape)]
        What they are not found with.
    """

    items: Items
    held_out: Items


def read_calibration(variant: Variant) -> Calibration:
    """Read the carried files as what a network takes in; every other item is held out.

    Raises
    ------
    OpenL3Error
        If a file cannot be read.
    """
    files = FILES[variant.weight_set.modality].items()
    items = np.concatenate([_read(variant, REFERENCE_INPUTS / name, media) for name, media in files])
    if variant.weight_set.modality is Modality.IMAGE:
        items = _versions(items)
    return Calibration(items[::2], items[1::2])


def _versions(pixels: Items) -> Items:
    """Return pictures as they are, in other colours upside down, and dimmed: few differ in much else.

    Where all are alike, hardly anything is left of their embeddings when the mean is taken off.
    """
    turned = np.roll(pixels[:, ::-1], 1, axis=-1)
    dimmed = np.float32(DIMMED) * np.roll(pixels, 2, axis=-1)
    return np.concatenate([pixels, turned, dimmed])


def calibration_checksum(variant: Variant) -> str:
    """Return a checksum of all that decides about a network's calibration, but for the code."""
    modality = variant.weight_set.modality
    digest = hashlib.sha256(repr((HOP_S, MOST_OF_A_FILE[modality], DIMMED, *_frontend(variant))).encode())
    for name in FILES[modality]:
        digest.update((REFERENCE_INPUTS / name).read_bytes())
    return digest.hexdigest()


def _read(variant: Variant, path: Path, media: Media) -> Items:
    framing = prepare = None
    if isinstance(variant, AudioVariant):
        framing, prepare = Framing(HOP_S), sound.as_spectrograms(variant.input_repr, variant.frontend)
    blocks = sound.compute_here(network_inputs(SourceFile(path, media), framing, prepare))
    items: Items = np.concatenate(list(blocks)).astype(np.float32)
    most = min(len(items), MOST_OF_A_FILE[variant.weight_set.modality])
    spread = np.linspace(0, len(items) - 1, most).astype(int)
    taken: Items = items[spread]
    return taken


def _frontend(variant: Variant) -> tuple[str, ...]:
    return (variant.input_repr.value, variant.frontend.value) if isinstance(variant, AudioVariant) else ()

"""How near a recomputed embedding has to be: by its file's decoder, what computed it, and its type.

All tolerances are the largest difference over the largest magnitude of the embedding that the proof holds.
"""

from __future__ import annotations

from enum import Enum
from pathlib import PurePosixPath

import numpy as np

from l3embed.decoding import audio
from l3embed.proof.statement import ProvenNetwork, Vector
from l3embed.search.query_embedding import media_of
from l3embed.variants import Media, Modality, Precision
from l3embed.verification.cases import RESAMPLED_AUDIO, SAME_AUDIO, SAME_IMAGE, VIDEO_FRAMES
from l3embed.verification.compare import relative_difference

LOSSY = frozenset((".mp3", ".oga", ".ogg", ".opus"))
EXACT = audio.SUFFIXES - LOSSY
"""Endings of sounds whose samples are the same by whatever decodes them."""

PRECISIONS = {
    Precision.FLOAT32: 0.0,
    Precision.TF32: 2e-2,
    Precision.BFLOAT16: 2e-2,
    Precision.FLOAT16: 2e-2,
    Precision.INT8: 5e-2,
}
"""What a precision allows. In 16 bits each of two machines is off by up to 1 % from float32. In int8 the
network itself is made on each machine, by the NNCF that is there, and was found off by 1.4 %."""

HALF_FLOATS = 1e-3
"""What embeddings in half floats are allowed, which are rounded by up to 5e-4 of the number."""


class Kind(str, Enum):
    """What an embedding is of, as far as closeness goes."""

    SOUND = "sounds"
    LOSSY_SOUND = "lossy sounds"
    PICTURE = "pictures"
    VIDEO_SOUND = "sound of videos"
    VIDEO_FRAME = "frames of videos"


TOLERANCES = {
    Kind.SOUND: SAME_AUDIO,
    # Decoders round differently by version and processor, and decibels reach down to where that shows.
    Kind.LOSSY_SOUND: RESAMPLED_AUDIO,
    Kind.PICTURE: SAME_IMAGE,
    Kind.VIDEO_SOUND: RESAMPLED_AUDIO,
    Kind.VIDEO_FRAME: VIDEO_FRAMES,
}


def kind_of(path: str, modality: str) -> Kind:
    """Return the kind of an embedding, by its input's name and its modality."""
    is_video = media_of(path) is Media.VIDEO
    if modality == Modality.IMAGE.value:
        return Kind.VIDEO_FRAME if is_video else Kind.PICTURE
    if is_video:
        return Kind.VIDEO_SOUND
    return Kind.SOUND if PurePosixPath(path).suffix.lower() in EXACT else Kind.LOSSY_SOUND


def tolerance_of(kind: Kind, network: ProvenNetwork) -> float:
    """Return what an embedding of a kind may be off."""
    rounding = HALF_FLOATS if network.dtype == "float16" else 0.0
    return max(TOLERANCES[kind], PRECISIONS[Precision(network.precision)], rounding)


def difference_of(found: Vector, proven: Vector) -> float:
    """Return the largest difference over the largest magnitude of what was proven."""
    if proven.any():
        return relative_difference(found, proven)
    return float(np.inf) if found.any() else 0.0

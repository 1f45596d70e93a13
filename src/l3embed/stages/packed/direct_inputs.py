"""One file straight into a network: nothing of it is kept between decoding and embedding.

The network gets the very blocks that it would get from what ``preprocess`` keeps, so that the numbers are the
same to the bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error
from l3embed.inputs import sound
from l3embed.inputs.media import SourceFile, image_pixels, video_frames
from l3embed.inputs.pixels import frame_pixels
from l3embed.inputs.preparation import Sound, prepared_rows
from l3embed.models.running import Network
from l3embed.stages.network import BLOCK_SAMPLES, ChosenNetwork
from l3embed.variants import Frontend, ImageVariant, Media, Modality


def direct_inputs(source: SourceFile, kept: Sound, network: ChosenNetwork, loaded: Network) -> sound.Inputs:
    """Read a file as blocks of what a network takes in, or functions that compute them.

    Parameters
    ----------
    source : SourceFile
        The file.
    kept : Samples or Spectrograms
        What sound is made into first, in float32.
    network, loaded : ChosenNetwork and Network
        Which network, and the same ready to run.

    Raises
    ------
    OpenL3Error
        While it is read, if the file cannot be.
    """
    if isinstance(network.variant, ImageVariant):
        is_video = source.media is Media.VIDEO
        return video_frames(source, frame_pixels) if is_video else image_pixels(source)
    rows = prepared_rows(source, Modality.AUDIO, kept)
    if network.variant.frontend is Frontend.LIBROSA:
        return rows
    prepare = sound.prepare_for(loaded.embedder.input_shape, loaded.frontend)
    return sound.network_inputs(reblocked(rows, BLOCK_SAMPLES), network.framing, prepare)


def reblocked(blocks: Iterable[npt.NDArray[Any]], size: int) -> Iterator[npt.NDArray[Any]]:
    """Yield the same samples in blocks of `size`, the last of which may be shorter.

    Raises
    ------
    OpenL3Error
        If a sample is not finite in their type.
    """
    held: list[npt.NDArray[Any]] = []
    room = size
    for block in blocks:
        if not np.isfinite(block).all():
            raise OpenL3Error("It holds numbers that are not finite.")
        while len(block):
            held.append(block[:room])
            block = block[room:]
            room -= len(held[-1])
            if not room:
                yield np.concatenate(held)
                held, room = [], size
    if held:
        yield np.concatenate(held)

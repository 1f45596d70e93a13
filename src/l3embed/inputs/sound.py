"""Audio of any kind to what an audio model takes in, and through it to embeddings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.decoding.audio import BLOCK_S
from l3embed.errors import OpenL3Error
from l3embed.frontends import kapre as kapre_frontend
from l3embed.frontends import librosa as librosa_frontend
from l3embed.inputs.findings import Findings
from l3embed.inputs.windows import Framer, Framing, MonoStream
from l3embed.profiling import Phase, phase
from l3embed.variants import SAMPLES_SHAPE, SPECTROGRAMS, Frontend, InputRepr

SPECTROGRAM_BATCH = 8
"""Windows whose spectrograms are computed at a time."""

FRONTENDS = {
    Frontend.KAPRE: kapre_frontend.spectrograms,
    Frontend.LIBROSA: librosa_frontend.spectrograms,
}
"""What computes spectrograms before the network."""

Windows = npt.NDArray[np.floating]
Blocks = Iterable[npt.NDArray[Any]]
Inputs = Iterator[Windows | Callable[[], Windows]]
"""The network's inputs block by block, or functions that compute them, for whatever thread."""

Prepare = Callable[[Windows], Inputs]


def as_samples(windows: Windows) -> Inputs:
    """Shape windows for a model that computes spectrograms itself: ``(n, 48000)`` to ``(n, 1, 48000)``."""
    yield windows[:, np.newaxis, :]


def as_spectrograms(input_repr: InputRepr, frontend: Frontend) -> Prepare:
    """Return what has spectrograms computed for a network without a frontend: ``(n, frequency, time, 1)``."""

    def prepare(windows: Windows) -> Inputs:
        for start in range(0, len(windows), SPECTROGRAM_BATCH):
            yield partial(_spectrograms, windows[start : start + SPECTROGRAM_BATCH], input_repr, frontend)

    return prepare


def _spectrograms(windows: Windows, input_repr: InputRepr, frontend: Frontend) -> Windows:
    with phase(Phase.FRONTEND):
        return FRONTENDS[frontend](windows, input_repr)


def compute_here(inputs: Inputs) -> Iterator[Windows]:
    """Yield the network's inputs as arrays, computed in this thread."""
    for block in inputs:
        yield block() if callable(block) else block


def mono_blocks(
    blocks: Blocks, sample_rate_hz: float, findings: Findings
) -> Iterator[npt.NDArray[np.float64]]:
    """Turn blocks at any rate, ``(N,)`` or ``(N, channels)``, into blocks of 48 kHz mono samples.

    Parameters
    ----------
    blocks : iterable of np.ndarray
        The recording.
    sample_rate_hz : float
        Its rate.
    findings : Findings
        Is filled in when the last block has been yielded.

    Raises
    ------
    OpenL3Error
        If the samples are none, too few for one at 48 kHz, not finite, or of a wrong shape or type.
    """
    stream = MonoStream(sample_rate_hz)
    for block in blocks:
        with phase(Phase.RESAMPLE):
            mono = stream.feed(block)
        yield mono
    with phase(Phase.RESAMPLE):
        rest = stream.finish()
    yield rest
    findings.duration_s, findings.sample_rate_hz = stream.samples_in / sample_rate_hz, sample_rate_hz
    findings.is_silent, findings.is_short = stream.is_silent, stream.is_short


def network_inputs(mono: Iterable[npt.NDArray[np.floating]], framing: Framing, prepare: Prepare) -> Inputs:
    """Cut 48 kHz mono blocks into windows and prepare them for the network, block by block.

    Without any block, as of a video that has no sound, there is no window.
    """
    framer: Framer | None = None
    for block in mono:
        framer = framer or Framer(framing)
        yield from prepare(framer.feed(block))
    if framer:
        yield from prepare(framer.finish())


def array_blocks(audio: npt.NDArray[Any], sample_rate_hz: float) -> Iterator[npt.NDArray[Any]]:
    """Go through an array, ``(N,)`` or ``(N, channels)``, in blocks, as through a file."""
    if not audio.ndim:
        raise OpenL3Error("Audio must have shape (samples,) or (samples, channels); got a single number.")
    step = max(1, int(BLOCK_S * sample_rate_hz))
    for start in range(0, max(1, len(audio)), step):
        yield audio[start : start + step]


def prepare_for(input_shape: tuple[int, ...], frontend: Frontend | None = None) -> Prepare:
    """Return what prepares windows for a model, judged by the shape that it takes in.

    Parameters
    ----------
    input_shape : tuple[int, ...]
        Of one item.
    frontend : Frontend or None
        What computes the spectrograms, if those are what it takes in; None, as of a given model that
        l3embed did not load: librosa, the one frontend whose models take in any.

    Raises
    ------
    OpenL3Error
        If it is the shape of no audio model.
    """
    if input_shape == SAMPLES_SHAPE:
        return as_samples
    for input_repr, spectrogram in SPECTROGRAMS.items():
        if input_shape == spectrogram.input_shape:
            return as_spectrograms(input_repr, frontend or Frontend.LIBROSA)
    allowed = [SAMPLES_SHAPE, *(shape.input_shape for shape in SPECTROGRAMS.values())]
    raise OpenL3Error(
        f"The model must take in one of the shapes {', '.join(map(str, allowed))}; it takes {input_shape}. "
        "Load one with load_audio_embedding_model."
    )

"""Embeddings of audio that arrives bit by bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.core.arguments import check_array, parse_sample_rates
from l3embed.core.arrays import Embedding, Timestamps
from l3embed.core.options import AudioOptions, RunOptions
from l3embed.errors import OpenL3Error
from l3embed.inputs import sound as audio_inputs
from l3embed.inputs.windows import Framer, MonoStream
from l3embed.variants import (
    AudioSize,
    ContentTypeName,
    DeviceName,
    FrontendName,
    InputReprName,
    PrecisionName,
)
from l3embed.weights.source import WeightsSource


class AudioEmbeddingStream:
    """Audio in blocks of any size, and each window's embedding as soon as the window is complete.

    All blocks together give what `get_audio_embedding` gives for the whole. Memory does not grow.

    Parameters
    ----------
    sr : int
        Sampling rate in Hz.
    model, input_repr, content_type, embedding_size, center, hop_size, batch_size, frontend
        As in `get_audio_embedding`.
    weights, device, runtime, precision, threads
        As in `get_audio_embedding`.

    Raises
    ------
    OpenL3Error
        If an argument is not as described, or weights are missing.

    Examples
    --------
    A microphone's blocks of 10 ms, and the windows that they complete:

    >>> import l3embed, numpy as np
    >>> stream = l3embed.AudioEmbeddingStream(
    ...     48_000, input_repr="mel128", embedding_size=512, hop_size=0.5, center=False
    ... )
    >>> microphone = np.random.default_rng(0).uniform(-0.1, 0.1, (120, 480))
    >>> for block in microphone:
    ...     embedding, timestamps = stream.feed(block)
    ...     if len(timestamps):
    ...         print(embedding.shape, timestamps)
    (1, 512) [0.]
    >>> embedding, timestamps = stream.finish()
    >>> embedding.shape, timestamps
    ((1, 512), array([0.5]))
    """

    def __init__(
        self,
        sr: float,
        model: Any = None,
        input_repr: InputReprName | None = None,
        content_type: ContentTypeName = "music",
        embedding_size: AudioSize = 6144,
        center: bool = True,
        hop_size: float = 0.1,
        batch_size: int = 32,
        frontend: FrontendName = "kapre",
        *,
        weights: str | WeightsSource | None = None,
        device: DeviceName = "auto",
        runtime: str = "auto",
        precision: PrecisionName = "float32",
        threads: int = 0,
    ) -> None:
        run = RunOptions(weights, device, runtime, precision, threads)
        options = AudioOptions(
            model, input_repr, content_type, embedding_size, center, hop_size, batch_size, frontend, run=run
        )
        request = options.parse()
        self._framing = options.parse_framing()
        self._mono = MonoStream(parse_sample_rates(sr, 1)[0])
        self._framer = Framer(self._framing)
        self._batch_size = request.batch_size
        self._model = model  # a Keras model's embedder lives as long as the model
        self._network = request.load()
        self._prepare = audio_inputs.prepare_for(self._network.embedder.input_shape, self._network.frontend)
        self._frames = 0
        self._is_finished = False

    def feed(self, block: npt.NDArray[Any]) -> tuple[Embedding, Timestamps]:
        """Take the next samples, and return the embeddings of the windows that they complete.

        Parameters
        ----------
        block : np.ndarray [shape=(N,) or (N, C)]
            Any number of samples; channels are averaged. Blocks ``(C, N)`` have to be turned, as
            `get_audio_embedding` says.

        Returns
        -------
        embedding : np.ndarray [shape=(n, D)]
            Often of no window yet: n is 0.
        timestamps : np.ndarray [shape=(n,)]
            Seconds since the start of the stream.

        Raises
        ------
        OpenL3Error
            If the block has another shape or type, or NaN samples, or comes after the end.
        """
        self._check_open()
        check_array("block", block)
        return self._embed(self._framer.feed(self._mono.feed(block)))

    def finish(self) -> tuple[Embedding, Timestamps]:
        """End the stream, and return the embeddings of its last windows, filled up with zeros.

        Raises
        ------
        OpenL3Error
            If no samples came, or the stream was ended before.
        """
        self._check_open()
        self._is_finished = True
        parts = [self._embed(self._framer.feed(self._mono.finish())), self._embed(self._framer.finish())]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _check_open(self) -> None:
        if self._is_finished:
            raise OpenL3Error("The stream has been finished. Make a new one for more audio.")

    def _embed(self, windows: npt.NDArray[np.floating]) -> tuple[Embedding, Timestamps]:
        embedder = self._network.embedder
        embeddings: list[Embedding] = [np.empty((0, embedder.embedding_size), np.float32)]
        for inputs in audio_inputs.compute_here(self._prepare(windows)) if len(windows) else ():
            for start in range(0, len(inputs), self._batch_size):
                batch = inputs[start : start + self._batch_size].astype(np.float32)
                embeddings.append(embedder.embed(batch))
        timestamps = self._framing.timestamps_s(len(windows), first=self._frames)
        self._frames += len(windows)
        return np.concatenate(embeddings), timestamps

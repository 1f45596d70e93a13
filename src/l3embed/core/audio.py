"""Audio: embeddings of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from l3embed.core.arguments import check_channels, name_of, parse_arrays, parse_sample_rates
from l3embed.core.arrays import Embedding, Timestamps, embed_into_arrays
from l3embed.core.options import AudioOptions, Request, RunOptions, parse_framing
from l3embed.errors import OpenL3Error
from l3embed.inputs import sound as audio_inputs
from l3embed.inputs.findings import Findings
from l3embed.inputs.resampling import resampled_length
from l3embed.inputs.windows import Framing
from l3embed.variants import (
    SAMPLE_RATE_HZ,
    AudioSize,
    ContentTypeName,
    DeviceName,
    Frontend,
    FrontendName,
    InputRepr,
    InputReprName,
    PrecisionName,
    parse_choice,
)
from l3embed.weights.source import WeightsSource


@overload
def get_audio_embedding(
    audio: npt.NDArray[Any],
    sr: float,
    model: Any = None,
    input_repr: InputReprName | None = None,
    content_type: ContentTypeName = "music",
    embedding_size: AudioSize = 6144,
    center: bool = True,
    hop_size: float = 0.1,
    batch_size: int = 32,
    frontend: FrontendName = "kapre",
    verbose: bool | int = True,
    *,
    weights: str | WeightsSource | None = None,
    device: DeviceName = "auto",
    runtime: str = "auto",
    precision: PrecisionName = "float32",
    threads: int = 0,
) -> tuple[Embedding, Timestamps]: ...


@overload
def get_audio_embedding(
    audio: list[Any],
    sr: float | list[float],
    model: Any = None,
    input_repr: InputReprName | None = None,
    content_type: ContentTypeName = "music",
    embedding_size: AudioSize = 6144,
    center: bool = True,
    hop_size: float = 0.1,
    batch_size: int = 32,
    frontend: FrontendName = "kapre",
    verbose: bool | int = True,
    *,
    weights: str | WeightsSource | None = None,
    device: DeviceName = "auto",
    runtime: str = "auto",
    precision: PrecisionName = "float32",
    threads: int = 0,
) -> tuple[list[Embedding], list[Timestamps]]: ...


def get_audio_embedding(
    audio: npt.NDArray[Any] | list[Any],
    sr: float | list[float],
    model: Any = None,
    input_repr: InputReprName | None = None,
    content_type: ContentTypeName = "music",
    embedding_size: AudioSize = 6144,
    center: bool = True,
    hop_size: float = 0.1,
    batch_size: int = 32,
    frontend: FrontendName = "kapre",
    verbose: bool | int = True,
    *,
    weights: str | WeightsSource | None = None,
    device: DeviceName = "auto",
    runtime: str = "auto",
    precision: PrecisionName = "float32",
    threads: int = 0,
) -> tuple[Embedding | list[Embedding], Timestamps | list[Timestamps]]:
    """Compute the embeddings of audio, one for each window of one second.

    Parameters
    ----------
    audio : np.ndarray [shape=(N,) or (N, C)] or list[np.ndarray]
        Samples, or several recordings; channels are averaged. librosa and torchaudio have channels first,
        ``(C, N)``, as in ``(2, 480000)``: pass ``y.T`` of ``librosa.load(path, sr=None, mono=False)``, and
        ``waveform.numpy().T`` of ``torchaudio.load(path)``. soundfile has them last, as they belong here.
    sr : int or list[int]
        Sampling rate in Hz, of all or of each; what is not at 48 kHz is resampled.
    model : keras.Model or None
        A loaded model; then `input_repr`, `content_type`, `embedding_size` and `weights` are ignored.
    input_repr : "linear", "mel128", "mel256" or None
        Spectrogram that the model was trained on. None is mel256, as in the release (the tutorial of
        OpenL3 says mel128).
    content_type : "music" or "env"
        What the videos of the training set showed.
    embedding_size : 6144 or 512
        Embedding dimension D.
    center : bool
        Whether half a second of zeros goes in front, so that timestamps are the windows' centres.
    hop_size : float
        Seconds from one window to the next.
    batch_size : int
        Windows that go through the network at once.
    frontend : "kapre", "librosa" or "kapre_graph"
        What computes the spectrograms. The first two differ by design, and so do the embeddings.
        "kapre_graph" is kapre where the network runs: quick on a GPU; in Keras with other numbers there.
    verbose : bool
        Whether to draw a progress bar.
    weights : "published", "random", "random:SEED", a directory's path, or None
        Where the weights come from; None: as the environment variable ``L3EMBED_WEIGHTS`` says.
    device : "auto", "cpu" or "gpu"
        Where the model runs; "auto" is the GPU where there is one.
    runtime : "auto", or a name in `l3embed.runtimes.choice.RUNTIMES`, as "keras" or "ncnn"
        What it runs in; "auto" takes what is fastest here. All give the same numbers.
    precision : "float32", "tf32", "bfloat16", "float16" or "int8"
        What the convolutions compute in. Only float32 gives the reference's numbers. bfloat16 is faster on
        hardware that has it, else refused, and off by up to 1 % of the largest magnitude, with a cosine of
        0.9999 or more (measured with the seeded weights). tf32 is NVIDIA GPUs' alone, and float16 GPUs' in
        runtime "torch". int8 is CPUs' in runtime "openvino", and needs ``pip install 'l3embed[int8]'`` once:
        the network is made of the weights, in a minute, and kept. Of a given model it is the model's own.
    threads : int
        Threads on the CPU; 0: as many as this process may use.

    Returns
    -------
    embedding : np.ndarray [shape=(T, D)] or list[np.ndarray]
        Embeddings, float32.
    timestamps : np.ndarray [shape=(T,)] or list[np.ndarray]
        Times of the windows in seconds.

    Raises
    ------
    OpenL3Error
        If an argument is not as described, the audio is empty or has NaN samples, or weights are missing.

    Warns
    -----
    OpenL3Warning
        If the audio is silent or shorter than a window, or the weights are untrained.

    Examples
    --------
    >>> import l3embed, numpy as np
    >>> tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(96_000) / 48_000)
    >>> options = {"input_repr": "mel128", "embedding_size": 512, "hop_size": 0.5, "verbose": False}
    >>> emb, ts = l3embed.get_audio_embedding(tone, 48_000, **options)
    >>> emb.shape, emb.dtype, ts
    ((4, 512), dtype('float32'), array([0. , 0.5, 1. , 1.5]))

    Channels that come first, as librosa and torchaudio have them, and several recordings at once:

    >>> stereo = np.stack([tone, tone])
    >>> stereo.shape
    (2, 96000)
    >>> embs, times = l3embed.get_audio_embedding([stereo.T, tone[:48_000]], 48_000, **options)
    >>> [emb.shape for emb in embs]
    [(4, 512), (2, 512)]
    """
    run = RunOptions(weights, device, runtime, precision, threads)
    options = AudioOptions(
        model, input_repr, content_type, embedding_size, center, hop_size, batch_size, frontend, verbose, run
    )
    request, framing = options.parse(), options.parse_framing()
    arrays = parse_arrays("audio", audio)
    embeddings = _embed_arrays(arrays, parse_sample_rates(sr, len(arrays)), framing, request)
    timestamps = [framing.timestamps_s(len(embedding)) for embedding in embeddings]
    if isinstance(audio, np.ndarray):
        return embeddings[0], timestamps[0]
    return embeddings, timestamps


def preprocess_audio(
    audio: npt.NDArray[Any] | list[Any],
    sr: float | list[float],
    hop_size: float = 0.1,
    input_repr: InputReprName | None = None,
    center: bool = True,
    **kw: object,
) -> npt.NDArray[np.floating]:
    """Turn audio into what a model takes in.

    Parameters
    ----------
    audio : np.ndarray [shape=(N,) or (N, C)] or list[np.ndarray]
        Samples, or several recordings, whose windows then follow one another. Arrays of librosa and
        torchaudio, ``(C, N)``, have to be turned, as `get_audio_embedding` says.
    sr : int or list[int]
        Sampling rate in Hz, of all or of each.
    hop_size : float
        Seconds from one window to the next.
    input_repr : "linear", "mel128", "mel256" or None
        Spectrogram to compute, for a model with the librosa frontend; None for one with kapre's.
    center : bool
        Whether half a second of zeros goes in front.
    **kw
        Stands in the documented signature; no option is left to pass, so that any is an error.

    Returns
    -------
    np.ndarray [shape=(T, frequency, time, 1) or (T, 1, 48000)]
        Spectrograms, or without `input_repr` windows of samples. All are held at once:
        5 MB for each second of audio at the default hop. `get_audio_embedding` does not need that.

    Raises
    ------
    OpenL3Error
        If an argument is not as described, or the audio is empty or has NaN samples.

    Examples
    --------
    >>> import l3embed, numpy as np
    >>> noise = np.random.default_rng(0).uniform(-0.1, 0.1, 48_000)
    >>> l3embed.preprocess_audio(noise, 48_000, hop_size=0.5).shape
    (2, 1, 48000)
    >>> l3embed.preprocess_audio(noise, 48_000, hop_size=0.5, input_repr="mel128").shape
    (2, 128, 199, 1)
    """
    framing = parse_framing(hop_size, center)
    if kw:
        raise OpenL3Error(f"preprocess_audio takes no further options; got {', '.join(kw)}.")
    prepare: audio_inputs.Prepare = audio_inputs.as_samples
    if input_repr is not None:
        prepare = audio_inputs.as_spectrograms(
            parse_choice(InputRepr, "input_repr", input_repr), Frontend.LIBROSA
        )
    parts = []
    arrays = parse_arrays("audio", audio)
    if not arrays:
        raise OpenL3Error("audio must be an array, or a list of at least one; got an empty list.")
    for index, (array, rate) in enumerate(zip(arrays, parse_sample_rates(sr, len(arrays)), strict=True)):
        check_channels(name_of(index, "Audio", audio), array)
        findings = Findings()
        mono = audio_inputs.mono_blocks(audio_inputs.array_blocks(array, rate), rate, findings)
        inputs = audio_inputs.network_inputs(mono, framing, prepare)
        parts += [np.array(block) for block in audio_inputs.compute_here(inputs)]
        findings.warn(name_of(index, "Audio", audio))
    return np.concatenate(parts)


def _embed_arrays(
    arrays: Sequence[npt.NDArray[Any]], rates: Sequence[float], framing: Framing, request: Request
) -> list[Embedding]:
    for index, array in enumerate(arrays):
        check_channels(name_of(index, "Audio", arrays), array)
    network = request.load()
    prepare = audio_inputs.prepare_for(network.embedder.input_shape, network.frontend)
    findings = [Findings() for _ in arrays]

    def inputs(index: int) -> audio_inputs.Inputs:
        rate = rates[index]
        mono = audio_inputs.mono_blocks(audio_inputs.array_blocks(arrays[index], rate), rate, findings[index])
        return audio_inputs.network_inputs(mono, framing, prepare)

    counts = [
        framing.frames(_samples_at_48_khz(array, rate)) for array, rate in zip(arrays, rates, strict=True)
    ]
    embeddings = embed_into_arrays(network.embedder, counts, inputs, request, unit="window")
    for index, found in enumerate(findings):
        found.warn(name_of(index, "Audio", arrays))
    return embeddings


def _samples_at_48_khz(array: npt.NDArray[Any], rate: float) -> int:
    samples = len(array) if array.ndim else 0
    return samples if rate == SAMPLE_RATE_HZ else resampled_length(samples, rate)

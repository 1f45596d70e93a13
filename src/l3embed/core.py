"""Embeddings of arrays and of files. Mirrors ``openl3.core``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from l3embed import audio as audio_inputs
from l3embed import models
from l3embed.audio import Heard
from l3embed.errors import OpenL3Error
from l3embed.files import FileJob, embed_audio_files
from l3embed.outputs import output_path
from l3embed.progress import progress_bar
from l3embed.resampling import resampled_length
from l3embed.runtimes.batching import embed_sources
from l3embed.runtimes.keras import keras_embedder, prepare_tensorflow
from l3embed.variants import SAMPLE_RATE_HZ, AudioVariant, Frontend, InputRepr, check_one_of, parse_choice
from l3embed.windows import Framing

if TYPE_CHECKING:
    from l3embed.weights.source import WeightsSource

Embedding = npt.NDArray[np.float32]
Timestamps = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AudioRequest:
    """The arguments that the audio functions share, checked."""

    variant: AudioVariant
    model: Any
    weights: str | WeightsSource | None
    framing: Framing
    batch_size: int
    verbose: bool

    def load_model(self) -> Any:
        """Return the given model, or the variant's."""
        if self.model is not None:
            return self.model
        return models.load_audio_variant(self.variant, models.as_weights_source(self.weights))


def get_audio_embedding(
    audio: npt.NDArray[Any] | list[npt.NDArray[Any]],
    sr: float | list[float],
    model: Any = None,
    input_repr: str | None = None,
    content_type: str = "music",
    embedding_size: int = 6144,
    center: bool = True,
    hop_size: float = 0.1,
    batch_size: int = 32,
    frontend: str = "kapre",
    verbose: bool | int = True,
    *,
    weights: str | WeightsSource | None = None,
) -> tuple[Embedding, Timestamps] | tuple[list[Embedding], list[Timestamps]]:
    """Compute the embeddings of audio, one for each window of one second.

    Parameters
    ----------
    audio : np.ndarray [shape=(N,) or (N, C)] or list[np.ndarray]
        Samples, or several recordings; channels are averaged.
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
    frontend : "kapre" or "librosa"
        What computes the spectrograms. They differ by design, and so do the embeddings.
    verbose : bool
        Whether to draw a progress bar.
    weights : "published", "random", "random:SEED", a directory's path, or None
        Where the weights come from; None: as the environment variable ``L3EMBED_WEIGHTS`` says.

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
    """
    variant = models.parse_audio_variant(input_repr, content_type, embedding_size, frontend)
    request = audio_request(
        variant,
        model,
        weights,
        framing=parse_framing(hop_size, center),
        batch_size=batch_size,
        verbose=verbose,
    )
    arrays, rates = _pair_audio_with_rates(audio, sr)
    embeddings = _embed_arrays(arrays, rates, request)
    timestamps = [request.framing.timestamps_s(len(embedding)) for embedding in embeddings]
    if isinstance(audio, np.ndarray):
        return embeddings[0], timestamps[0]
    return embeddings, timestamps


def preprocess_audio(
    audio: npt.NDArray[Any] | list[npt.NDArray[Any]],
    sr: float | list[float],
    hop_size: float = 0.1,
    input_repr: str | None = None,
    center: bool = True,
    **kw: object,
) -> npt.NDArray[np.floating]:
    """Turn audio into what a model takes in.

    Parameters
    ----------
    audio : np.ndarray [shape=(N,) or (N, C)] or list[np.ndarray]
        Samples, or several recordings, whose windows then follow one another.
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
    """
    framing = parse_framing(hop_size, center)
    if kw:
        raise OpenL3Error(f"preprocess_audio takes no further options; got {', '.join(kw)}.")
    prepare: audio_inputs.Prepare = audio_inputs.as_samples
    if input_repr is not None:
        prepare = audio_inputs.as_spectrograms(parse_choice(InputRepr, "input_repr", input_repr))
    parts = []
    for index, (array, rate) in enumerate(zip(*_pair_audio_with_rates(audio, sr), strict=True)):
        heard = Heard()
        mono = audio_inputs.mono_blocks(audio_inputs.array_blocks(array, rate), rate, heard)
        parts += [np.array(block) for block in audio_inputs.network_inputs(mono, framing, prepare)]
        heard.warn(_name_of(index, audio))
    return np.concatenate(parts)


def process_audio_file(
    filepath: str | os.PathLike[str] | list[str],
    output_dir: str | os.PathLike[str] | None = None,
    suffix: str | None = None,
    model: Any = None,
    input_repr: str | None = None,
    content_type: str = "music",
    embedding_size: int = 6144,
    center: bool = True,
    hop_size: float = 0.1,
    batch_size: int = 32,
    overwrite: bool = False,
    frontend: str = "kapre",
    verbose: bool | int = True,
    *,
    weights: str | WeightsSource | None = None,
) -> None:
    """Compute the embeddings of audio files and save each file's to an ``.npz``.

    An output holds ``embedding`` (T, D), ``timestamps`` (T,), and what they were computed with:
    ``variant``, ``weights`` and ``version``. It appears when it is whole. Every file that can be done is
    done, whatever happens to the others. Memory does not grow with the files.

    Parameters
    ----------
    filepath : str or list[str]
        Path or paths of audio files.
    output_dir : str or None
        Folder of the outputs, made if it is not there; the folder of each input if None.
    suffix : str or None
        Added to the names of the outputs: ``<name>_<suffix>.npz`` instead of ``<name>.npz``.
    model, input_repr, content_type, embedding_size, center, hop_size, batch_size, frontend, weights
        As in `get_audio_embedding`.
    overwrite : bool
        Whether to compute what has an output already.
    verbose : bool
        Whether to say what is going on.

    Raises
    ------
    FilesError
        An `OpenL3Error`, after all else is done, if files failed: their reasons are in ``failures``.
    OpenL3Error
        Before anything is done, if an argument is not as described, or two inputs have one output.
    """
    variant = models.parse_audio_variant(input_repr, content_type, embedding_size, frontend)
    request = audio_request(
        variant,
        model,
        weights,
        framing=parse_framing(hop_size, center),
        batch_size=batch_size,
        verbose=verbose,
    )
    folder = None if output_dir is None else os.fspath(output_dir)
    outputs = {path: get_output_path(path, f"{suffix or ''}.npz", folder) for path in _parse_paths(filepath)}
    job = FileJob(outputs, request.framing, request.batch_size, overwrite=overwrite, verbose=request.verbose)
    embed_audio_files(job, request.load_model)


def get_output_path(filepath: str, suffix: str, output_dir: str | None = None) -> str:
    """Return the path of the output that belongs to an input.

    Parameters
    ----------
    filepath : str
        Path of the input.
    suffix : str
        What follows the input's name, ending included: ``.npz``, or ``a.npz`` for ``<name>_a.npz``.
    output_dir : str or None
        Folder of the output; the input's if None.
    """
    return output_path(filepath, suffix, output_dir)


def parse_framing(hop_size: Any, center: object) -> Framing:
    """Check the arguments that say how audio is cut into windows.

    Raises
    ------
    OpenL3Error
        If the hop is not a positive number of seconds, or `center` neither True nor False.
    """
    if not _is_positive_number(hop_size):
        raise OpenL3Error(f"hop_size must be a positive number of seconds; got {hop_size!r}.")
    check_one_of("center", center, (True, False))
    return Framing(hop_s=float(hop_size), center=bool(center))


def audio_request(
    variant: AudioVariant,
    model: Any,
    weights: str | WeightsSource | None,
    *,
    framing: Framing,
    batch_size: object,
    verbose: object,
) -> AudioRequest:
    """Check the other arguments that the audio functions share.

    Raises
    ------
    OpenL3Error
        Naming the argument, what came and what is allowed.
    """
    if not isinstance(batch_size, Integral) or isinstance(batch_size, bool) or batch_size < 1:
        raise OpenL3Error(f"batch_size must be a positive integer; got {batch_size!r}.")
    check_one_of("verbose", verbose, (True, False))
    if model is not None:
        _check_model(model, variant.frontend)
    return AudioRequest(variant, model, weights, framing, int(batch_size), bool(verbose))


def _check_model(model: Any, frontend: Frontend) -> None:
    """Check that a model is one, and of the frontend that it is used with."""
    prepare_tensorflow()
    import keras

    if not isinstance(model, keras.Model):
        raise OpenL3Error(f"model must be a keras.Model or None; got {type(model).__name__}.")
    audio_inputs.prepare_for(tuple(model.input_shape[1:]))
    found = (
        Frontend.KAPRE if len(model.input_shape) == len(("batch", "channel", "samples")) else Frontend.LIBROSA
    )
    if found is not frontend:
        raise OpenL3Error(
            f"The model takes in {'samples' if found is Frontend.KAPRE else 'spectrograms'}, which is the "
            f"{found.value} frontend; got frontend={frontend.value!r}. Pass frontend={found.value!r}."
        )


def _pair_audio_with_rates(audio: Any, sr: Any) -> tuple[list[npt.NDArray[Any]], list[float]]:
    """Return one array and one sampling rate for each recording."""
    arrays = audio if isinstance(audio, list) else [audio]
    for array in arrays:
        if not isinstance(array, np.ndarray):
            raise OpenL3Error(f"audio must be a NumPy array or a list of them; got {type(array).__name__}.")
    rates = list(sr) if isinstance(sr, (list, tuple)) else [sr] * len(arrays)
    if len(rates) != len(arrays):
        raise OpenL3Error(f"sr must be one rate, or one for each of {len(arrays)} arrays; got {len(rates)}.")
    for rate in rates:
        if not _is_positive_number(rate):
            raise OpenL3Error(f"sr must be a positive number of Hz, or a list of them; got {rate!r}.")
    return arrays, [float(rate) for rate in rates]


def _is_positive_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and 0 < float(value) < float("inf")


def _parse_paths(filepath: Any) -> list[str]:
    paths = filepath if isinstance(filepath, list) else [filepath]
    for path in paths:
        if not isinstance(path, (str, os.PathLike)):
            raise OpenL3Error(f"filepath must be a path or a list of paths; got {type(path).__name__}.")
    return [os.fspath(path) for path in paths]


def _embed_arrays(
    arrays: Sequence[npt.NDArray[Any]], rates: Sequence[float], request: AudioRequest
) -> list[Embedding]:
    """Embed arrays, each into its own result."""
    heard = [Heard() for _ in arrays]
    embedder = keras_embedder(request.load_model())
    prepare = audio_inputs.prepare_for(embedder.input_shape)
    frames = [
        request.framing.frames(_samples_at_48_khz(array, rate))
        for array, rate in zip(arrays, rates, strict=True)
    ]
    results: list[Embedding] = [np.empty((count, embedder.embedding_size), np.float32) for count in frames]
    filled = [0] * len(arrays)

    def sources() -> Iterator[tuple[int, audio_inputs.Inputs]]:
        for index, (array, rate) in enumerate(zip(arrays, rates, strict=True)):
            mono = audio_inputs.mono_blocks(audio_inputs.array_blocks(array, rate), rate, heard[index])
            yield index, audio_inputs.network_inputs(mono, request.framing, prepare)

    with progress_bar("Embedding", total=sum(frames), unit="window", enabled=request.verbose) as bar:
        for piece in embed_sources(embedder, sources(), request.batch_size):
            if piece.error:
                raise piece.error
            start = filled[piece.key]
            results[piece.key][start : start + len(piece.embeddings)] = piece.embeddings
            filled[piece.key] += len(piece.embeddings)
            bar.update(len(piece.embeddings))
            if piece.is_last:
                heard[piece.key].warn(_name_of(piece.key, arrays))
    return results


def _samples_at_48_khz(array: npt.NDArray[Any], rate: float) -> int:
    samples = len(array) if array.ndim else 0
    return samples if rate == SAMPLE_RATE_HZ else resampled_length(samples, rate)


def _name_of(index: int, audio: object) -> str:
    return f"Audio {index}" if isinstance(audio, list) and len(audio) > 1 else "The audio"

"""Video files: embeddings of their sound and of their frames."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from l3embed.core.arguments import parse_outputs
from l3embed.core.files import FileJob, Medium, embed_files
from l3embed.core.options import AudioOptions, ImageOptions, RunOptions, parse_reading
from l3embed.decoding.reading import AS_OPENL3, Reading
from l3embed.errors import FilesError
from l3embed.variants import (
    AudioSize,
    ContentTypeName,
    DeviceName,
    FrontendName,
    ImageSize,
    InputReprName,
    Media,
    Modality,
    PrecisionName,
)
from l3embed.weights.source import WeightsSource


def process_video_file(
    filepath: str | os.PathLike[str] | list[str],
    output_dir: str | os.PathLike[str] | None = None,
    suffix: str | None = None,
    audio_model: Any = None,
    image_model: Any = None,
    input_repr: InputReprName | None = None,
    content_type: ContentTypeName = "music",
    audio_embedding_size: AudioSize = 6144,
    audio_center: bool = True,
    audio_hop_size: float = 0.1,
    image_embedding_size: ImageSize = 8192,
    audio_batch_size: int = 32,
    image_batch_size: int = 32,
    audio_frontend: FrontendName = "kapre",
    overwrite: bool = False,
    verbose: bool | int = True,
    *,
    batch_size: int | None = None,
    weights: str | WeightsSource | None = None,
    device: DeviceName = "auto",
    runtime: str = "auto",
    precision: PrecisionName = "float32",
    threads: int = 0,
    on_damage: Literal["use", "skip"] = "use",
    image_precision: PrecisionName | None = None,
) -> None:
    """Compute the embeddings of the sound and of every frame of videos, and save them to ``.npz`` files.

    ``<name>_audio.npz`` holds ``embedding`` (T, D) and ``timestamps`` (T,) of the sound,
    ``<name>_image.npz`` those of the frames; the two have times of their own. Both also hold what they
    were computed with: ``variant``, ``weights`` and ``version``. A video without sound, or without
    frames, gets the file of what it has. Every file that can be done is done, and frames are never all
    held.

    Parameters
    ----------
    filepath : str or list[str]
        Path or paths of video files.
    output_dir : str or None
        Folder of the outputs, made if it is not there; the folder of each input if None.
    suffix : str or None
        Added to the names of the outputs: ``<name>_audio_<suffix>.npz``, ``<name>_image_<suffix>.npz``.
    audio_model, image_model : keras.Model or None
        Loaded models; then the options that choose one are ignored.
    input_repr : "linear", "mel128", "mel256" or None
        Spectrogram that the models were trained on. None is mel256, as in the release.
    content_type : "music" or "env"
        What the videos of the training set showed.
    audio_embedding_size : 6144 or 512
        Embedding dimension of the sound.
    audio_center : bool
        Whether half a second of zeros goes in front, so that timestamps are the windows' centres.
    audio_hop_size : float
        Seconds from one window to the next.
    image_embedding_size : 8192 or 512
        Embedding dimension of the frames.
    audio_batch_size, image_batch_size : int
        Windows and frames that go through the networks at once.
    audio_frontend : "kapre", "librosa" or "kapre_graph"
        What computes the spectrograms, as in `get_audio_embedding`.
    overwrite : bool
        Whether to compute what has an output already.
    verbose : bool
        Whether to say what is going on.
    batch_size : int or None
        Stands for both batch sizes, as an example of OpenL3's tutorial has it.
    weights, device, runtime, precision, threads
        As in `get_audio_embedding`.
    on_damage : "use" or "skip"
        As in `process_audio_file`.
    image_precision : str or None
        The precision of the network of images, if it is to be another than `precision`.

    Raises
    ------
    FilesError, OpenL3Error
        As `process_audio_file`.

    Warns
    -----
    OpenL3Warning
        If a video has no sound or no frames, its sound is silent, or the weights are untrained.

    Examples
    --------
    With a file that ``l3embed sample sample`` writes:

    >>> import l3embed, numpy as np
    >>> l3embed.process_video_file(
    ...     "sample/coffee_with_plucked_strings.mp4",
    ...     "embeddings",
    ...     audio_embedding_size=512,
    ...     audio_hop_size=0.5,
    ...     image_embedding_size=512,
    ...     verbose=False,
    ... )
    >>> with np.load("embeddings/coffee_with_plucked_strings_audio.npz") as sound:
    ...     sound["embedding"].shape
    (6, 512)
    >>> with np.load("embeddings/coffee_with_plucked_strings_image.npz") as frames:
    ...     frames["embedding"].shape
    (36, 512)
    """
    run = RunOptions(weights, device, runtime, precision, threads)
    audio_options = AudioOptions(
        audio_model,
        input_repr,
        content_type,
        audio_embedding_size,
        audio_center,
        audio_hop_size,
        audio_batch_size if batch_size is None else batch_size,
        audio_frontend,
        verbose,
        run,
    )
    image_batch = image_batch_size if batch_size is None else batch_size
    image_options = ImageOptions(
        image_model,
        input_repr or "mel256",
        content_type,
        image_embedding_size,
        image_batch,
        verbose,
        replace(run, precision=precision if image_precision is None else image_precision),
    )
    ending = f"_{suffix}" if suffix else ""
    process_video_outputs(
        parse_outputs(filepath, f"audio{ending}", output_dir),
        parse_outputs(filepath, f"image{ending}", output_dir),
        audio_options,
        image_options,
        parse_reading(on_damage=on_damage),
        overwrite=overwrite,
    )


def process_video_outputs(
    audio_outputs: dict[str, str],
    image_outputs: dict[str, str],
    audio_options: AudioOptions,
    image_options: ImageOptions,
    reading: Reading = AS_OPENL3,
    *,
    overwrite: bool = False,
) -> None:
    """Do what `process_video_file` does, with the same errors, with two given outputs for each input."""
    sound = Medium(Media.VIDEO, Modality.AUDIO, audio_options.parse_framing(), reading)
    frames = Medium(Media.VIDEO, Modality.IMAGE, reading=reading)
    audio_job = FileJob(audio_outputs, audio_options.parse(), overwrite)
    image_job = FileJob(image_outputs, image_options.parse(), overwrite)
    failures = {
        **_failures(lambda: embed_files(audio_job, sound)),
        **_failures(lambda: embed_files(image_job, frames)),
    }
    if failures:
        raise FilesError(failures, done=len(audio_outputs) - len(failures))


def _failures(process: Callable[[], None]) -> dict[str, str]:
    """Run one half, so that its failures do not cost the other half."""
    try:
        process()
    except FilesError as error:
        return error.failures
    return {}

"""Images: embeddings of arrays and of files."""

from __future__ import annotations

import os
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from l3embed.core.arguments import name_of, parse_arrays, parse_outputs, parse_rates
from l3embed.core.arrays import Array, Embedding, Timestamps, embed_into_arrays
from l3embed.core.files import FileJob, Medium, embed_files
from l3embed.core.options import ImageOptions, Request, RunOptions, parse_reading
from l3embed.decoding.reading import AS_OPENL3, Reading
from l3embed.errors import warn
from l3embed.inputs.pixels import check_images, pixel_blocks
from l3embed.variants import (
    ContentTypeName,
    DeviceName,
    ImageSize,
    InputReprName,
    Media,
    Modality,
    PrecisionName,
)
from l3embed.weights.source import WeightsSource


@overload
def get_image_embedding(
    image: npt.NDArray[Any],
    frame_rate: None = None,
    model: Any = None,
    input_repr: InputReprName = "mel256",
    content_type: ContentTypeName = "music",
    embedding_size: ImageSize = 8192,
    batch_size: int = 32,
    verbose: bool | int = True,
    *,
    weights: str | WeightsSource | None = None,
    device: DeviceName = "auto",
    runtime: str = "auto",
    precision: PrecisionName = "float32",
    threads: int = 0,
) -> Embedding: ...


@overload
def get_image_embedding(
    image: list[Any],
    frame_rate: None = None,
    model: Any = None,
    input_repr: InputReprName = "mel256",
    content_type: ContentTypeName = "music",
    embedding_size: ImageSize = 8192,
    batch_size: int = 32,
    verbose: bool | int = True,
    *,
    weights: str | WeightsSource | None = None,
    device: DeviceName = "auto",
    runtime: str = "auto",
    precision: PrecisionName = "float32",
    threads: int = 0,
) -> list[Embedding]: ...


@overload
def get_image_embedding(
    image: npt.NDArray[Any],
    frame_rate: float | list[float],
    model: Any = None,
    input_repr: InputReprName = "mel256",
    content_type: ContentTypeName = "music",
    embedding_size: ImageSize = 8192,
    batch_size: int = 32,
    verbose: bool | int = True,
    *,
    weights: str | WeightsSource | None = None,
    device: DeviceName = "auto",
    runtime: str = "auto",
    precision: PrecisionName = "float32",
    threads: int = 0,
) -> tuple[Embedding, Timestamps]: ...


@overload
def get_image_embedding(
    image: list[Any],
    frame_rate: float | list[float],
    model: Any = None,
    input_repr: InputReprName = "mel256",
    content_type: ContentTypeName = "music",
    embedding_size: ImageSize = 8192,
    batch_size: int = 32,
    verbose: bool | int = True,
    *,
    weights: str | WeightsSource | None = None,
    device: DeviceName = "auto",
    runtime: str = "auto",
    precision: PrecisionName = "float32",
    threads: int = 0,
) -> tuple[list[Embedding], list[Timestamps]]: ...


def get_image_embedding(
    image: npt.NDArray[Any] | list[Any],
    frame_rate: float | list[float] | None = None,
    model: Any = None,
    input_repr: InputReprName = "mel256",
    content_type: ContentTypeName = "music",
    embedding_size: ImageSize = 8192,
    batch_size: int = 32,
    verbose: bool | int = True,
    *,
    weights: str | WeightsSource | None = None,
    device: DeviceName = "auto",
    runtime: str = "auto",
    precision: PrecisionName = "float32",
    threads: int = 0,
) -> Embedding | list[Embedding] | tuple[Embedding, Timestamps] | tuple[list[Embedding], list[Timestamps]]:
    """Compute the embeddings of images.

    Parameters
    ----------
    image : np.ndarray [shape=(H, W, 3) or (N, H, W, 3)] or list[np.ndarray]
        An image, a sequence, or several of either, of any integer or float type. The range that they
        are brought to is told at `l3embed.inputs.pixels.preprocess_images`: not quite the documented one.
    frame_rate : float, list[float] or None
        Images a second, of all or of each sequence; with it, timestamps are returned.
    model : keras.Model or None
        A loaded model; then `input_repr`, `content_type`, `embedding_size` and `weights` are ignored.
    input_repr : "linear", "mel128", or "mel256"
        Spectrogram that the audio network was trained on, together with this one.
    content_type : "music" or "env"
        What the videos of the training set showed.
    embedding_size : 8192 or 512
        Embedding dimension D.
    batch_size : int
        Images that go through the network at once.
    verbose : bool
        Whether to draw a progress bar.
    weights, device, runtime, precision, threads
        As in `get_audio_embedding`.

    Returns
    -------
    embedding : np.ndarray [shape=(N, D)] or list[np.ndarray]
        Embeddings, float32; of one image (1, D), as the release has it (its tutorial says (D,)).
    timestamps : np.ndarray [shape=(N,)] or list[np.ndarray]
        Times of the images in seconds. Only if `frame_rate` is given.

    Raises
    ------
    OpenL3Error
        If an argument is not as described, an image is too small or not RGB, or weights are missing.

    Warns
    -----
    OpenL3Warning
        If an image is all zeros, or the weights are untrained.

    Examples
    --------
    >>> import l3embed, numpy as np
    >>> image = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    >>> l3embed.get_image_embedding(image, embedding_size=512, verbose=False).shape
    (1, 512)
    >>> frames = np.stack([image, image[:, ::-1]])
    >>> emb, ts = l3embed.get_image_embedding(frames, frame_rate=25, embedding_size=512, verbose=False)
    >>> emb.shape, ts
    ((2, 512), array([0.  , 0.04]))
    """
    run = RunOptions(weights, device, runtime, precision, threads)
    options = ImageOptions(model, input_repr, content_type, embedding_size, batch_size, verbose, run)
    request = options.parse()
    arrays = [check_images(array) for array in parse_arrays("image", image)]
    rates = None if frame_rate is None else parse_rates("frame_rate", frame_rate, len(arrays))
    embeddings = _embed_arrays(arrays, request)
    is_list = isinstance(image, list)
    if rates is None:
        return embeddings if is_list else embeddings[0]
    times = [np.arange(len(array)) / rate for array, rate in zip(arrays, rates, strict=True)]
    return (embeddings, times) if is_list else (embeddings[0], times[0])


def process_image_file(
    filepath: str | os.PathLike[str] | list[str],
    output_dir: str | os.PathLike[str] | None = None,
    suffix: str | None = None,
    model: Any = None,
    input_repr: InputReprName = "mel256",
    content_type: ContentTypeName = "music",
    embedding_size: ImageSize = 8192,
    batch_size: int = 32,
    overwrite: bool = False,
    verbose: bool | int = True,
    *,
    weights: str | WeightsSource | None = None,
    device: DeviceName = "auto",
    runtime: str = "auto",
    precision: PrecisionName = "float32",
    threads: int = 0,
    exif_rotation: bool = False,
    max_megapixels: float = 300,
) -> None:
    """Compute the embeddings of image files and save each file's to an ``.npz``.

    An output holds ``embedding`` (1, D), or (pages, D) of a file with several images, and what it was
    computed with: ``variant``, ``weights`` and ``version``. It appears when it is whole. Every file that can
    be done is done.

    Parameters
    ----------
    filepath : str or list[str]
        Path or paths of image files. Grey is made RGB, and an alpha channel is dropped.
    output_dir, suffix, overwrite, verbose
        As in `process_audio_file`.
    model, input_repr, content_type, embedding_size, batch_size, weights, device, runtime, precision, threads
        As in `get_image_embedding`.
    exif_rotation : bool
        Whether to turn photographs as their EXIF orientation says. OpenL3 does not: without it they are
        embedded as they are stored, with a warning at the first.
    max_megapixels : float
        Pictures with more millions of pixels are refused.

    Raises
    ------
    FilesError, OpenL3Error
        As `process_audio_file`.

    Examples
    --------
    With a file that ``l3embed sample sample`` writes:

    >>> import l3embed, numpy as np
    >>> l3embed.process_image_file(
    ...     "sample/photographs/grass/grass_01.png", "embeddings", embedding_size=512, verbose=False
    ... )
    >>> with np.load("embeddings/grass_01.npz") as saved:
    ...     saved["embedding"].shape
    (1, 512)
    """
    run = RunOptions(weights, device, runtime, precision, threads)
    options = ImageOptions(model, input_repr, content_type, embedding_size, batch_size, verbose, run)
    reading = parse_reading(exif_rotation=exif_rotation, max_megapixels=max_megapixels)
    outputs = parse_outputs(filepath, suffix, output_dir)
    process_image_outputs(outputs, options, reading, overwrite=overwrite)


def process_image_outputs(
    outputs: dict[str, str], options: ImageOptions, reading: Reading = AS_OPENL3, *, overwrite: bool = False
) -> None:
    """Do what `process_image_file` does, with the same errors, with a given output for each input."""
    medium = Medium(Media.IMAGE, Modality.IMAGE, reading=reading)
    embed_files(FileJob(outputs, options.parse(), overwrite), medium)


def _embed_arrays(arrays: list[Array], request: Request) -> list[Embedding]:
    for index, array in enumerate(arrays):
        if not array.any():
            name = name_of(index, "Image", arrays)
            warn(f"{name} is all zeros.")
    counts = [len(array) for array in arrays]
    return embed_into_arrays(
        request.load().embedder, counts, lambda index: pixel_blocks(arrays[index]), request, unit="image"
    )

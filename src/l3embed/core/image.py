"""Images: embeddings of arrays and of files."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from l3embed.core.arguments import name_of, parse_arrays, parse_outputs, parse_rates
from l3embed.core.arrays import Embedding, embed_into_arrays
from l3embed.core.files import FileJob, embed_files
from l3embed.core.options import ImageOptions, Request
from l3embed.errors import OpenL3Warning
from l3embed.inputs.media import ImageFiles
from l3embed.inputs.pixels import check_images, pixel_blocks

if TYPE_CHECKING:
    from l3embed.weights.source import WeightsSource


def get_image_embedding(
    image: npt.NDArray[Any] | list[Any],
    frame_rate: float | list[float] | None = None,
    model: Any = None,
    input_repr: str = "mel256",
    content_type: str = "music",
    embedding_size: int = 8192,
    batch_size: int = 32,
    verbose: bool | int = True,
    *,
    weights: str | WeightsSource | None = None,
    device: str = "auto",
    runtime: str = "auto",
    precision: str = "float32",
    threads: int = 0,
) -> Any:  # a union of the four possible results would have to be narrowed at every call
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
    weights : "published", "random", "random:SEED", a directory's path, or None
        Where the weights come from; None: as the environment variable ``L3EMBED_WEIGHTS`` says.
    device : "auto", "cpu" or "gpu"
        Where the model runs; "auto" is the GPU where there is one.
    runtime : "auto", or a name in `l3embed.runtimes.choice.RUNTIMES`, as "keras" or "openvino"
        What it runs in; "auto" takes what is fastest here. All give the same numbers.
    precision : "float32", "tf32" or "bfloat16"
        What the convolutions compute in. Only float32 gives the reference's numbers. bfloat16 is faster on
        hardware that has it, else refused, and off by up to 1 % of the largest magnitude, with a cosine of
        0.9999 or more (measured with the seeded weights). tf32 is NVIDIA GPUs' alone. Of a given model it
        is the model's own.
    threads : int
        Threads on the CPU; 0: as many as this process may use.

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
    """
    options = ImageOptions(
        model=model,
        input_repr=input_repr,
        content_type=content_type,
        embedding_size=embedding_size,
        batch_size=batch_size,
        verbose=verbose,
        weights=weights,
        device=device,
        runtime=runtime,
        precision=precision,
        threads=threads,
    )
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
    input_repr: str = "mel256",
    content_type: str = "music",
    embedding_size: int = 8192,
    batch_size: int = 32,
    overwrite: bool = False,
    verbose: bool | int = True,
    *,
    weights: str | WeightsSource | None = None,
    device: str = "auto",
    runtime: str = "auto",
    precision: str = "float32",
    threads: int = 0,
) -> None:
    """Compute the embeddings of image files and save each file's to an ``.npz``.

    An output holds ``embedding`` (1, D) and what it was computed with: ``variant``, ``weights`` and
    ``version``. It appears when it is whole. Every file that can be done is done.

    Parameters
    ----------
    filepath : str or list[str]
        Path or paths of image files. Grey is made RGB, and an alpha channel is dropped.
    output_dir : str or None
        Folder of the outputs, made if it is not there; the folder of each input if None.
    suffix : str or None
        Added to the names of the outputs: ``<name>_<suffix>.npz`` instead of ``<name>.npz``.
    model, input_repr, content_type, embedding_size, batch_size, weights, device, runtime, precision, threads
        As in `get_image_embedding`.
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
    options = ImageOptions(
        model=model,
        input_repr=input_repr,
        content_type=content_type,
        embedding_size=embedding_size,
        batch_size=batch_size,
        verbose=verbose,
        weights=weights,
        device=device,
        runtime=runtime,
        precision=precision,
        threads=threads,
    )
    process_image_outputs(parse_outputs(filepath, suffix, output_dir), options, overwrite=overwrite)


def process_image_outputs(outputs: dict[str, str], options: ImageOptions, *, overwrite: bool = False) -> None:
    """Do what `process_image_file` does, with a given output for each input.

    Raises
    ------
    OpenL3Error
        As `process_image_file`.
    """
    request = options.parse()
    job = FileJob(outputs, request.batch_size, overwrite=overwrite, verbose=request.verbose)
    embed_files(job, ImageFiles(), request)


def _embed_arrays(arrays: list[npt.NDArray[Any]], request: Request) -> list[Embedding]:
    for index, array in enumerate(arrays):
        if not array.any():
            name = name_of(index, "Image", arrays)
            warnings.warn(f"{name} is all zeros.", OpenL3Warning, stacklevel=3)
    counts = [len(array) for array in arrays]
    return embed_into_arrays(
        request.load().embedder, counts, lambda index: pixel_blocks(arrays[index]), request, unit="image"
    )

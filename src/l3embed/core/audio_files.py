"""Audio: embeddings of files."""

from __future__ import annotations

import os
from typing import Any, Literal

from l3embed.core.arguments import parse_outputs
from l3embed.core.files import FileJob, Medium, embed_files
from l3embed.core.options import AudioOptions, RunOptions, parse_reading
from l3embed.decoding.reading import AS_OPENL3, Reading
from l3embed.variants import (
    AudioSize,
    ContentTypeName,
    DeviceName,
    FrontendName,
    InputReprName,
    Media,
    Modality,
    PrecisionName,
)
from l3embed.weights.source import WeightsSource


def process_audio_file(
    filepath: str | os.PathLike[str] | list[str],
    output_dir: str | os.PathLike[str] | None = None,
    suffix: str | None = None,
    model: Any = None,
    input_repr: InputReprName | None = None,
    content_type: ContentTypeName = "music",
    embedding_size: AudioSize = 6144,
    center: bool = True,
    hop_size: float = 0.1,
    batch_size: int = 32,
    overwrite: bool = False,
    frontend: FrontendName = "kapre",
    verbose: bool | int = True,
    *,  # a run's own, packed as `RunOptions`
    weights: str | WeightsSource | None = None,
    device: DeviceName = "auto",
    runtime: str = "auto",
    precision: PrecisionName = "float32",
    threads: int = 0,
    on_damage: Literal["use", "skip"] = "use",
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
    model, input_repr, content_type, embedding_size, center, hop_size, batch_size, frontend
        As in `get_audio_embedding`.
    weights, device, runtime, precision, threads
        As in `get_audio_embedding`.
    overwrite : bool
        Whether to compute what has an output already.
    verbose : bool
        Whether to say what is going on.
    on_damage : "use" or "skip"
        What to do about a file that is cut short, or has another length than it says: embed what is there,
        with a warning, or leave it out as failed.

    Raises
    ------
    FilesError
        An `OpenL3Error`, after all else is done, if files failed: their reasons are in ``failures``.
    OpenL3Error
        Before anything is done, if an argument is not as described, or two inputs have one output.

    Examples
    --------
    With the files that ``l3embed sample sample`` writes:

    >>> import l3embed, numpy as np
    >>> files = ["sample/bells/bells_01.wav", "sample/rain/rain_03.ogg"]
    >>> l3embed.process_audio_file(
    ...     files, "embeddings", input_repr="mel128", embedding_size=512, hop_size=0.5, verbose=False
    ... )
    >>> with np.load("embeddings/bells_01.npz") as saved:
    ...     print(saved["embedding"].shape, saved["timestamps"][:3], saved["variant"])
    (4, 512) [0.  0.5 1. ] audio_mel128_music_512_kapre
    """
    run = RunOptions(weights, device, runtime, precision, threads)
    options = AudioOptions(
        model, input_repr, content_type, embedding_size, center, hop_size, batch_size, frontend, verbose, run
    )
    reading = parse_reading(on_damage=on_damage)
    outputs = parse_outputs(filepath, suffix, output_dir)
    process_audio_outputs(outputs, options, reading, overwrite=overwrite)


def process_audio_outputs(
    outputs: dict[str, str], options: AudioOptions, reading: Reading = AS_OPENL3, *, overwrite: bool = False
) -> None:
    """Do what `process_audio_file` does, with the same errors, with a given output for each input."""
    job = FileJob(outputs, options.parse(), overwrite)
    embed_files(job, Medium(Media.AUDIO, Modality.AUDIO, options.parse_framing(), reading))

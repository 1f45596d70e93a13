"""The options that several commands share, and the files that their arguments name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from l3embed.errors import FilesError, OpenL3Error
from l3embed.variants import AUDIO_EMBEDDING_SIZES, IMAGE_EMBEDDING_SIZES, ContentType, Frontend, InputRepr


def add_input_argument(parser: argparse.ArgumentParser, kind: str) -> None:
    """Add the files and folders to embed."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="PATH",
        help=f"{kind} files, or folders whose {kind} files are taken (not those of their subfolders)",
    )


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where outputs go."""
    group = parser.add_argument_group("output")
    group.add_argument(
        "-o",
        "--output-dir",
        "--output",
        metavar="DIR",
        help="folder of the outputs (default: each input's own)",
    )
    group.add_argument("-x", "--suffix", help="save to <name>_SUFFIX.npz")
    group.add_argument("-ow", "--overwrite", action="store_true", help="compute what has an output already")
    group.add_argument("-q", "--quiet", action="store_true", help="print errors and warnings only")


def add_model_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the options that choose the networks of all commands, and return their group."""
    group = parser.add_argument_group("model")
    group.add_argument(
        "-i",
        "--input-repr",
        choices=[choice.value for choice in InputRepr],
        default=InputRepr.MEL256.value,
        help="spectrogram that the model was trained on (default: %(default)s)",
    )
    group.add_argument(
        "-c",
        "--content-type",
        choices=[choice.value for choice in ContentType],
        default=ContentType.MUSIC.value,
        help="what the model was trained on (default: %(default)s)",
    )
    group.add_argument(
        "--weights",
        metavar="SOURCE",
        help="published, random, random:SEED or a folder (default: L3EMBED_WEIGHTS, or published)",
    )
    return group


def add_audio_options(group: argparse._ArgumentGroup, *size_names: str) -> None:
    """Add the options of the audio network and its windows; `size_names` are further names of the size."""
    group.add_argument(
        "-as",
        "--audio-embedding-size",
        *size_names,
        dest="audio_embedding_size",
        type=int,
        choices=AUDIO_EMBEDDING_SIZES,
        default=AUDIO_EMBEDDING_SIZES[0],
        help="dimension of an embedding of audio (default: %(default)s)",
    )
    group.add_argument(
        "-af",
        "--audio-frontend",
        choices=[choice.value for choice in Frontend],
        default=Frontend.KAPRE.value,
        help="what computes the spectrograms (default: %(default)s)",
    )
    group.add_argument(
        "-n",
        "--no-audio-centering",
        dest="audio_center",
        action="store_false",
        help="start the first window, not its centre, at the first sample",
    )
    group.add_argument(
        "-t",
        "--audio-hop-size",
        type=float,
        default=0.1,
        metavar="SECONDS",
        help="from one window to the next (default: %(default)s)",
    )
    group.add_argument(
        "-ab",
        "--audio-batch-size",
        type=int,
        default=32,
        metavar="N",
        help="windows that go through the network at once (default: %(default)s)",
    )


def add_image_options(group: argparse._ArgumentGroup, *size_names: str) -> None:
    """Add the options of the image network; `size_names` are further names of the size."""
    group.add_argument(
        "-is",
        "--image-embedding-size",
        *size_names,
        dest="image_embedding_size",
        type=int,
        choices=IMAGE_EMBEDDING_SIZES,
        default=IMAGE_EMBEDDING_SIZES[0],
        help="dimension of an embedding of an image (default: %(default)s)",
    )
    group.add_argument(
        "-ib",
        "--image-batch-size",
        type=int,
        default=32,
        metavar="N",
        help="images that go through the network at once (default: %(default)s)",
    )


def files_of(inputs: list[str], kind: str, suffixes: frozenset[str]) -> list[str]:
    """Return the files among the inputs, and those with one of the endings in the folders among them.

    Raises
    ------
    OpenL3Error
        If there are none.
    """
    files: list[str] = []
    for path in map(Path, inputs):
        if path.is_dir():
            files += sorted(
                str(file) for file in path.iterdir() if file.suffix.lower() in suffixes and file.is_file()
            )
        else:
            files.append(str(path))
    if not files:
        raise OpenL3Error(
            f"There are no {kind} files in {', '.join(inputs)}. Subfolders are not searched; "
            f"files are known by their endings: {', '.join(sorted(suffixes))}."
        )
    return list(dict.fromkeys(files))


def run_on_files(files: list[str], process: Callable[[], None], *, quiet: bool) -> int:
    """Process files, say how many were done and name those that failed; return the exit status."""
    try:
        process()
    except FilesError as error:
        for path, reason in error.failures.items():
            sys.stderr.write(f"l3embed: error: {path}: {reason}\n")
        sys.stderr.write(f"l3embed: {error.done} of {len(files)} files done, {len(error.failures)} failed.\n")
        return 1
    if not quiet:
        sys.stderr.write(f"l3embed: {len(files)} of {len(files)} files done.\n")
    return 0

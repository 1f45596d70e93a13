"""The options that several commands share, and the files that their arguments name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from l3embed.errors import FilesError, OpenL3Error
from l3embed.runtimes.base import AUTO, Placement
from l3embed.runtimes.choice import runtime_names
from l3embed.variants import (
    AUDIO_EMBEDDING_SIZES,
    IMAGE_EMBEDDING_SIZES,
    ContentType,
    Device,
    Frontend,
    InputRepr,
    Precision,
)

if TYPE_CHECKING:
    from l3embed.core.options import AudioOptions, ImageOptions, RunOptions


def add_input_argument(parser: argparse.ArgumentParser, kind: str) -> None:
    """Add the files and folders to embed."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="PATH",
        help=f"{kind} files, or folders whose {kind} files are taken",
    )
    parser.add_argument(
        "--recursive",
        action="store_true",
        help="take the files of subfolders too, and keep the folders in the output",
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
    add_placement_options(group)
    group.add_argument(
        "--precision",
        choices=[choice.value for choice in Precision],
        default=Precision.FLOAT32.value,
        help="what the model computes in; only float32 gives OpenL3's numbers (default: %(default)s)",
    )
    return group


def add_placement_options(group: argparse._ActionsContainer) -> None:
    """Add the options that say where the networks run, which changes no number."""
    group.add_argument(
        "--device",
        choices=[choice.value for choice in Device],
        default=Device.AUTO.value,
        help="where the model runs; auto is the GPU where there is one (default: %(default)s)",
    )
    group.add_argument(
        "--runtime",
        choices=runtime_names(),
        default=AUTO,
        help="what the model runs in; all give the same numbers (default: %(default)s)",
    )
    group.add_argument(
        "--threads",
        type=int,
        default=0,
        metavar="N",
        help="threads on the CPU (default: as many as this process may use)",
    )


def placement_of(args: argparse.Namespace) -> Placement:
    """Return where the networks are to run."""
    return Placement(Device(args.device), args.runtime, args.threads)


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


def _run_options(args: argparse.Namespace) -> RunOptions:
    from l3embed.core.options import RunOptions

    return RunOptions(args.weights, args.device, args.runtime, args.precision, args.threads)


def audio_options(args: argparse.Namespace) -> AudioOptions:
    """Return the options of the audio network that the arguments bring."""
    from l3embed.core.options import AudioOptions

    return AudioOptions(
        input_repr=args.input_repr,
        content_type=args.content_type,
        embedding_size=args.audio_embedding_size,
        center=args.audio_center,
        hop_size=args.audio_hop_size,
        batch_size=args.audio_batch_size,
        frontend=args.audio_frontend,
        verbose=not args.quiet,
        run=_run_options(args),
    )


def image_options(args: argparse.Namespace) -> ImageOptions:
    """Return the options of the image network that the arguments bring."""
    from l3embed.core.options import ImageOptions

    return ImageOptions(
        input_repr=args.input_repr,
        content_type=args.content_type,
        embedding_size=args.image_embedding_size,
        batch_size=args.image_batch_size,
        verbose=not args.quiet,
        run=_run_options(args),
    )


def outputs_of(
    args: argparse.Namespace, kind: str, suffixes: frozenset[str], part: str = ""
) -> dict[str, str]:
    """Return the output of each file that the arguments name, those in folders included.

    Parameters
    ----------
    args : argparse.Namespace
        With inputs, output_dir, suffix and recursive.
    kind : str
        What the files are, for messages.
    suffixes : frozenset[str]
        Endings by which they are known in folders.
    part : str
        What of a file the output is of, if it has several: a word in the output's name.

    Raises
    ------
    OpenL3Error
        If there are no files.
    """
    from l3embed.core.outputs import get_output_path

    ending = "_".join(word for word in (part, args.suffix) if word) + ".npz"
    outputs: dict[str, str] = {}
    for path in map(Path, args.inputs):
        if not path.is_dir():
            outputs[str(path)] = get_output_path(str(path), ending, args.output_dir)
            continue
        for file in _files_in(path, suffixes, recursive=args.recursive):
            below = args.output_dir and str(Path(args.output_dir) / file.parent.relative_to(path))
            outputs[str(file)] = get_output_path(str(file), ending, below)
    if not outputs:
        hint = "" if args.recursive else " Subfolders are searched with --recursive."
        endings = ", ".join(sorted(suffixes))
        raise OpenL3Error(
            f"There are no {kind} files in {', '.join(args.inputs)}, known by their endings: {endings}.{hint}"
        )
    return outputs


def _files_in(folder: Path, suffixes: frozenset[str], *, recursive: bool) -> list[Path]:
    files = folder.rglob("*") if recursive else folder.iterdir()
    return sorted(file for file in files if file.suffix.lower() in suffixes and file.is_file())


def run_on_files(outputs: dict[str, str], process: Callable[[], None], *, quiet: bool) -> int:
    """Process files, and say how many were done; a table at the end says which were not, and why.

    Returns
    -------
    int
        The exit status: 0 only if every file was done.

    Raises
    ------
    OpenL3Error
        If the one file there is failed, or nothing could be done.
    """
    total = len(outputs)
    try:
        process()
    except FilesError as error:
        if total == 1:
            raise
        sys.stderr.write(f"l3embed: {error.done} of {total} files done, {len(error.failures)} failed:\n")
        width = max(map(len, error.failures))
        for path, reason in error.failures.items():
            sys.stderr.write(f"  {path:{width}}  {reason}\n")
        return 1
    if not quiet:
        sys.stderr.write(f"l3embed: {total} of {total} files done.\n")
    return 0

"""``l3embed audio``: embeddings of audio files and folders."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from l3embed.errors import FilesError, OpenL3Error
from l3embed.variants import AUDIO_EMBEDDING_SIZES, ContentType, Frontend, InputRepr

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: Subparsers) -> None:
    """Add the ``audio`` command, with the options of openl3's."""
    parser = subparsers.add_parser(
        "audio",
        help="embed audio files",
        description="Compute the embeddings of audio files, and save each file's to <name>.npz.",
    )
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="PATH",
        help="audio files, or folders whose audio files are taken (not those of their subfolders)",
    )
    _add_output_options(parser)
    _add_model_options(parser)
    _add_window_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Embed the inputs; the status is 0 only if every file was done."""
    from l3embed.core import process_audio_file

    files = _files_of(args.inputs)
    try:
        process_audio_file(
            files,
            output_dir=args.output_dir,
            suffix=args.suffix,
            input_repr=args.input_repr,
            content_type=args.content_type,
            embedding_size=args.embedding_size,
            center=args.center,
            hop_size=args.hop_size,
            batch_size=args.batch_size,
            overwrite=args.overwrite,
            frontend=args.frontend,
            verbose=not args.quiet,
            weights=args.weights,
        )
    except FilesError as error:
        for path, reason in error.failures.items():
            sys.stderr.write(f"l3embed: error: {path}: {reason}\n")
        sys.stderr.write(f"l3embed: {error.done} of {len(files)} files done, {len(error.failures)} failed.\n")
        return 1
    if not args.quiet:
        sys.stderr.write(f"l3embed: {len(files)} of {len(files)} files done.\n")
    return 0


def _add_output_options(parser: argparse.ArgumentParser) -> None:
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


def _add_model_options(parser: argparse.ArgumentParser) -> None:
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
        "-as",
        "--audio-embedding-size",
        "--embedding-size",
        dest="embedding_size",
        type=int,
        choices=AUDIO_EMBEDDING_SIZES,
        default=AUDIO_EMBEDDING_SIZES[0],
        help="dimension of an embedding (default: %(default)s)",
    )
    group.add_argument(
        "-af",
        "--audio-frontend",
        dest="frontend",
        choices=[choice.value for choice in Frontend],
        default=Frontend.KAPRE.value,
        help="what computes the spectrograms (default: %(default)s)",
    )
    group.add_argument(
        "--weights",
        metavar="SOURCE",
        help="published, random, random:SEED or a folder (default: L3EMBED_WEIGHTS, or published)",
    )


def _add_window_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("windows")
    group.add_argument(
        "-n",
        "--no-audio-centering",
        dest="center",
        action="store_false",
        help="start the first window, not its centre, at the first sample",
    )
    group.add_argument(
        "-t",
        "--audio-hop-size",
        dest="hop_size",
        type=float,
        default=0.1,
        metavar="SECONDS",
        help="from one window to the next (default: %(default)s)",
    )
    group.add_argument(
        "-ab",
        "--audio-batch-size",
        dest="batch_size",
        type=int,
        default=32,
        metavar="N",
        help="windows that go through the network at once (default: %(default)s)",
    )


def _files_of(inputs: list[str]) -> list[str]:
    """Return the files among the inputs and the audio files in the folders among them."""
    from l3embed.decoding.audio import SUFFIXES

    files: list[str] = []
    for path in map(Path, inputs):
        if path.is_dir():
            files += sorted(
                str(file) for file in path.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file()
            )
        else:
            files.append(str(path))
    if not files:
        raise OpenL3Error(
            f"There are no audio files in {', '.join(inputs)}. Subfolders are not searched; "
            f"files are known by their endings: {', '.join(sorted(SUFFIXES))}."
        )
    return list(dict.fromkeys(files))

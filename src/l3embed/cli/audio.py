"""``l3embed audio``: embeddings of audio files and folders."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from l3embed.cli import options

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: Subparsers) -> None:
    """Add the ``audio`` command, with the options of openl3's."""
    parser = subparsers.add_parser(
        "audio",
        help="embed audio files",
        description="Compute the embeddings of audio files, and save each file's to <name>.npz.",
    )
    options.add_input_argument(parser, "audio")
    options.add_output_options(parser)
    options.add_audio_options(options.add_model_options(parser), "--embedding-size")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Embed the inputs; the status is 0 only if every file was done."""
    from l3embed.core import process_audio_file
    from l3embed.decoding.audio import SUFFIXES

    files = options.files_of(args.inputs, "audio", SUFFIXES)
    process = partial(
        process_audio_file,
        files,
        output_dir=args.output_dir,
        suffix=args.suffix,
        input_repr=args.input_repr,
        content_type=args.content_type,
        embedding_size=args.audio_embedding_size,
        center=args.audio_center,
        hop_size=args.audio_hop_size,
        batch_size=args.audio_batch_size,
        overwrite=args.overwrite,
        frontend=args.audio_frontend,
        verbose=not args.quiet,
        weights=args.weights,
    )
    return options.run_on_files(files, process, quiet=args.quiet)

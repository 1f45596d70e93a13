"""``l3embed audio``: embeddings of audio files and folders."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from l3embed.cli import flags as options

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
    from l3embed.core.audio import process_audio_outputs
    from l3embed.decoding.recording import SUFFIXES

    outputs = options.outputs_of(args, "audio", SUFFIXES)
    audio_options = options.audio_options(args)
    process = partial(process_audio_outputs, outputs, audio_options, overwrite=args.overwrite)
    return options.run_on_files(outputs, process, quiet=args.quiet)

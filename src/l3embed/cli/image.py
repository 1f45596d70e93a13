"""``l3embed image``: embeddings of image files and folders."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from l3embed.cli import flags as options

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: Subparsers) -> None:
    """Add the ``image`` command, with the options of openl3's."""
    parser = subparsers.add_parser(
        "image",
        help="embed image files",
        description="Compute the embeddings of image files, and save each file's to <name>.npz.",
    )
    options.add_input_argument(parser, "image")
    options.add_output_options(parser)
    options.add_image_options(options.add_model_options(parser), "--embedding-size")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Embed the inputs; the status is 0 only if every file was done."""
    from l3embed.core.image import process_image_outputs
    from l3embed.decoding.image import SUFFIXES

    outputs = options.outputs_of(args, "image", SUFFIXES)
    image_options = options.image_options(args)
    process = partial(process_image_outputs, outputs, image_options, overwrite=args.overwrite)
    return options.run_on_files(outputs, process, quiet=args.quiet)

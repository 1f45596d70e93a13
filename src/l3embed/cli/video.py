"""``l3embed video``: embeddings of the sound and the frames of video files and folders."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from l3embed.cli import flags as options

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: Subparsers) -> None:
    """Add the ``video`` command, with the options of openl3's."""
    parser = subparsers.add_parser(
        "video",
        help="embed the sound and the frames of video files",
        description="Compute the embeddings of the sound and of every frame of video files, and save them "
        "to <name>_audio.npz and <name>_image.npz.",
    )
    options.add_input_argument(parser, "video")
    options.add_output_options(parser)
    group = options.add_model_options(parser)
    options.add_audio_options(group)
    options.add_image_options(group)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Embed the inputs; the status is 0 only if every file was done."""
    from l3embed.core.video import process_video_outputs
    from l3embed.decoding.video import SUFFIXES

    audio_outputs = options.outputs_of(args, "video", SUFFIXES, part="audio")
    process = partial(
        process_video_outputs,
        audio_outputs,
        options.outputs_of(args, "video", SUFFIXES, part="image"),
        options.audio_options(args),
        options.image_options(args),
        overwrite=args.overwrite,
    )
    return options.run_on_files(audio_outputs, process, quiet=args.quiet)

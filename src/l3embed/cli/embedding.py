"""``l3embed audio``, ``image`` and ``video``: embeddings of files and folders, with openl3's options."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from l3embed.cli import flags
from l3embed.cli.named_files import files_of, run_on_files

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

DESCRIPTION = "Compute the embeddings of {}, and save {}."


def add_parser(subparsers: Subparsers) -> None:
    """Add the commands; each sets ``run``, whose status is 0 only if every file was done."""
    group = _add(subparsers, "audio", "audio files", "audio files", "each file's to <name>.npz")
    flags.add_audio_options(group, "--embedding-size")
    flags.add_damage_option(group)
    group = _add(subparsers, "image", "image files", "image files", "each file's to <name>.npz")
    flags.add_image_options(group, "--embedding-size")
    flags.add_picture_options(group)
    group = _add(
        subparsers,
        "video",
        "the sound and the frames of video files",
        "the sound and of every frame of video files",
        "them to <name>_audio.npz and <name>_image.npz",
    )
    flags.add_audio_options(group)
    flags.add_image_options(group)
    flags.add_image_precision(group)
    flags.add_damage_option(group)


def _add(subparsers: Subparsers, kind: str, what: str, of_what: str, where: str) -> argparse._ArgumentGroup:
    """Add one command without the options of its networks, and return the group that takes them."""
    parser = subparsers.add_parser(kind, help=f"embed {what}", description=DESCRIPTION.format(of_what, where))
    parser.set_defaults(run={"audio": _run_audio, "image": _run_image, "video": _run_video}[kind])
    flags.add_input_argument(parser, kind)
    flags.add_output_options(parser)
    return flags.add_model_options(parser)


def _run_audio(args: argparse.Namespace) -> int:
    from l3embed.core.audio_files import process_audio_outputs
    from l3embed.decoding.recording import SUFFIXES

    found = files_of(args, "audio", SUFFIXES)
    options = flags.audio_options(args), flags.reading_of(args)
    process = partial(process_audio_outputs, found.outputs, *options, overwrite=args.overwrite)
    return run_on_files(found, process, quiet=args.quiet)


def _run_image(args: argparse.Namespace) -> int:
    from l3embed.core.image import process_image_outputs
    from l3embed.decoding.image import SUFFIXES

    found = files_of(args, "image", SUFFIXES)
    options = flags.image_options(args), flags.reading_of(args)
    process = partial(process_image_outputs, found.outputs, *options, overwrite=args.overwrite)
    return run_on_files(found, process, quiet=args.quiet)


def _run_video(args: argparse.Namespace) -> int:
    from l3embed.core.video import process_video_outputs
    from l3embed.decoding.video import SUFFIXES

    sound, frames = (files_of(args, "video", SUFFIXES, part=part) for part in ("audio", "image"))
    options = flags.audio_options(args), flags.image_options(args), flags.reading_of(args)
    process = partial(
        process_video_outputs, sound.outputs, frames.outputs, *options, overwrite=args.overwrite
    )
    return run_on_files(sound, process, quiet=args.quiet)

"""`l3embed sample`: a small labelled dataset to try things on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from l3embed.errors import OpenL3Error

if TYPE_CHECKING:
    import argparse

IMAGE_SUFFIXES = (".jpg", ".png")
VIDEO_SUFFIX = ".mp4"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of l3embed."""
    parser = subparsers.add_parser(
        "sample",
        help="write a small labelled dataset of sounds and images, and a video",
        description="Write a small labelled dataset, one folder a class: synthesised sounds (bells, "
        "birdsong, drums, engine, plucked strings and rain) and images (brick, coffee, grass, gravel, the "
        "Hubble deep field and a retina), with a video made of the same. The images are crops of photographs "
        "that scikit-image brings along, which are CC0 or in the public domain. All come with l3embed "
        "and are the same for ever: it needs no network.",
    )
    parser.add_argument("directory", metavar="DIR", type=Path, help="new, empty, or an earlier sample")
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="0, as by default: there is one sample now"
    )
    parser.add_argument(
        "--doubtful",
        action="store_true",
        help="add files with which something is wrong: silent, cut short, copied under another label, ...",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the dataset, and say where it is and what.

    Raises
    ------
    OpenL3Error
        If another seed is asked for than the default, or the dataset cannot be written.
    """
    from l3embed.sample import write_sample_dataset

    if args.seed:
        raise OpenL3Error(
            f"There is one sample now, and it has no seed, but --seed is {args.seed}; leave out --seed"
        )
    paths = write_sample_dataset(args.directory)
    doubtful = len(write_sample_dataset(args.directory, doubtful=True)) - len(paths) if args.doubtful else 0
    images = [path for path in paths if path.suffix in IMAGE_SUFFIXES]
    videos = [path for path in paths if path.suffix == VIDEO_SUFFIX]
    clips = [path for path in paths if path not in images and path not in videos]
    size_mb = sum(path.stat().st_size for path in paths) / 1e6
    sys.stdout.write(
        f"{args.directory}\n"
        f"{len(clips)} synthesised clips in {_classes(clips)}: WAV, FLAC and OGG, 16 to 48 kHz, "
        "mono and stereo\n"
        f"{len(images)} images in {_classes(images)}: PNG and JPEG, crops of scikit-image's photographs, "
        "which are CC0 or in the public domain\n"
        f"{len(videos)} video with sound, made of the same: MP4; {size_mb:.1f} MB in all\n"
    )
    if doubtful:
        sys.stdout.write(f"{doubtful} files with which something is wrong, to see what becomes of them\n")
    return 0


def _classes(paths: Sequence[Path]) -> str:
    labels = sorted({path.parent.name for path in paths})
    return f"{len(labels)} classes ({', '.join(labels)})"

"""The options that several commands share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from l3embed.decoding.reading import MAX_MEGAPIXELS, OnDamage
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
    from l3embed.decoding.reading import Reading


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
    _add_choice(group, "-i", "--input-repr", InputRepr.MEL256, "spectrogram that the model was trained on")
    _add_choice(group, "-c", "--content-type", ContentType.MUSIC, "what the model was trained on")
    group.add_argument(
        "--weights",
        metavar="SOURCE",
        help="published, random, random:SEED or a folder (default: L3EMBED_WEIGHTS, or published)",
    )
    add_placement_options(group)
    what = "what the model computes in; only float32 gives OpenL3's numbers"
    _add_choice(group, "--precision", Precision.FLOAT32, what)
    return group


def add_placement_options(group: argparse._ActionsContainer) -> None:
    """Add the options that say where the networks run, which changes no number."""
    _add_choice(group, "--device", Device.AUTO, "where the model runs; auto is the GPU where there is one")
    group.add_argument(
        "--runtime",
        choices=runtime_names(),
        default=AUTO,
        help="what the model runs in; all give the same numbers (default: %(default)s)",
    )
    threads = "threads on the CPU (default: as many as this process may use)"
    group.add_argument("--threads", type=int, default=0, metavar="N", help=threads)


def _add_choice(group: argparse._ActionsContainer, *names_default_help: Any) -> None:
    """Add an option that takes one of an enum's words: its names, its default and what it is."""
    *names, default, what = names_default_help
    words = [member.value for member in type(default)]
    group.add_argument(*names, choices=words, default=default.value, help=f"{what} (default: %(default)s)")


def placement_of(args: argparse.Namespace) -> Placement:
    """Return where the networks are to run."""
    return Placement(Device(args.device), args.runtime, args.threads)


def add_audio_options(group: argparse._ArgumentGroup, *size_names: str) -> None:
    """Add the options of the audio network and its windows; `size_names` are further names of the size."""
    _add_size(group, "audio", AUDIO_EMBEDDING_SIZES, "audio", size_names)
    _add_choice(group, "-af", "--audio-frontend", Frontend.KAPRE, "what computes the spectrograms")
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
    _add_batch_size(group, "audio", "windows")


def add_image_options(group: argparse._ArgumentGroup, *size_names: str) -> None:
    """Add the options of the image network; `size_names` are further names of the size."""
    _add_size(group, "image", IMAGE_EMBEDDING_SIZES, "an image", size_names)
    _add_batch_size(group, "image", "images")


def add_image_precision(group: argparse._ArgumentGroup) -> None:
    """Add the option that has the network of images compute in another precision than that of sound."""
    what = "what the model of the frames computes in (default: as --precision says)"
    group.add_argument("--image-precision", choices=[kind.value for kind in Precision], help=what)


def _add_size(
    group: argparse._ArgumentGroup, kind: str, sizes: Sequence[int], of_what: str, names: Sequence[str]
) -> None:
    group.add_argument(
        f"-{kind[0]}s",
        f"--{kind}-embedding-size",
        *names,
        dest=f"{kind}_embedding_size",
        type=int,
        choices=sizes,
        default=sizes[0],
        help=f"dimension of an embedding of {of_what} (default: %(default)s)",
    )


def _add_batch_size(group: argparse._ArgumentGroup, kind: str, items: str) -> None:
    what = f"{items} that go through the network at once (default: %(default)s)"
    names = f"-{kind[0]}b", f"--{kind}-batch-size"
    group.add_argument(*names, type=int, default=32, metavar="N", help=what)


def add_damage_option(group: argparse._ArgumentGroup) -> None:
    """Add the option that says what to do about files that are cut short."""
    what = "what to do about a file that is not as long as it says: take what is there, or leave it out"
    _add_choice(group, "--on-damage", OnDamage.USE, what)


def add_picture_options(group: argparse._ArgumentGroup) -> None:
    """Add the options that say how pictures are read."""
    group.add_argument(
        "--exif-rotation",
        action="store_true",
        help="turn photographs as their EXIF orientation says; OpenL3 does not",
    )
    group.add_argument(
        "--max-megapixels",
        type=float,
        default=MAX_MEGAPIXELS,
        metavar="N",
        help="refuse larger pictures (default: %(default)s)",
    )


def parse_count(text: str) -> int:
    """Return an option's number, which must be one of things."""
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on; got {text!r}")
    return count


def reading_of(args: argparse.Namespace) -> Reading:
    """Return how files are to be read, as far as the command has options for it."""
    from l3embed.core.options import parse_reading

    names = ("on_damage", "exif_rotation", "max_megapixels")
    return parse_reading(**{name: getattr(args, name) for name in names if hasattr(args, name)})


def _run_options(args: argparse.Namespace, precision: str | None = None) -> RunOptions:
    from l3embed.core.options import RunOptions

    return RunOptions(args.weights, args.device, args.runtime, precision or args.precision, args.threads)


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
        run=_run_options(args, getattr(args, "image_precision", None)),
    )


def write_line(line: str) -> None:
    """Write what a command was asked for to standard output, at once: the next line may take minutes."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def encodable(line: str) -> str:
    """Return a line that standard output can take, whatever characters names of files have."""
    encoding = sys.stdout.encoding or "utf-8"
    return line.encode(encoding, "backslashreplace").decode(encoding)

"""``l3embed export-model``: a network as an ONNX file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from l3embed.cli.flags import write_line

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: Subparsers) -> None:
    """Add the ``export-model`` command."""
    parser = subparsers.add_parser(
        "export-model",
        help="write a network to an ONNX file, for browsers, phones and other languages",
        description="Write a network to an ONNX file, from its input to the embedding, for batches of any "
        "size. Where onnxruntime is installed, the file is compared with l3embed before it gets its name.",
    )
    parser.add_argument(
        "variant", metavar="VARIANT", help="as in audio_mel256_music_6144 or image_mel256_music_8192"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="file to write (default: VARIANT.onnx)")
    parser.add_argument(
        "--frontend",
        action="store_true",
        help="compute kapre's spectrograms in the graph, which then takes in samples at 48 kHz",
    )
    parser.add_argument(
        "--weights",
        metavar="SOURCE",
        help="published, random, random:SEED or a folder (default: L3EMBED_WEIGHTS, or published)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the file, and say what it is."""
    from l3embed.exchange.onnx_file import parse_variant_name, write_onnx
    from l3embed.weights.source import as_weights_source

    variant = parse_variant_name(args.variant)
    path = Path(args.output or f"{args.variant}.onnx")
    written = write_onnx(path, variant, as_weights_source(args.weights), with_frontend=args.frontend)
    shape = ", ".join(map(str, ("batch", *written.input_shape)))
    write_line(
        f"{path}: {written.size_bytes / 1e6:.1f} MB, from {written.input_name} ({shape}) to "
        f"embedding (batch, {variant.embedding_size})"
    )
    if written.difference is None:
        write_line("not compared with l3embed: onnxruntime is not installed (pip install onnxruntime)")
    else:
        write_line(
            f"compared with l3embed, in onnxruntime: {written.difference:.1e} of the largest magnitude"
        )
    return 0

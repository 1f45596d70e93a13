"""Weights as a proof knows them: by their numbers, whatever file holds them."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from l3embed.errors import OpenL3Error
from l3embed.exchange.onnx_file import parse_variant_name
from l3embed.variants import AudioVariant, Frontend, Precision, Variant, WeightSet
from l3embed.weights.directory import MANIFEST_NAME
from l3embed.weights.file import read_layers
from l3embed.weights.locating import locate_written

GRAPH = "_graph"
"""What the name of a variant with kapre's frontend ends in, if that is part of the network."""


def variant_of(name: str, precision: Precision) -> Variant:
    """Return the variant that embeddings are marked with, by its name and its precision.

    Raises
    ------
    OpenL3Error
        If there is no such one.
    """
    plain = name.removesuffix(precision.suffix)
    variant = parse_variant_name(plain.removesuffix(GRAPH))
    if isinstance(variant, AudioVariant) and plain.endswith(GRAPH):
        variant = replace(variant, frontend=Frontend.KAPRE_GRAPH)
    return replace(variant, precision=precision)


def numbers_sha256(path: Path, weight_set: WeightSet) -> str:
    """Return the SHA-256 of a weight file's arrays, as float32 with the lowest byte first.

    Raises
    ------
    OpenL3Error
        If it is none.
    """
    digest = sha256()
    for array in (array for layer in read_layers(path, weight_set) for array in layer):
        digest.update(f"{array.shape}\n".encode() + array.astype("<f4").tobytes())
    return digest.hexdigest()


def numbers_beside(run_folder: Path | None, variant: Variant, identity: str) -> str | None:
    """Return the checksum of the weights that a run has kept; None if it has not, or has others by now."""
    folder = run_folder / "weights" if run_folder else None
    if folder is None or not (folder / MANIFEST_NAME).is_file():
        return None
    try:
        file, _ = locate_written(variant.weight_set, folder)
    except OpenL3Error:
        return None
    return numbers_sha256(file.path, variant.weight_set) if file.identity == identity else None

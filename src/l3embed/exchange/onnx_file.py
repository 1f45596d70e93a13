"""Networks as ONNX files, for browsers, phones and other languages."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l3embed.disk.atomic import replacing
from l3embed.errors import OpenL3Error
from l3embed.exchange.onnx_graph import EMBEDDING, Graph, build_graph, build_graph_with_kapre
from l3embed.frontends import kapre
from l3embed.models.origin import variant_origin
from l3embed.models.running import build_network
from l3embed.networks.folding import fold_layers
from l3embed.networks.layers import network_layers
from l3embed.runtimes.base import Placement
from l3embed.variants import (
    AUDIO_EMBEDDING_SIZES,
    IMAGE_EMBEDDING_SIZES,
    SAMPLE_RATE_HZ,
    WINDOW_SAMPLES,
    AudioVariant,
    ContentType,
    Device,
    Frontend,
    ImageVariant,
    InputRepr,
    Variant,
)
from l3embed.weights.file import WeightFile, read_layers
from l3embed.weights.locating import locate_weights
from l3embed.weights.source import WeightsSource

SAME_NUMBERS = 1e-5
"""Of the largest magnitude: what the file's embeddings may differ by from l3embed's."""

CHECKED_ITEMS = 3


@dataclass(frozen=True)
class OnnxFile:
    """An ONNX file that was written.

    Parameters
    ----------
    size_bytes : int
        Of the file.
    input_name : str
        Name of its input: ``samples``, ``spectrograms`` or ``pixels``.
    input_shape : tuple of int
        Shape of one item of it.
    difference : float or None
        Largest difference over largest magnitude to l3embed's own embeddings of the same noise, as
        onnxruntime computes it; None: onnxruntime is not installed.
    """

    size_bytes: int
    input_name: str
    input_shape: tuple[int, ...]
    difference: float | None


def parse_variant_name(name: str) -> Variant:
    """Return the variant that a name means, as in ``audio_mel256_music_6144``.

    The names that embeddings are marked with, which tell the frontend as well, are taken too.

    Raises
    ------
    OpenL3Error
        If it means none.
    """
    variants = {variant.name: variant for variant in _all_variants()}
    variants |= {name.removesuffix("_kapre"): variant for name, variant in variants.items()}
    if name not in variants:
        raise OpenL3Error(
            f"The variant must be one as audio_mel256_music_6144 (linear, mel128 or mel256; music or env; "
            f"{' or '.join(map(str, AUDIO_EMBEDDING_SIZES))}) or image_mel256_music_8192 "
            f"({' or '.join(map(str, IMAGE_EMBEDDING_SIZES))}); got {name!r}."
        )
    return variants[name]


def write_onnx(path: Path, variant: Variant, source: WeightsSource, *, with_frontend: bool) -> OnnxFile:
    """Write a network to an ONNX file, which appears all at once.

    Where onnxruntime is installed, the file gets its name only if it gives l3embed's numbers there.

    Parameters
    ----------
    path : Path
        File to write; its folder is made.
    variant : AudioVariant or ImageVariant
        Which network.
    source : WeightsSource
        Where its weights come from.
    with_frontend : bool
        Whether it is to compute kapre's spectrograms itself, from samples.

    Raises
    ------
    OpenL3Error
        If onnx is not installed, the variant has no such frontend, the weights cannot be had, or the file
        gives other numbers.
    OSError
        If it cannot be written.
    """
    if importlib.util.find_spec("onnx") is None:
        raise OpenL3Error("Writing ONNX needs the package onnx: pip install 'l3embed[onnx]'.")
    if path.is_dir():
        raise OpenL3Error(f"The output must be a file, such as {path / 'model.onnx'}; {path} is a folder.")
    _check_frontend(variant, with_frontend)
    file = locate_weights(variant.weight_set, source)
    input_name, graph = _graph(variant, file, with_frontend)
    metadata = _metadata(variant, file, with_frontend)
    content = graph.model(variant.name, variant.embedding_size, metadata).SerializeToString()
    items, expected = _example(variant, file, with_frontend)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_bytes(content)
        difference = _difference(temporary, items, expected)
        if difference is not None and not difference <= SAME_NUMBERS:
            raise OpenL3Error(
                f"{path} was not written: in onnxruntime its embeddings are off by {difference:.1e} of the "
                f"largest magnitude, and may be by {SAME_NUMBERS:.0e}. Try another version of onnxruntime."
            )
    return OnnxFile(len(content), input_name, items.shape[1:], difference)


def _all_variants() -> list[Variant]:
    kinds = [(input_repr, content_type) for input_repr in InputRepr for content_type in ContentType]
    return [
        *(
            AudioVariant(*kind, size, frontend)
            for kind in kinds
            for size in AUDIO_EMBEDDING_SIZES
            for frontend in (Frontend.KAPRE, Frontend.LIBROSA)
        ),
        *(ImageVariant(*kind, size) for kind in kinds for size in IMAGE_EMBEDDING_SIZES),
    ]


def _check_frontend(variant: Variant, with_frontend: bool) -> None:
    if not with_frontend:
        return
    if isinstance(variant, ImageVariant):
        raise OpenL3Error("--frontend computes spectrograms from sound; got an image network. Leave it out.")
    if variant.frontend is Frontend.LIBROSA:
        raise OpenL3Error(
            f"--frontend is kapre's; got {variant.name}. Leave it out, or name {variant.weight_set.name}_"
            f"{variant.embedding_size}."
        )


def _graph(variant: Variant, file: WeightFile, with_frontend: bool) -> tuple[str, Graph]:
    weights = read_layers(file.path, variant.weight_set)
    layers = fold_layers(network_layers(variant.weight_set.modality, variant.pool), weights)
    if isinstance(variant, ImageVariant):
        return "pixels", build_graph(layers, "pixels", variant.network_shape)
    if with_frontend:
        return "samples", build_graph_with_kapre(layers, "samples", variant.spectrogram)
    return "spectrograms", build_graph(layers, "spectrograms", variant.network_shape)


def _metadata(variant: Variant, file: WeightFile, with_frontend: bool) -> dict[str, str]:
    """Return what the file says of itself: the words of an ``.npz``, and what its input is."""
    origin = variant_origin(variant, file)
    words = {"variant": origin.variant, "weights": origin.weights, "precision": origin.precision}
    words["trained"] = str(origin.trained).lower()
    if isinstance(variant, ImageVariant):
        return {**words, "input": "pixels (batch, height, width, channel)"}
    return {
        **words,
        "input": "samples (batch, 1, time)" if with_frontend else "decibels (batch, frequency, time, 1)",
        "frontend": variant.frontend.value,
        "sample_rate_hz": str(SAMPLE_RATE_HZ),
        "window_samples": str(WINDOW_SAMPLES),
    }


def _example(
    variant: Variant, file: WeightFile, with_frontend: bool
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return noise as the file takes it in, and l3embed's own embeddings of it."""
    rng = np.random.default_rng(0)
    embedder = build_network(variant, file, Placement(Device.CPU)).embedder
    if isinstance(variant, ImageVariant):
        items = rng.uniform(-1, 1, (CHECKED_ITEMS, *variant.network_shape)).astype(np.float32)
        return items, embedder.embed(items)
    samples = rng.uniform(-0.5, 0.5, (CHECKED_ITEMS, WINDOW_SAMPLES)).astype(np.float32)
    decibels = kapre.spectrograms(samples, variant.input_repr).astype(np.float32)
    return samples[:, np.newaxis] if with_frontend else decibels, embedder.embed(decibels)


def _difference(
    path: Path, items: npt.NDArray[np.float32], expected: npt.NDArray[np.float32]
) -> float | None:
    if importlib.util.find_spec("onnxruntime") is None:
        return None
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    (found,) = session.run([EMBEDDING], {session.get_inputs()[0].name: items})
    return float(np.abs(found - expected).max() / np.abs(expected).max())

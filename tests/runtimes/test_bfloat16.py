"""bfloat16 against single precision: the reference's inputs through the networks with seeded weights."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from conftest import NEEDS_BFLOAT16, NEEDS_OPENVINO, NEEDS_TORCH, reference_inputs
from skimage.io import imread

from l3embed import get_audio_embedding, get_image_embedding
from l3embed.variants import InputReprName

Embeddings = npt.NDArray[np.float32]

pytestmark = [
    NEEDS_BFLOAT16,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*shorter than one window"),
]

LEAST_COSINE = 0.9999
EACH_RUNTIME = pytest.mark.parametrize(
    "runtime",
    [pytest.param("openvino", marks=NEEDS_OPENVINO), pytest.param("torch", marks=NEEDS_TORCH), "keras"],
)


def embed_audio(input_repr: InputReprName, **options: Any) -> Embeddings:
    """All windows of all recordings."""
    recordings = [soundfile.read(path) for path in reference_inputs() if path.suffix in (".wav", ".flac")]
    arrays, rates_hz = zip(*recordings, strict=True)
    embeddings, _ = get_audio_embedding(
        list(arrays), list(rates_hz), input_repr=input_repr, hop_size=0.5, device="cpu", verbose=0, **options
    )
    return np.concatenate(embeddings)


def embed_images(**options: Any) -> Embeddings:
    images = [imread(path) for path in reference_inputs() if path.suffix == ".png"]
    return np.concatenate(get_image_embedding(images, device="cpu", verbose=0, **options))


exact_audio, exact_images = cache(embed_audio), cache(embed_images)


def cosines(ours: Embeddings, theirs: Embeddings) -> Embeddings:
    products: Embeddings = (ours * theirs).sum(axis=1)
    norms: Embeddings = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return products / norms


def check_close(rounded: Embeddings, exact: Embeddings) -> None:
    assert rounded.dtype == np.float32
    assert not np.array_equal(rounded, exact)
    assert cosines(rounded, exact).min() >= LEAST_COSINE
    assert np.abs(rounded - exact).max() <= 0.01 * np.abs(exact).max()


@EACH_RUNTIME
@pytest.mark.parametrize("input_repr", ["linear", "mel128", "mel256"])
def test_every_window_points_the_same_way(input_repr: InputReprName, runtime: str) -> None:
    rounded = embed_audio(input_repr, runtime=runtime, precision="bfloat16")

    check_close(rounded, exact_audio(input_repr))


@EACH_RUNTIME
def test_every_image_points_the_same_way(runtime: str) -> None:
    rounded = embed_images(runtime=runtime, precision="bfloat16")

    check_close(rounded, exact_images())

"""The release's stored image outputs: pixels and embeddings are the same numbers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from conftest import OTHER_RUNTIMES, reference
from skimage.io import imread

from l3embed import get_image_embedding
from l3embed.inputs.pixels import preprocess_images

CASES: list[dict[str, Any]] = json.loads((reference("outputs/index.json")).read_text())
STORED_PIXELS = 4
"""Every fourth pixel of the network's input is stored, in both directions."""


def cases(kind: str) -> list[Any]:
    return [pytest.param(case, id=case["case"]) for case in CASES if case["kind"] == kind]


def stored(case: dict[str, Any]) -> dict[str, Any]:
    with np.load(reference(f"outputs/{case['case']}.npz")) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("case", cases("pixels"))
def test_pixels_are_the_reference_s(case: dict[str, Any]) -> None:
    pixels = preprocess_images(imread(reference(f"inputs/{case['file']}")))

    np.testing.assert_array_equal(pixels[:, ::STORED_PIXELS, ::STORED_PIXELS], stored(case)["pixels"])


@pytest.mark.parametrize(
    "options",
    [{}, *({"runtime": runtime, "device": "cpu"} for runtime in OTHER_RUNTIMES)],
    ids=["auto", *OTHER_RUNTIMES],
)
@pytest.mark.parametrize("case", cases("image"))
def test_embeddings_are_the_reference_s(case: dict[str, Any], options: dict[str, Any]) -> None:
    image = imread(reference(f"inputs/{case['file']}"))
    variant = {name: case[name] for name in ("input_repr", "content_type", "embedding_size")}

    embedding = get_image_embedding(image, verbose=0, **variant, **options)

    expected = stored(case)["embedding"]
    assert embedding.shape == expected.shape
    assert np.abs(embedding - expected).max() <= 1e-5 * np.abs(expected).max()

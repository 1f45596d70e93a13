"""`l3embed.interfaces.xares`: X-ARES's contract, and l3embed's numbers in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import noise

import l3embed
from l3embed import OpenL3Error

torch = pytest.importorskip("torch")
xares = pytest.importorskip("l3embed.interfaces.xares")


@pytest.fixture(scope="module")
def encoder(slim_weights: Path) -> Any:
    return xares.OpenL3Encoder("mel128", weights=slim_weights, hop_size_in_ms=100)


def test_x_ares_finds_one_encoder_in_the_module() -> None:
    """It takes the one name that ends so, and makes it without arguments."""
    assert [name for name in dir(xares) if name.endswith("Encoder")] == ["OpenL3Encoder"]


def test_it_says_what_x_ares_asks_for(encoder: Any) -> None:
    assert isinstance(encoder, torch.nn.Module)
    assert (encoder.sampling_rate, encoder.output_dim, encoder.hop_size_in_ms) == (48_000, 512, 100)


@pytest.mark.parametrize("samples", [48_000, 50_000, 60_001])
def test_there_is_a_frame_for_each_hop(samples: int, encoder: Any) -> None:
    frames = encoder(torch.from_numpy(noise(2)[:samples].astype(np.float32))[None])

    assert frames.shape == (1, -(-samples // 4800), 512)
    assert frames.dtype == torch.float32


def test_frames_are_get_audio_embedding_s_and_some_at_the_end(encoder: Any, slim_weights: Path) -> None:
    samples = noise(1.2).astype(np.float32)

    (frames,) = encoder(torch.from_numpy(samples)[None])

    expected, _ = l3embed.get_audio_embedding(
        samples, 48_000, input_repr="mel128", embedding_size=512, weights=str(slim_weights), verbose=False
    )
    assert (len(frames), len(expected)) == (12, 8)
    np.testing.assert_array_equal(frames[: len(expected)], expected)


@pytest.mark.parametrize("hop_ms", [0, 501])
def test_a_hop_that_leaves_the_sound_is_an_error(hop_ms: int) -> None:
    with pytest.raises(OpenL3Error, match=f"must be above 0 and at most 500; got {hop_ms}"):
        xares.OpenL3Encoder(hop_size_in_ms=hop_ms)


def test_one_sound_is_a_batch_of_one(encoder: Any) -> None:
    sound = torch.from_numpy(noise(1.0).astype(np.float32))

    torch.testing.assert_close(encoder(sound), encoder(sound[None]))

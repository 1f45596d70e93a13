"""Audio that arrives in blocks gives the embeddings of the whole."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import l3embed
from l3embed import AudioEmbeddingStream, OpenL3Error, get_audio_embedding

RATE_HZ = 44100
OPTIONS: dict[str, Any] = {"input_repr": "mel128", "embedding_size": 512, "hop_size": 0.5}


@pytest.fixture(scope="module")
def recording() -> npt.NDArray[Any]:
    return np.random.default_rng(0).normal(0, 0.1, int(1.3 * RATE_HZ))


def feed_in_blocks(
    recording: npt.NDArray[Any], samples: int
) -> tuple[list[npt.NDArray[Any]], list[npt.NDArray[Any]]]:
    stream = AudioEmbeddingStream(RATE_HZ, **OPTIONS)
    parts = [stream.feed(recording[start : start + samples]) for start in range(0, len(recording), samples)]
    parts.append(stream.finish())
    return [embedding for embedding, _ in parts], [timestamps for _, timestamps in parts]


@pytest.mark.parametrize("samples", [1, 1000, 1_000_000])
def test_blocks_of_any_size_give_the_embeddings_of_the_whole(
    recording: npt.NDArray[Any], samples: int
) -> None:
    whole, whole_times = get_audio_embedding(recording, RATE_HZ, verbose=0, **OPTIONS)

    embeddings, timestamps = feed_in_blocks(recording, samples)

    assert np.abs(np.concatenate(embeddings) - whole).max() <= 1e-5 * np.abs(whole).max()
    np.testing.assert_array_equal(np.concatenate(timestamps), whole_times)


def test_an_embedding_comes_as_soon_as_its_window_is_complete(recording: npt.NDArray[Any]) -> None:
    block = RATE_HZ // 100

    embeddings, _ = feed_in_blocks(recording, block)

    # Half a second of zeros stands in front, so the first window is complete after half a second, and
    # the resampler looks less than 10 ms ahead.
    first = next(index for index, embedding in enumerate(embeddings) if len(embedding))
    assert 0.5 <= (first + 1) * block / RATE_HZ <= 0.53


def test_a_block_that_completes_no_window_gives_empty_arrays() -> None:
    stream = AudioEmbeddingStream(48000, **OPTIONS)

    embedding, timestamps = stream.feed(np.zeros(10))

    assert embedding.shape == (0, 512)
    assert timestamps.shape == (0,)


def test_a_stream_without_samples_is_an_error() -> None:
    with pytest.raises(OpenL3Error, match="empty"):
        AudioEmbeddingStream(48000, **OPTIONS).finish()


def test_a_finished_stream_takes_no_more_blocks() -> None:
    stream = AudioEmbeddingStream(48000, **OPTIONS)
    stream.feed(np.ones(100))
    stream.finish()

    with pytest.raises(OpenL3Error, match="finished"):
        stream.feed(np.ones(100))


def test_a_block_that_is_no_plain_array_is_refused() -> None:
    stream = AudioEmbeddingStream(48000, **OPTIONS)
    with pytest.raises(OpenL3Error, match="block must be a NumPy array; got list"):
        stream.feed([0.0, 0.1])  # type: ignore[arg-type]
    with pytest.raises(OpenL3Error, match="block must not be masked"):
        stream.feed(np.ones(9).view(np.ma.MaskedArray))


def test_the_stream_is_part_of_the_public_interface() -> None:
    assert "AudioEmbeddingStream" in l3embed.__all__

"""The resampler against resampy 0.4's windowed sinc with the release's figures and SciPy's Kaiser window."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import resampy
import scipy.signal
from conftest import noise

from l3embed.errors import OpenL3Error
from l3embed.inputs.resampling import Resampler, resampled_length

RATES_HZ = [8_000, 11_025, 12_345, 16_000, 22_050, 44_100, 44_101, 88_200, 96_000, 192_000]


def kaiser(samples: int) -> npt.NDArray[np.float64]:
    window: npt.NDArray[np.float64] = scipy.signal.windows.kaiser(samples, 14.769656459379492)
    return window


def resample_with_resampy(samples: npt.NDArray[np.float64], rate_hz: float) -> npt.NDArray[np.float64]:
    """What the release's resampler computes, but for its rounding errors."""
    resampled: npt.NDArray[np.float64] = resampy.resample(
        samples,
        rate_hz,
        48_000,
        filter="sinc_window",
        num_zeros=64,
        precision=9,
        rolloff=0.9475937167399596,
        window=kaiser,
    )
    return resampled


def resample(
    samples: npt.NDArray[np.float64], rate_hz: float, block_sizes: list[int] | None = None
) -> npt.NDArray[np.float64]:
    """Resample in blocks of these sizes, the last of which is used for all that is left."""
    resampler = Resampler(rate_hz)
    ends = np.cumsum(block_sizes or [len(samples)])
    blocks = np.split(samples, ends[ends < len(samples)])
    return np.concatenate([*(resampler.feed(block) for block in blocks), resampler.finish()])


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_samples_are_those_of_resampy(rate_hz: int) -> None:
    samples = noise(0.4, rate_hz)
    expected = resample_with_resampy(samples, rate_hz)
    np.testing.assert_allclose(resample(samples, rate_hz), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_the_sizes_of_blocks_do_not_matter(rate_hz: int) -> None:
    rng = np.random.default_rng(rate_hz)
    samples = noise(0.5, rate_hz)
    sizes = [0, 1, *rng.integers(0, 4_000, 40).tolist()]
    np.testing.assert_allclose(
        resample(samples, rate_hz, sizes), resample(samples, rate_hz), rtol=0, atol=1e-14
    )


def test_blocks_of_one_sample() -> None:
    samples = noise(0.05, 22_050)
    np.testing.assert_allclose(
        resample(samples, 22_050, [1] * len(samples)), resample(samples, 22_050), rtol=0, atol=1e-14
    )


def test_a_long_recording_is_as_exact_at_its_end_as_at_its_start() -> None:
    samples = noise(20, 44_100)
    error = np.abs(resample(samples, 44_100, [441_000]) - resample_with_resampy(samples, 44_100))
    assert error[-48_000:].max() < 1e-9


@pytest.mark.parametrize("samples", [1, 2, 5, 63, 64, 65, 127, 300])
@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 96_000])
def test_audio_shorter_than_the_filter(samples: int, rate_hz: int) -> None:
    audio = 0.5 + noise(1)[:samples]
    if not resampled_length(samples, rate_hz):
        assert resample(audio, rate_hz).size == 0
        return
    np.testing.assert_allclose(
        resample(audio, rate_hz), resample_with_resampy(audio, rate_hz), rtol=0, atol=1e-9
    )


@pytest.mark.parametrize(
    ("samples", "rate_hz", "expected"),
    [
        pytest.param(44_100, 44_100, 48_000, id="a second"),
        pytest.param(44_101, 44_100, 48_001, id="the last one's fraction is cut"),
        pytest.param(1, 44_100, 1, id="one sample"),
        pytest.param(1, 96_000, 0, id="half a sample is none"),
        pytest.param(3, 96_000, 1, id="one and a half are one"),
        pytest.param(0, 44_100, 0, id="none"),
    ],
)
def test_lengths(samples: int, rate_hz: int, expected: int) -> None:
    assert resampled_length(samples, rate_hz) == expected
    assert resample(np.zeros(samples), rate_hz).size == expected


def test_a_tone_stays_the_tone_it_was() -> None:
    times_in, times_out = np.arange(44_100) / 44_100, np.arange(48_000) / 48_000
    resampled = resample(np.sin(2 * np.pi * 440 * times_in), 44_100)
    away_from_the_ends = slice(1_000, -1_000)
    np.testing.assert_allclose(
        resampled[away_from_the_ends], np.sin(2 * np.pi * 440 * times_out)[away_from_the_ends], atol=1e-6
    )


@pytest.mark.parametrize("rate_hz", [0, -44_100])
def test_a_rate_is_positive(rate_hz: int) -> None:
    with pytest.raises(OpenL3Error, match=f"must be a positive number of Hz; got {rate_hz}"):
        Resampler(rate_hz)


def test_a_rate_beyond_the_reach_of_the_filter_is_refused() -> None:
    Resampler(48_000 * 512)
    with pytest.raises(OpenL3Error, match="at most 24576000 Hz; got 24576001"):
        Resampler(48_000 * 512 + 1)

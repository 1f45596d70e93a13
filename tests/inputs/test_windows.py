"""Samples to windows: downmix, centre, frame, pad and timestamps, against windows cut by hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from conftest import noise

from l3embed.errors import OpenL3Error
from l3embed.inputs.windows import Framer, Framing, MonoStream, downmix

Samples = npt.NDArray[np.float64]

LENGTHS = [1, 23_999, 24_000, 24_001, 47_999, 48_000, 48_001, 52_800, 52_801, 100_000, 143_999]
HOPS_S = [1 / 48_000 * 1_000, 0.1, 0.29, 0.5, 1.0, 1.3, 2.5]


def cut_by_hand(samples: Samples, hop_s: float, *, center: bool) -> Samples:
    """One window at a time, until one reaches the last sample (or what lies between two windows)."""
    if center:
        samples = np.concatenate([np.zeros(24_000), samples])
    windows, start = [], 0
    while True:
        window = np.zeros(48_000)
        window[: len(samples[start : start + 48_000])] = samples[start : start + 48_000]
        windows.append(window)
        if start + 48_000 >= len(samples):
            return np.array(windows)
        start += int(hop_s * 48_000)


def frame(samples: Samples, framing: Framing, block_sizes: list[int] | None = None) -> Samples:
    framer = Framer(framing)
    ends = np.cumsum(block_sizes or [len(samples)])
    blocks = np.split(samples, ends[ends < len(samples)])
    return np.concatenate([*(np.array(framer.feed(block)) for block in blocks), framer.finish()])


@pytest.mark.parametrize("center", [True, False], ids=["centred", "not centred"])
@pytest.mark.parametrize("hop_s", HOPS_S)
@pytest.mark.parametrize("length", LENGTHS)
def test_windows_are_those_cut_by_hand(length: int, hop_s: float, center: bool) -> None:
    samples, framing = noise(3)[:length], Framing(hop_s, center)
    expected = cut_by_hand(samples, hop_s, center=center)
    assert framing.frames(length) == len(expected)
    np.testing.assert_array_equal(frame(samples, framing), expected)


@pytest.mark.parametrize("hop_s", [0.1, 0.29, 1.0, 1.3, 2.5])
@pytest.mark.parametrize("seed", range(3))
def test_the_sizes_of_blocks_do_not_matter(hop_s: float, seed: int) -> None:
    sizes = [0, 1, *np.random.default_rng(seed).integers(0, 60_000, 20).tolist()]
    samples = noise(6.7, seed=seed)
    framing = Framing(hop_s)
    np.testing.assert_array_equal(frame(samples, framing, sizes), frame(samples, framing))


@pytest.mark.parametrize(
    ("length", "hop_s", "center", "expected"),
    [
        pytest.param(48_000, 0.1, True, 6, id="a second, centred"),
        pytest.param(48_000, 0.1, False, 1, id="a second"),
        pytest.param(48_001, 0.1, False, 2, id="a sample more than a second"),
        pytest.param(52_800, 0.1, False, 2, id="exactly two windows"),
        pytest.param(1, 0.1, True, 1, id="one sample"),
        pytest.param(480_000, 5.0, False, 3, id="hop of five seconds"),
    ],
)
def test_counts(length: int, hop_s: float, center: bool, expected: int) -> None:
    assert Framing(hop_s, center).frames(length) == expected


def test_centring_puts_half_a_second_of_zeros_in_front() -> None:
    samples = np.ones(48_000)
    (window, *_) = frame(samples, Framing(0.5, center=True))
    np.testing.assert_array_equal(window, np.repeat([0.0, 1.0], 24_000))


def test_the_last_window_is_filled_up_with_zeros_so_that_every_sample_is_covered() -> None:
    windows = frame(np.ones(48_000 + 1), Framing(1.0, center=False))
    assert len(windows) == 2
    np.testing.assert_array_equal(windows[1], np.concatenate([[1.0], np.zeros(47_999)]))


def test_hops_longer_than_a_window_leave_samples_out() -> None:
    samples = np.arange(5 * 48_000, dtype=float)
    windows = frame(samples, Framing(2.0, center=False))
    np.testing.assert_array_equal(windows[:, 0], [0, 96_000, 192_000])


@pytest.mark.parametrize(
    ("hop_s", "samples"),
    [(0.1, 4_800), (0.29, 13_919), (0.57, 27_359), (1.0, 48_000), (1e-4, 4), (0.29999, 14_399)],
)
def test_a_hop_is_cut_to_whole_samples(hop_s: float, samples: int) -> None:
    # 0.29 * 48000 falls short of 13,920 in binary: the release's windows lie at multiples of 13,919.
    assert Framing(hop_s).hop_samples == samples


@pytest.mark.parametrize("hop_s", [0.0, -0.1, 1 / 48_001])
def test_a_hop_is_at_least_a_sample(hop_s: float) -> None:
    with pytest.raises(OpenL3Error, match=r"hop_size must be at least one sample, .*; got"):
        Framing(hop_s)


def test_timestamps_are_multiples_of_the_hop_as_it_was_given() -> None:
    # Of 0.29 s, not of the 13,919 samples that it is cut to: so the release does.
    np.testing.assert_array_equal(Framing(0.29).timestamps_s(4), np.array([0, 1, 2, 3]) * 0.29)
    assert Framing().timestamps_s(0).shape == (0,)


def test_channels_are_averaged() -> None:
    stereo = np.array([[1, 3], [2, -2], [0, 5]])
    np.testing.assert_array_equal(downmix(stereo), [2.0, 0.0, 2.5])


@pytest.mark.parametrize("dtype", ["int16", "uint8", "float32", "bool"])
def test_samples_of_any_real_type_become_doubles(dtype: str) -> None:
    mono = downmix(np.array([0, 1, 1], dtype))
    assert mono.dtype == np.float64
    np.testing.assert_array_equal(mono, [0.0, 1.0, 1.0])


def test_bytes_of_two_channels_do_not_overflow() -> None:
    np.testing.assert_array_equal(downmix(np.array([[200, 250]], np.uint8)), [225.0])


@pytest.mark.parametrize(
    ("block", "message"),
    [
        pytest.param(np.array([0.0, np.nan]), "NaN or infinite", id="NaN"),
        pytest.param(np.array([[0.0, np.inf], [0.0, 0.0]]), "NaN or infinite", id="infinity"),
        pytest.param(np.zeros(3, complex), "real numbers; got the type complex128", id="complex"),
        pytest.param(np.array(["a", "b"]), "real numbers; got the type <U1", id="text"),
        pytest.param(np.array([None, 1.0]), "real numbers; got the type object", id="objects"),
        pytest.param(np.zeros((2, 2, 2)), r"shape .* got \(2, 2, 2\)", id="three axes"),
        pytest.param(np.zeros(()), r"shape .* got \(\)", id="a number"),
    ],
)
def test_what_is_no_audio_is_refused(block: npt.NDArray[np.generic], message: str) -> None:
    with pytest.raises(OpenL3Error, match=message):
        downmix(block)


def test_a_stream_of_no_samples_is_refused() -> None:
    stream = MonoStream(44_100)
    stream.feed(np.zeros(0))
    with pytest.raises(OpenL3Error, match="empty: it has no samples"):
        stream.finish()


def test_a_stream_too_short_for_one_sample_at_48_khz_is_refused() -> None:
    stream = MonoStream(192_000)
    stream.feed(np.ones(3))
    with pytest.raises(OpenL3Error, match="too short: its 3 samples make none at 48 kHz"):
        stream.finish()


@pytest.mark.parametrize(
    ("blocks", "is_silent"),
    [([np.zeros(10), np.zeros(10)], True), ([np.zeros(10), np.eye(1, 10, 9)[0]], False)],
    ids=["all zeros", "one sample in the last block"],
)
def test_a_stream_knows_whether_it_was_silent(blocks: list[Samples], is_silent: bool) -> None:
    stream = MonoStream(48_000)
    for block in blocks:
        stream.feed(block)
    assert stream.is_silent is is_silent


def test_channels_that_cancel_out_are_not_silent() -> None:
    stream = MonoStream(48_000)
    stream.feed(np.array([[0.5, -0.5]] * 10))
    assert not stream.is_silent


@pytest.mark.parametrize(
    ("samples", "rate_hz", "is_short"),
    [(47_999, 48_000, True), (48_000, 48_000, False), (44_100, 44_100, False), (44_099, 44_100, True)],
)
def test_a_stream_is_short_below_a_second(samples: int, rate_hz: int, is_short: bool) -> None:
    stream = MonoStream(rate_hz)
    stream.feed(np.ones(samples))
    stream.finish()
    assert stream.is_short is is_short

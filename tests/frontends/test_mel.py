"""The mel filters against librosa's."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from l3embed.frontends.mel import mel_bands, mel_filterbank

FILTERS = [128, 256]


@pytest.mark.parametrize("filters", FILTERS)
def test_the_filters_are_librosa_s_to_the_bit(filters: int) -> None:
    expected = librosa.filters.mel(sr=48_000, n_fft=2048, n_mels=filters, norm="slaney", htk=False)

    filterbank = mel_filterbank(2048, filters)

    assert filterbank.dtype == np.float32
    np.testing.assert_array_equal(filterbank, expected)


@pytest.mark.parametrize("filters", FILTERS)
def test_the_bands_put_together_are_the_filters(filters: int) -> None:
    together = np.zeros((filters, 1025), np.float32)
    times_written = np.zeros(filters, int)
    for band in mel_bands(2048, filters):
        together[band.filters, band.bins] = band.weights.T
        times_written[band.filters] += 1

    np.testing.assert_array_equal(together, mel_filterbank(2048, filters))
    assert (times_written == 1).all()


def test_bands_leave_out_most_of_the_zeros() -> None:
    multiplied = sum(band.weights.size for band in mel_bands(2048, 256))

    assert multiplied < 0.1 * 256 * 1025

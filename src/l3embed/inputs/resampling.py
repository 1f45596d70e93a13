"""The reference's resampler, to 48 kHz, block by block.

The reference resamples with the windowed sinc that resampy before 0.3 calls ``kaiser_best``, and reads
its filter off a table, with linear interpolation. The ratio of two rates is rational, which makes
those readings repeat: 44.1 kHz audio needs 160 different sets of filter coefficients, and no more. So
the coefficients are laid out once as matrices, and resampling becomes a matrix product.
"""

from fractions import Fraction
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error
from l3embed.variants import SAMPLE_RATE_HZ

Samples = npt.NDArray[np.float64]

# Figures of the filter, from resampy 0.2's "kaiser_best".
ZERO_CROSSINGS = 64
TABLE_STEPS_PER_CROSSING = 512
ROLL_OFF = 0.9475937167399596
KAISER_BETA = 14.769656459379492

MAX_GROUP_OUTPUTS = 256
"""Upper bound of the outputs that one coefficient matrix computes: larger ones waste work on zeros."""

MAX_KEPT_MATRIX_BYTES = 64 * 2**20
"""Coefficients of unusual rates (44,101 Hz, say) fill more than this: they are computed anew each time."""


@lru_cache(maxsize=1)
def _filter_table() -> Samples:
    """Return the right half of the windowed sinc, 512 values for each of 64 zero crossings, and one."""
    steps = ZERO_CROSSINGS * TABLE_STEPS_PER_CROSSING
    crossings = np.linspace(0, ZERO_CROSSINGS, steps + 1)
    taper = np.kaiser(2 * steps + 1, KAISER_BETA)[steps:]
    table: Samples = ROLL_OFF * np.sinc(ROLL_OFF * crossings) * taper
    return table


class Resampler:
    """Turn blocks of samples at one rate into blocks at 48 kHz.

    Memory depends on the rate and the largest block, not on the length of the audio. The blocks'
    sizes do not change the result.

    Parameters
    ----------
    sample_rate_hz : float
        Rate of the samples that come in; fractions of a Hz count to the thousandth.

    Raises
    ------
    OpenL3Error
        If the rate is not positive, or so high that the reference's filter has no step for it.
    """

    def __init__(self, sample_rate_hz: float) -> None:
        if sample_rate_hz <= 0:
            raise OpenL3Error(f"The sample rate must be a positive number of Hz; got {sample_rate_hz}.")
        self._sample_rate_hz = sample_rate_hz
        self._scale = min(1.0, SAMPLE_RATE_HZ / sample_rate_hz)
        # The reference truncates the step through its table to an integer: 88.2 kHz gets 278, not 278.6.
        self._table_step = int(self._scale * TABLE_STEPS_PER_CROSSING)
        if self._table_step < 1:
            limit_hz = SAMPLE_RATE_HZ * TABLE_STEPS_PER_CROSSING
            raise OpenL3Error(f"The sample rate must be at most {limit_hz} Hz; got {sample_rate_hz}.")
        self._wing = _filter_table().size // self._table_step
        ratio = SAMPLE_RATE_HZ / Fraction(sample_rate_hz).limit_denominator(1000)
        repeats = max(1, MAX_GROUP_OUTPUTS // ratio.numerator)
        self._up, self._down = ratio.numerator * repeats, ratio.denominator * repeats
        self._group_outputs = _largest_divisor(self._up, MAX_GROUP_OUTPUTS)
        self._groups = self._up // self._group_outputs
        matrix_bytes = self._run_samples * self._group_outputs * np.dtype(float).itemsize
        self._keeps_matrices = self._groups * matrix_bytes <= MAX_KEPT_MATRIX_BYTES
        self._matrices: dict[int, Samples] = {}
        # The zeros before the first sample are the left wing of the first outputs.
        self._pending: list[Samples] = [np.zeros(self._wing - 1)]
        self._pending_samples = self._wing - 1
        self._samples_in = 0
        self._groups_out = 0

    def feed(self, block: Samples) -> Samples:
        """Take the next samples, shape ``(N,)``, and return the 48 kHz samples that can be computed."""
        self._samples_in += block.size
        self._pending.append(block)
        self._pending_samples += block.size
        if self._pending_samples < self._run_samples:
            return np.empty(0)
        return self._run()

    def finish(self) -> Samples:
        """Return the samples that were waiting for the end of the audio."""
        total = resampled_length(self._samples_in, self._sample_rate_hz)
        missing = total - self._groups_out * self._group_outputs
        # Zeros behind the last sample are the right wing of the last outputs, and fill up the last groups.
        self._pending.append(np.zeros(self._wing + 2 * self._run_samples))
        return self._run()[: max(missing, 0)]

    @property
    def _run_samples(self) -> int:
        """Samples from the start of one matrix's reach to its end."""
        return 2 * self._wing + (self._group_outputs * self._down) // self._up + 1

    def _run(self) -> Samples:
        """Apply the matrices as often as the pending samples allow."""
        samples = np.concatenate(self._pending)
        first = self._group_start(self._groups_out)
        runs = self._groups_within(first + samples.size) - self._groups_out
        if runs <= 0:
            self._pending = [samples]
            return np.empty(0)
        output = np.empty((runs, self._group_outputs))
        for offset in range(min(runs, self._groups)):
            group = (self._groups_out + offset) % self._groups
            start = self._group_start(self._groups_out + offset) - first
            rows = output[offset :: self._groups]
            reach = np.lib.stride_tricks.sliding_window_view(samples[start:], self._run_samples)
            # Copied, since BLAS takes no matrix whose rows overlap, and NumPy's own product is slow.
            np.matmul(reach[:: self._down][: len(rows)].copy(), self._matrix(group), out=rows)
        self._groups_out += runs
        rest = samples[self._group_start(self._groups_out) - first :].copy()
        self._pending, self._pending_samples = [rest], rest.size
        return output.ravel()

    def _groups_within(self, end: int) -> int:
        """Return how many groups, from the first of all on, reach no further than sample `end`."""
        last_start = end - self._run_samples
        return ((last_start + 1) * self._up - 1) // (self._group_outputs * self._down) + 1

    def _group_start(self, group: int) -> int:
        """Return the index of the sample at or before the first output of a group."""
        return (group * self._group_outputs * self._down) // self._up

    def _matrix(self, group: int) -> Samples:
        """Return a group's coefficients, which are kept if those of all groups are few."""
        if not self._keeps_matrices:
            return self._coefficients(group)
        if group not in self._matrices:
            self._matrices[group] = self._coefficients(group)
        return self._matrices[group]

    def _coefficients(self, group: int) -> Samples:
        """Lay out one group's filters: shape (samples in reach, outputs).

        Row 0 stands for the sample ``wing - 1`` before the group's first.
        """
        outputs = group * self._group_outputs + np.arange(self._group_outputs)
        nearest = outputs * self._down // self._up - self._group_start(group)
        # Times are computed, not summed up step by step as in the reference, whose rounding grows.
        fractions = self._scale * ((outputs * self._down) % self._up) / self._up
        matrix = np.zeros((self._run_samples, self._group_outputs))
        columns = np.arange(self._group_outputs)
        taps = np.arange(self._wing)[:, np.newaxis]
        matrix[self._wing - 1 + nearest - taps, columns] = self._read_table(fractions, taps)
        matrix[self._wing + nearest + taps, columns] = self._read_table(self._scale - fractions, taps)
        return matrix

    def _read_table(self, fractions: Samples, taps: npt.NDArray[np.int64]) -> Samples:
        """Read the filter `taps` samples away from its centre, between entries by a straight line."""
        positions = fractions * TABLE_STEPS_PER_CROSSING
        offsets = positions.astype(np.int64)
        indices = offsets + taps * self._table_step
        table, steps = self._scaled_table
        inside = taps < (table.size - offsets) // self._table_step
        clipped = np.minimum(indices, table.size - 1)
        weights: Samples = np.where(inside, table[clipped] + (positions - offsets) * steps[clipped], 0.0)
        return weights

    @cached_property
    def _scaled_table(self) -> tuple[Samples, Samples]:
        """The filter at this ratio's gain, and its differences from entry to entry."""
        table = self._scale * _filter_table()
        return table, np.diff(table, append=table[-1])


def resampled_length(samples: int, sample_rate_hz: float) -> int:
    """Return how many samples at 48 kHz the reference makes of `samples`, its rounding included."""
    return int(samples * float(SAMPLE_RATE_HZ) / float(sample_rate_hz))


def _largest_divisor(number: int, limit: int) -> int:
    return max(divisor for divisor in range(1, min(number, limit) + 1) if number % divisor == 0)

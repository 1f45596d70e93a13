"""How much is measured: enough for figures to go by, or so little that CI sees that it still works."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Sizes:
    """Repetitions and inputs.

    Parameters
    ----------
    rounds : int
        In each, everything that is compared runs once, one after the other.
    warm_ups : int
        Rounds before them that do not count.
    start_up_runs : int
        Processes of which the quickest counts.
    recording_s : float
        The recording that whole processes embed.
    steady_s, steady_naive_s : float
        The recording of the steady state; the naive way gets a shorter one, since its speed does not
        depend on the length.
    bare_items : int
        Ready spectrograms or pixels that go through the bare network in one measurement.
    clips, clip_s
        Files of the pipeline, and their shortest and longest duration.
    photographs, steady_photographs : int
        Files of the images' rows: of whole processes, and of the steady state.
    lengths_s : tuple of float
        Recordings of the memory's rows; the longest is compared with the one before it.
    naive_lengths_s : tuple of float
        The same for the naive way, which takes 5 MB for each second.
    counts : tuple[int, int]
        Files of the datasets that are compared.
    searched : tuple[int, int]
        Files that are searched, and how many are added to them.
    reference_inputs : int
        Reference recordings whose windows are compared in bfloat16; 0: all.
    product_side : int
        Rows and columns of the matrices whose product is the peak.
    """

    rounds: int
    warm_ups: int
    start_up_runs: int
    recording_s: float
    steady_s: float
    steady_naive_s: float
    bare_items: int
    clips: int
    clip_s: tuple[float, float]
    photographs: int
    steady_photographs: int
    lengths_s: tuple[float, ...]
    naive_lengths_s: tuple[float, ...]
    counts: tuple[int, int]
    searched: tuple[int, int]
    reference_inputs: int
    product_side: int

    def halved(self) -> Sizes:
        """Return the sizes of the steady state for networks that take twice the operations of mel128's."""
        return replace(
            self,
            steady_s=self.steady_s / 2,
            steady_naive_s=self.steady_naive_s / 2,
            bare_items=self.bare_items // 2,
            steady_photographs=self.steady_photographs // 2,
        )


FULL = Sizes(
    rounds=3,
    warm_ups=1,
    start_up_runs=10,
    recording_s=30,
    steady_s=180,
    steady_naive_s=30,
    bare_items=320,
    clips=500,
    clip_s=(1, 5),
    photographs=500,
    steady_photographs=320,
    lengths_s=(60, 600, 36_000),
    naive_lengths_s=(15, 60, 120),
    counts=(100, 10_000),
    searched=(10_000, 1_000),
    reference_inputs=0,
    product_side=4096,
)

SHORT = Sizes(
    rounds=1,
    warm_ups=0,
    start_up_runs=1,
    recording_s=1,
    steady_s=3,
    steady_naive_s=0.5,
    bare_items=8,
    clips=4,
    clip_s=(0.2, 0.4),
    photographs=4,
    steady_photographs=4,
    lengths_s=(2, 20),
    naive_lengths_s=(),
    counts=(2, 10),
    searched=(20, 5),
    reference_inputs=1,
    product_side=512,
)

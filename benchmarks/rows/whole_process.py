"""Half a minute of sound in a process of its own: start-up, weights, network and output, all in."""

from __future__ import annotations

from pathlib import Path

from benchmarks import inputs
from benchmarks.processes import run_python
from benchmarks.report import Check, Report
from benchmarks.rounds import middle, ratios, side_by_side, spread
from benchmarks.sizes import Sizes

HOP_S = 0.1
GOAL = 3


def measure(sizes: Sizes, folder: Path) -> Report:
    """Embed one recording with the naive way and with l3embed, in turns."""
    file = inputs.write_recording(folder / "recording.wav", sizes.recording_s)
    seconds = side_by_side(
        {
            "naive": lambda: run_python("-m", "benchmarks.naive", "audio", "mel128", HOP_S, folder, file),
            "l3embed": lambda: _embed(file, folder / "embeddings"),
        },
        sizes.warm_ups + sizes.rounds,
    )
    # The first round reads from the disk what later ones find in memory, and compiles resampy.
    naive, ours = (seconds[way][sizes.warm_ups :] for way in ("naive", "l3embed"))
    speedup = ratios(naive, ours)
    check = Check(
        f"float32, {sizes.recording_s:g} s of 44.1 kHz stereo, mel128/6144, hop {HOP_S}, whole process",
        GOAL,
        middle(speedup),
        "x naive",
        at_least=True,
        how=f"{middle(ours):.3g} s against {middle(naive):.3g} s; {spread(speedup)}",
        label="float32, whole process",
    )
    return Report([check], {"naive_s": naive, "l3embed_s": ours})


def _embed(file: Path, output: Path) -> None:
    options = ("-i", "mel128", "-t", HOP_S, "--weights", "random", "-q", "-ow", "-o", output)
    run_python("-m", "l3embed", "audio", file, *options)

"""A dataset of short clips through the pipeline: whether the network ever waits."""

from __future__ import annotations

from pathlib import Path

from benchmarks import inputs
from benchmarks.project import Project
from benchmarks.report import Check, Report
from benchmarks.rounds import profiled
from benchmarks.sizes import Sizes
from l3embed.profiling import Phase
from l3embed.variants import AudioVariant, InputRepr

GOAL_PERCENT = 95


def measure(sizes: Sizes, folder: Path) -> Report:
    """Run the stages on clips of mixed rates and formats, and take down the seconds of each phase."""
    shortest_s, longest_s = sizes.clip_s
    project = Project(folder, AudioVariant(InputRepr.MEL128))
    inputs.write_clips(project.dataset, sizes.clips, shortest_s, longest_s)
    project.weights()
    report = Report()
    for name, stage in (
        ("preprocess", project.preprocess),
        ("embed", project.embed),
        ("export", project.export),
    ):
        report.figures[name] = profiled(stage)
    phases = report.figures["embed"]
    busy = 100 * phases[Phase.NETWORK.value] / phases["elapsed"]
    check = Check(
        f"{sizes.clips} clips of {shortest_s:g} to {longest_s:g} s, mixed rates and formats: network busy",
        GOAL_PERCENT,
        round(busy, 1),
        "% of the embed stage",
        at_least=True,
        how=f"mel128/6144, hop 0.1: {phases[Phase.NETWORK.value]:.4g} s in the network of the stage's "
        f"{phases['elapsed']:.4g} s, the loading of the network included",
        label=f"{sizes.clips} clips: network busy",
    )
    report.checks = [check]
    return report

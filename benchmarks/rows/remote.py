"""Short clips in a bucket against the same clips on the local disk: whether fetching holds anything up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from statistics import median

from benchmarks import inputs, s3
from benchmarks.project import Project
from benchmarks.report import Check, Report
from benchmarks.rounds import middle, ratios, side_by_side, spread
from benchmarks.sizes import Sizes
from l3embed.inputs.windows import Framing
from l3embed.listings.listing_maker import make_listing
from l3embed.variants import AudioVariant, InputRepr

GOAL_PERCENT = 90
HOP_S = 1.0


@dataclass(frozen=True)
class ListedProject(Project):
    """A project whose dataset is a listing."""

    listing: Path = field(default_factory=Path)

    @property
    def dataset(self) -> Path:
        """The listing."""
        return self.listing


def measure(sizes: Sizes, folder: Path) -> Report:
    """Run the stages on both in turns, each with an empty store, and compare the seconds they took."""
    report = Report()
    if not (find_spec("moto") and find_spec("s3fs")):
        report.checks = [_check(sizes, None, "needs moto and s3fs: pip install 'l3embed[dev,remote]'")]
        return report
    clips = folder / "clips"
    inputs.write_clips(clips, sizes.clips, *sizes.clip_s)
    with s3.served(clips) as bucket:
        for name, root in {"local": str(clips), "s3": bucket}.items():
            make_listing(root, folder / f"{name}.parquet", lambda file: True)
        numbers = count()
        seconds = side_by_side(
            {name: partial(_run, folder, name, numbers) for name in ("local", "s3")}, sizes.rounds
        )
    shares = [100 * ratio for ratio in ratios(seconds["local"], seconds["s3"])]
    how = f"{middle(seconds['s3'])} s against {middle(seconds['local'])} s; {spread(shares, 1)}"
    report.checks = [_check(sizes, round(median(shares), 1), how)]
    report.figures = {"seconds": seconds}
    return report


def _check(sizes: Sizes, got: float | None, how: str) -> Check:
    return Check(
        f"{sizes.clips} clips of {sizes.clip_s[0]:g} to {sizes.clip_s[1]:g} s in S3 on loopback",
        GOAL_PERCENT,
        got,
        "% of the local disk's speed",
        at_least=True,
        how=f"mel128/512, hop {HOP_S:g}, preprocess and embed, the server on the same cores: {how}",
        label=f"{sizes.clips} clips in S3",
    )


def _run(folder: Path, name: str, numbers: Iterator[int]) -> None:
    place = folder / str(next(numbers))
    os.environ["L3EMBED_STORE"] = str(place / "store")
    variant = AudioVariant(InputRepr.MEL128, embedding_size=512)
    project = ListedProject(place, variant, Framing(hop_s=HOP_S), folder / f"{name}.parquet")
    project.weights()
    project.preprocess()
    project.embed()

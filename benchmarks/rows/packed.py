"""Memory, time an input, and the number of files of packed runs, against the number of inputs."""

from __future__ import annotations

import os
import shutil
import wave
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import run_python
from benchmarks.report import Check, Report
from benchmarks.sizes import Sizes

GROWTH_MB = 100
SLOWDOWN_PERCENT = 15
MOST_FILES = 500

RATE_HZ, SAMPLES = 8_000, 400
CLASSES = 20
LINKS = 50_000
"""Names of one file; file systems allow some more."""

HOW = "the stages check to export in one process, with a stand-in for the network"


@dataclass(frozen=True)
class Measured:
    """What a run took: memory, time an input, and the files that it left, the store aside."""

    peak_mb: float
    input_s: float
    files: int


def measure(sizes: Sizes, folder: Path) -> Report:
    """Run the stages on clips that are all different, and on one clip that is listed often."""
    few, many = sizes.packed_inputs
    small, often = (_measure_once(count, folder, is_one=True) for count in (few, sizes.packed_often))
    first, second = (_measure_once(count, folder, is_one=False) for count in (few, many))
    slowdown = 100 * (second.input_s / first.input_s - 1)
    growths = [(often, small, sizes.packed_often, "one clip listed often"), (second, first, many, "clips")]
    checks = [
        Check(
            f"{count:,} inputs, packed ({which}): more memory than for {few:,}",
            GROWTH_MB,
            round(large.peak_mb - base.peak_mb),
            "MB",
            at_least=False,
            how=f"{large.peak_mb:.0f} MB against {base.peak_mb:.0f} MB; {HOW}",
            label=f"{count:,} packed: more memory",
        )
        for large, base, count, which in growths
    ]
    checks += [
        Check(
            f"{many:,} inputs, packed (clips): more time an input than for {few:,}",
            SLOWDOWN_PERCENT,
            round(slowdown, 1),
            "%",
            at_least=False,
            how=f"{1000 * second.input_s:.1f} ms against {1000 * first.input_s:.1f} ms; {HOW}",
            label=f"{many:,} packed: more time",
        ),
        Check(
            f"{sizes.packed_often:,} inputs, packed: files in the run's folder",
            MOST_FILES,
            often.files,
            "files",
            at_least=False,
            how="all folders of the stages check to export",
            label=f"{sizes.packed_often:,} packed: files",
        ),
    ]
    return Report(checks, {"measured": [vars(each) for each in (small, often, first, second)]})


def write_listed_clips(folder: Path, count: int, *, is_one: bool) -> Path:
    """Write so many clips, or names of a few, and return the listing of them."""
    from l3embed.listings.listing_maker import make_listing

    source = folder
    for number in range(count):
        place = folder / "clips" / f"class {number % CLASSES:02d}" / f"{number:06d}.wav"
        place.parent.mkdir(parents=True, exist_ok=True)
        if is_one and number % LINKS:
            os.link(source, place)
            continue
        source = place
        with wave.open(str(place), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(number.to_bytes(4, "little") * (SAMPLES // 2))
    listing = folder / "clips.parquet"
    make_listing(str(folder / "clips"), listing, lambda file: True)
    return listing


def _measure_once(count: int, folder: Path, *, is_one: bool) -> Measured:
    home = folder / f"packed_{count}_{'one' if is_one else 'all'}"
    listing = write_listed_clips(home, count, is_one=is_one)
    run = run_python("-m", "benchmarks.packed_standin", listing, home / "run")
    files = sum(path.is_file() for path in (home / "run").rglob("*"))
    shutil.rmtree(home)
    shutil.rmtree(folder / "store", ignore_errors=True)
    return Measured(round(run.peak_mb, 1), float(run.output.split()[-1]) / count, files)

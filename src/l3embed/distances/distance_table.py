"""A comparison as text, as JSON, and as a table for programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from l3embed.disk.tables import write_csv
from l3embed.distances.distance_results import Comparison, Distance, outliers
from l3embed.progress import counted

COLUMNS = (
    *("candidate", "file", "measure", "value", "low", "high", "frames", "files"),
    *("r_squared", "slope", "is_outlier"),
)
"""Of the table for programs: a row of a whole candidate has no file."""

HEADER = ("candidate", "measure", "value", "95 % interval", "frames", "files")
MOST_OUTLIERS = 20
GAP = "  "

SMALLEST, LARGEST = 1e-3, 1e6
"""Between these, distances are written without a power of ten."""

DECIMALS = ((1, 4), (10, 3), (LARGEST, 2))
"""Below each size, how many digits follow the point."""


def text_lines(comparison: Comparison) -> Iterator[str]:
    """Yield the lines of a table for readers."""
    yield f"reference: {comparison.reference} ({_counts(comparison)}; {comparison.made})"
    yield ""
    rows = [HEADER, *map(_row, comparison.distances)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield GAP.join(_cell(place, cell, widths[place]) for place, cell in enumerate(row)).rstrip()
    if comparison.per_file:
        yield ""
        yield from _outlier_lines(comparison)
    if comparison.notes:
        yield ""
        yield from comparison.notes


def _counts(comparison: Comparison) -> str:
    known = [
        counted(count, noun)
        for count, noun in ((comparison.reference_files, "file"), (comparison.reference_frames, "frame"))
        if count
    ]
    return f"{', '.join([*known, f'{comparison.dimension:,} numbers each'])}"


def _row(distance: Distance) -> tuple[str, ...]:
    interval = "" if distance.low is None else f"{figure(distance.low)} to {figure(distance.high)}"
    if distance.r_squared is not None:
        interval = f"R\N{SUPERSCRIPT TWO} {distance.r_squared:.3f}"
    counts = (f"{count:,}" if count else "" for count in (distance.frames, distance.files))
    return distance.candidate, distance.measure.heading, figure(distance.value), interval, *counts


def figure(value: float | None) -> str:
    """Return a distance with the digits that count; nothing for none."""
    if value is None:
        return ""
    size = abs(value)
    if size and not SMALLEST <= size < LARGEST:
        return f"{value:.4g}"
    decimals = next(count for limit, count in DECIMALS if size < limit)
    return f"{value:,.{decimals}f}"


def _cell(place: int, cell: str, width: int) -> str:
    return (
        cell.ljust(width) if HEADER[place] in ("candidate", "measure", "95 % interval") else cell.rjust(width)
    )


def _outlier_lines(comparison: Comparison) -> Iterator[str]:
    found = list(outliers(comparison))
    if not found:
        files = sum(map(len, comparison.per_file.values()))
        yield f"Of {counted(files, 'file')}, none is far out by the Fréchet distance of its own frames."
        return
    yield "Far out, by the Fréchet distance of each file's own frames:"
    for name, file in found[:MOST_OUTLIERS]:
        yield f"{GAP}{Path(name, file.file)}{GAP}{figure(file.value)}"
    if len(found) > MOST_OUTLIERS:
        yield f"{GAP}and {len(found) - MOST_OUTLIERS:,} more; --csv has all."


def json_content(comparison: Comparison) -> list[dict[str, Any]]:
    """Return a list with an object for each distance; with each file's own under the Fréchet distance."""
    content = []
    for distance in comparison.distances:
        found = {**vars(distance), "measure": distance.measure.value, "reference": comparison.reference}
        if distance.measure.value == "fd" and distance.candidate in comparison.per_file:
            found["per_file"] = [vars(file) for file in comparison.per_file[distance.candidate]]
        content.append(
            {name: value for name, value in found.items() if name not in _ABSENT or value is not None}
        )
    return content


_ABSENT = ("r_squared", "slope")
"""What is left out where it says nothing."""


def write_table(path: Path, comparison: Comparison) -> None:
    """Write a CSV file with a row for each distance, and for each file's own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_csv(path, COLUMNS, ([row.get(name, "") for name in COLUMNS] for row in _table_rows(comparison)))


def _table_rows(comparison: Comparison) -> Iterator[dict[str, Any]]:
    for distance in comparison.distances:
        known = {name: value for name, value in vars(distance).items() if value is not None}
        yield {**known, "measure": distance.measure.value}
    for name, files in comparison.per_file.items():
        for file in files:
            yield {"candidate": name, "measure": "fd", "files": 1, **vars(file)}

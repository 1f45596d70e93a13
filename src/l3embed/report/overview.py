"""The page's first section: what was computed, from what, how fast, and what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l3embed.disk.json_files import read_whole_object
from l3embed.disk.seals import reading
from l3embed.errors import OpenL3Error
from l3embed.export.manifest import ManifestRow
from l3embed.progress import say
from l3embed.report.formatting import format_length, format_number, format_speed
from l3embed.variants import Modality

RANDOM_PREFIX = "random:"
"""How the identity of seeded weights begins."""

UNTRAINED_MARK = "(untrained)"
SPEED_SUFFIX = "_per_s"
SECONDS_SUFFIX = "_s"
COUNTS = ("inputs", "computed", "reused", "failed")


@dataclass(frozen=True)
class ModalitySummary:
    """What one network made of the dataset: files, and the rows of their embeddings."""

    modality: Modality
    inputs: int
    done: int
    failed: int
    embeddings: int
    dimensions: tuple[int, ...]  # several only in an export of several variants
    duration_s: float
    variants: tuple[str, ...]
    weights: tuple[str, ...]


@dataclass(frozen=True)
class StageMetrics:
    """What one stage wrote about its work: those of ``COUNTS`` that it gives, and the rest in words."""

    name: str
    counts: dict[str, int]
    seconds: float | None
    speed: str
    others: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Overview:
    """The first section of the page; stages come in the order in which they run."""

    files: int
    files_done: int  # with an embedding in at least one modality
    modalities: tuple[ModalitySummary, ...]
    stages: tuple[StageMetrics, ...]
    packages: tuple[tuple[str, int], ...]  # versions, and how many inputs they computed
    untrained: tuple[str, ...]  # identities of weights
    failures: tuple[ManifestRow, ...]


def overview(rows: Sequence[ManifestRow], metrics: Path, stages: Sequence[str]) -> Overview:
    """Sum up a manifest and the metrics of stages, which come in the order in which they run."""
    figures = read_metrics(metrics, stages)
    return Overview(
        files=len({row.path for row in rows}),
        files_done=len({row.path for row in rows if row.is_ok}),
        modalities=tuple(
            _summary(modality, own)
            for modality in Modality
            if (own := [row for row in rows if row.modality == modality.value])
        ),
        stages=tuple(_stage(name, content) for name, content in figures.items()),
        packages=tuple(Counter(row.packages for row in rows if row.packages).most_common()),
        untrained=_untrained(rows, figures.values()),
        failures=tuple(row for row in rows if not row.is_ok),
    )


def read_metrics(folder: Path, stages: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the content of the stages' metrics, unknown ones at the end.

    A file that holds no figures gives none, and is named on the terminal. The last stage is the report
    itself, whose metrics can only be there from an earlier one: they are left out.
    """
    places = {name: place for place, name in enumerate(stages)}
    paths = (path for path in folder.glob("*.json") if path.stem not in stages[-1:])
    ordered = sorted(paths, key=lambda path: (places.get(path.stem, len(places)), path.stem))
    return {path.stem: _read_figures(path) for path in ordered}


def _read_figures(path: Path) -> dict[str, Any]:
    try:
        with reading(path, path.stem):
            return read_whole_object(path)
    except OpenL3Error as error:
        say(f"report: warning: {error}")
        return {}


def _summary(modality: Modality, rows: Sequence[ManifestRow]) -> ModalitySummary:
    done = [row for row in rows if row.is_ok]
    return ModalitySummary(
        modality=modality,
        inputs=len(rows),
        done=len(done),
        failed=len(rows) - len(done),
        embeddings=sum(row.frames for row in done),
        dimensions=tuple(sorted({row.dimension for row in done})),
        duration_s=sum(row.duration_s or 0.0 for row in done),
        variants=tuple(sorted({row.variant for row in rows if row.variant})),
        weights=tuple(sorted({row.weights for row in rows if row.weights})),
    )


def _stage(name: str, content: dict[str, Any]) -> StageMetrics:
    rest = dict(_flat(content))
    counts = {key: rest.pop(key) for key in COUNTS if isinstance(rest.get(key), int)}
    seconds = rest.pop("seconds") if isinstance(rest.get("seconds"), int | float) else None
    speeds = {key: rest.pop(key) for key in list(rest) if key.endswith(SPEED_SUFFIX)}
    words = [f"{format_speed(value)} {_plain(key[: -len(SPEED_SUFFIX)])}/s" for key, value in speeds.items()]
    # Time that went into finding what to reuse says nothing of the speed of computing.
    if not words and seconds and counts.get("computed") and not counts.get("reused"):
        words = [f"{format_speed(counts['computed'] / seconds)} inputs/s"]
    others = tuple(_worded(key, value) for key, value in rest.items())
    return StageMetrics(name, _with_inputs(counts), seconds, ", ".join(words), others)


def _with_inputs(counts: dict[str, int]) -> dict[str, int]:
    """Return the counts, with the inputs that a stage does not count itself."""
    return {"inputs": sum(counts.values())} | counts if counts else {}


def _worded(key: str, value: Any) -> tuple[str, str]:
    if key.endswith(SECONDS_SUFFIX) and isinstance(value, int | float):
        return _plain(key.removesuffix(SECONDS_SUFFIX)), format_length(value)
    return _plain(key), format_number(value)


def _flat(content: dict[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key} ")
        else:
            yield f"{prefix}{key}", ", ".join(map(format_number, value)) if isinstance(value, list) else value


def _plain(key: str) -> str:
    return key.replace("_", " ")


def _untrained(rows: Iterable[ManifestRow], metrics: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """Return the identities of weights that were not trained, as the manifest or a stage tells."""
    found = {row.weights for row in rows if row.weights.startswith(RANDOM_PREFIX)}
    for content in metrics:
        weights = str(content.get("weights", ""))
        if weights.endswith(UNTRAINED_MARK) or content.get("trained") is False:
            found.add(weights.removesuffix(UNTRAINED_MARK).strip() or "of no known origin")
    return tuple(sorted(found))

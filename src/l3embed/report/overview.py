"""The page's first section: what was computed, from what, how fast, and what failed."""

from __future__ import annotations

from collections import Counter, defaultdict
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
MOST_FAILURES = 1000
"""Failed inputs that the page lists; the manifest names all."""

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
    failures: tuple[ManifestRow, ...]  # the first of them
    failed: int
    sample: str  # which files the rest of the page shows; nothing, if they are all


def overview(rows: Iterable[ManifestRow], metrics: Path, stages: Sequence[str], sample: str = "") -> Overview:
    """Sum up a manifest and the metrics of stages, which come in the order in which they run.

    Parameters
    ----------
    rows : iterable of ManifestRow
        All of it; they are gone through once.
    metrics : Path
        The folder of the metrics.
    stages : sequence of str
        The stages.
    sample : str
        What is said of the files that the rest of the page shows; nothing, if they are all.
    """
    figures = read_metrics(metrics, stages)
    sums = _Sums()
    for row in rows:
        sums.add(row)
    return Overview(
        files=len(sums.files),
        files_done=len(sums.files_done),
        modalities=tuple(found for modality in Modality if (found := sums.summary(modality))),
        stages=tuple(_stage(name, content) for name, content in figures.items()),
        packages=tuple(sums.packages.most_common()),
        untrained=_untrained(sums.weights, figures.values()),
        failures=tuple(sums.failures),
        failed=sums.failed,
        sample=sample,
    )


class _Sums:
    """What a manifest's rows add up to; of each file a number is held."""

    def __init__(self) -> None:
        self.files: set[int] = set()
        self.files_done: set[int] = set()
        self.packages: Counter[str] = Counter()
        self.weights: set[str] = set()
        self.failures: list[ManifestRow] = []
        self.failed = 0
        self._counts: Counter[tuple[str, str]] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._words: defaultdict[tuple[str, str], set[Any]] = defaultdict(set)

    def add(self, row: ManifestRow) -> None:
        """Take in one row."""
        self.files.add(hash(row.path))
        if row.packages:
            self.packages[row.packages] += 1
        self.weights.add(row.weights)
        self._counts[row.modality, "inputs"] += 1
        self._words[row.modality, "variants"].add(row.variant)
        self._words[row.modality, "weights"].add(row.weights)
        if not row.is_ok:
            self.failed += 1
            self.failures += [row] if len(self.failures) < MOST_FAILURES else []
            return
        self.files_done.add(hash(row.path))
        self._counts[row.modality, "done"] += 1
        self._counts[row.modality, "embeddings"] += row.frames
        self._words[row.modality, "dimensions"].add(row.dimension)
        self._seconds[row.modality] += row.duration_s or 0.0

    def summary(self, modality: Modality) -> ModalitySummary | None:
        """Return what one network made of the dataset; None if it had nothing to do."""
        name = modality.value
        inputs, done = self._counts[name, "inputs"], self._counts[name, "done"]
        if not inputs:
            return None
        return ModalitySummary(
            modality=modality,
            inputs=inputs,
            done=done,
            failed=inputs - done,
            embeddings=self._counts[name, "embeddings"],
            dimensions=tuple(sorted(self._words[name, "dimensions"])),
            duration_s=self._seconds[name],
            variants=tuple(sorted(filter(None, self._words[name, "variants"]))),
            weights=tuple(sorted(filter(None, self._words[name, "weights"]))),
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


def _untrained(weights: Iterable[str], metrics: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """Return the identities of weights that were not trained, as the manifest or a stage tells."""
    found = {name for name in weights if name.startswith(RANDOM_PREFIX)}
    for content in metrics:
        told = str(content.get("weights", ""))
        if told.endswith(UNTRAINED_MARK) or content.get("trained") is False:
            found.add(told.removesuffix(UNTRAINED_MARK).strip() or "of no known origin")
    return tuple(sorted(found))

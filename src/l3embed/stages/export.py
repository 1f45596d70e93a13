"""Stage ``export``: one ``.npz`` an input, for ``np.load``, with the manifest, the means and the metrics."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from l3embed.disk.atomic import place
from l3embed.disk.rows import RowSpool, read_npz_rows
from l3embed.errors import OpenL3Error
from l3embed.export.labels import Label, LabelSource, assign_labels
from l3embed.export.manifest import ManifestRow, mean_path, write_manifest
from l3embed.export.parquet import ParquetDataset, ParquetOptions
from l3embed.models.origin import Origin
from l3embed.progress import progress_bar
from l3embed.stages.pooling import pool_each, pool_recipe, read_mean
from l3embed.stages.results import (
    EMBEDDINGS_SUFFIX,
    Counts,
    Result,
    array_path,
    make_empty,
    read_origins,
    read_results,
    write_json,
)
from l3embed.store.code import all_versions
from l3embed.store.entries import Entry, Store
from l3embed.store.recipe import Step
from l3embed.store.reuse import resolve
from l3embed.variants import Media, Modality

PARQUET_FOLDER = "parquet"
BLOCK_ROWS = 256

Task = tuple[str, Modality]
"""An input's path, and which of its embeddings."""


@dataclass(frozen=True)
class ExportOptions:
    """Where labels come from, and what is written besides the ``.npz`` files."""

    labels: LabelSource = None
    parquet: ParquetOptions | None = None


@dataclass(frozen=True)
class ExportFolders:
    """Where the embeddings are, and where the stage's output and metrics go."""

    embeddings: Path
    output: Path
    metrics: Path


def run(folders: ExportFolders, options: ExportOptions, store: Store) -> str:
    """Export all embeddings of a folder; return the stage's summary.

    Raises
    ------
    OpenL3Error
        If the table of labels is wrong.
    """
    started_s = time.perf_counter()
    results = read_results(folders.embeddings)
    make_empty(folders.output)
    origins = read_origins(folders.embeddings)
    rows = _manifest_rows(results, options, store, origins)
    files = {
        (result.path, result.modality): array_path(folders.embeddings, result, EMBEDDINGS_SUFFIX)
        for result in results
        if result.is_ok
    }
    for row, result in zip(rows, results, strict=True):
        if row.is_ok:
            place(files[result.path, result.modality], folders.output / row.output)
    counts = Counts(failed=len(results) - len(files))
    means = _pool(files, store, counts)
    for modality in Modality:
        _write_means(
            [means[task] for task in files if task[1] is modality], mean_path(folders.output, modality)
        )
    if options.parquet:
        _write_parquet(rows, files, folders.output / PARQUET_FOLDER, options.parquet)
    write_manifest(folders.output, rows)
    write_json(folders.metrics, _metrics(rows, counts, origins, time.perf_counter() - started_s))
    return f"export: {len(rows)} inputs: {counts}; see {folders.output}/manifest.csv"


def output_names(results: Sequence[Result]) -> dict[Task, str]:
    """Return the output of each input: its path with ``.npz`` in place of its ending.

    A video has two, ``clip_audio.npz`` and ``clip_image.npz``, as OpenL3 names them. Inputs that would
    meet in one output keep their endings: ``a.wav`` and ``a.ogg`` go to ``a.wav.npz`` and ``a.ogg.npz``,
    since neither may be lost.
    """
    whole = {(result.path, result.modality): result.path + _kind(result) for result in results}
    names: dict[Task, str] = {}
    longer = {
        (result.path, result.modality): f"{PurePosixPath(result.path).with_suffix('')}{_kind(result)}"
        for result in results
    }
    # Again until nothing changes: next to a.ogg, a.wav keeps its ending, and so must a.wav.wav then.
    while longer != names:
        names, longer = longer, _keep_endings_where_shared(longer, whole)
    return {task: f"{name}.npz" for task, name in names.items()}


def _kind(result: Result) -> str:
    return f"_{result.modality.value}" if result.media is Media.VIDEO else ""


def _keep_endings_where_shared(names: dict[Task, str], whole: dict[Task, str]) -> dict[Task, str]:
    """Return the names, with the input's whole path for those that several inputs have."""
    # Regardless of case, as some file systems have it.
    counts = Counter(name.casefold() for name in names.values())
    return {task: whole[task] if counts[name.casefold()] > 1 else name for task, name in names.items()}


def _manifest_rows(
    results: Sequence[Result], options: ExportOptions, store: Store, origins: Mapping[Modality, Origin]
) -> list[ManifestRow]:
    labels = assign_labels([result.path for result in results], options.labels)
    outputs = output_names(results)
    return [
        ManifestRow(
            path=result.path,
            modality=result.modality.value,
            label=labels.get(result.path, Label()).label,
            fold=labels.get(result.path, Label()).fold,
            sha256=result.sha256,
            status=result.status,
            reason=result.reason,
            duration_s=result.duration_s,
            sample_rate_hz=result.sample_rate_hz,
            channels=result.channels,
            frames=result.frames,
            dimension=result.dimension,
            output=outputs[result.path, result.modality] if result.is_ok else "",
            variant=origins[result.modality].variant,
            weights=origins[result.modality].weights,
            precision=origins[result.modality].precision,
            runtime=result.runtime,
            packages=all_versions(),
            seconds=_seconds(result, store),
        )
        for result in results
    ]


def _seconds(result: Result, store: Store) -> float | None:
    """Return what an input took when it was computed, by whichever run that was."""
    facts = (
        store.facts(Step.PREPROCESS.value, result.preprocessed),
        store.facts(Step.EMBED.value, result.embedded),
    )
    known = [fact["seconds"] for fact in facts if "seconds" in fact]
    return round(sum(known), 4) if len(known) == len(facts) else None


def _pool(files: Mapping[Task, Path], store: Store, counts: Counts) -> dict[Task, Entry]:
    """Find or compute the means of all inputs."""
    recipes = {task: pool_recipe(path, store) for task, path in files.items()}
    compute = partial(pool_each, files=files, recipes=recipes, store=store)
    means: dict[Task, Entry] = {}
    with progress_bar("Exporting", total=len(files)) as bar:
        for outcome in resolve(store, recipes, compute):
            if isinstance(outcome.result, OpenL3Error):
                raise outcome.result
            means[outcome.key] = outcome.result
            counts.add(outcome.was_computed)
            bar.update()
    return means


def _write_means(entries: Sequence[Entry], path: Path) -> None:
    if entries:
        with RowSpool(path.parent) as spool:
            for entry in entries:
                spool.append(read_mean(entry)[np.newaxis])
            spool.save_npy(path)


def _write_parquet(
    rows: Sequence[ManifestRow], files: Mapping[Task, Path], folder: Path, options: ParquetOptions
) -> None:
    done = [row for row in rows if row.is_ok]
    with ExitStack() as stack, progress_bar("Writing Parquet", total=len(done)) as bar:
        datasets: dict[str, ParquetDataset] = {}
        for row in done:
            modality = Modality(row.modality)
            if row.modality not in datasets:
                dataset = ParquetDataset(folder, modality, row.dimension, options)
                datasets[row.modality] = stack.enter_context(dataset)
            source = files[row.path, modality]
            with np.load(source) as arrays:
                timestamps_s = arrays.get("timestamps")
            datasets[row.modality].add(row, timestamps_s, read_npz_rows(source, "embedding", BLOCK_ROWS))
            bar.update()


def _metrics(
    rows: Sequence[ManifestRow], counts: Counts, origins: Mapping[Modality, Origin], elapsed_s: float
) -> dict[str, Any]:
    metrics: dict[str, Any] = dict(counts.figures)
    for modality, origin in origins.items():
        embeddings = sum(row.frames for row in rows if row.modality == modality.value)
        metrics[modality.value] = {"embeddings": embeddings, "variant": origin.variant}
        metrics["weights"] = origin.weights if origin.trained else f"{origin.weights} (untrained)"
    return {**metrics, "seconds": round(elapsed_s, 3)}

"""Stage ``export``: the embeddings in the formats asked for, with the manifest, the means and the metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from l3embed.disk.rows import RowSpool
from l3embed.errors import OpenL3Error
from l3embed.export.formats import Embedded, RowLayout, format_writer
from l3embed.export.labels import Label, LabelSource, assign_labels
from l3embed.export.manifest import ManifestRow, mean_path, write_manifest
from l3embed.models.origin import Origin, read_origins
from l3embed.progress import progress_bar
from l3embed.stages.metrics import Counts, StageMetrics
from l3embed.stages.output_folder import EMBEDDINGS_SUFFIX, Layout, array_path, make_empty
from l3embed.stages.pooling import MOMENTS_FILE, pool_each, pool_recipe
from l3embed.stages.results import Result, read_results
from l3embed.store.code import all_versions
from l3embed.store.entries import Store
from l3embed.store.recipe import Step
from l3embed.store.reuse import resolve
from l3embed.variants import Media, Modality


@dataclass(frozen=True)
class ExportOptions:
    """Where labels come from, and the formats that embeddings are written in."""

    labels: LabelSource = None
    formats: tuple[str, ...] = ("npz",)
    row_layout: RowLayout = field(default_factory=RowLayout)


def run(options: ExportOptions, layout: Layout, store: Store) -> str:
    """Export all embeddings of a folder; return the stage's summary.

    Raises
    ------
    OpenL3Error
        If the table of labels is wrong, or a format cannot hold the embeddings.
    """
    metrics, embeddings = StageMetrics(layout.metrics_of("export")), layout.folder("embeddings")
    results, origins = read_results(embeddings), read_origins(embeddings)
    output = layout.folder("export")
    make_empty(output)
    rows = _manifest_rows(results, options, store, origins)
    files = [array_path(embeddings, result, EMBEDDINGS_SUFFIX) for result in results if result.is_ok]
    counts = Counts(failed=len(results) - len(files))
    moments = _pool(files, store, counts)
    ok = [row for row in rows if row.is_ok]
    done = [Embedded(*facts) for facts in zip(ok, files, moments, strict=True)]
    for modality in Modality:
        own = [item.moments for item in done if item.row.modality == modality.value]
        _write_means(own, mean_path(output, modality))
    for name in options.formats:
        format_writer(name)(output, done, options.row_layout)
    write_manifest(output, rows)
    metrics.write(counts.figures | _figures(rows, origins))
    return f"export: {len(rows)} inputs: {counts}; see {output}/manifest.csv"


def output_names(results: Sequence[Result]) -> list[str]:
    """Return the ``.npz`` of each input: its path with this ending in place of its own.

    A video has two, ``clip_audio.npz`` and ``clip_image.npz``, as OpenL3 names them. Inputs that would
    meet in one output keep their endings: ``a.wav`` and ``a.ogg`` go to ``a.wav.npz`` and ``a.ogg.npz``,
    since neither may be lost.
    """
    whole = [result.path + _kind(result) for result in results]
    names: list[str] = []
    longer = [f"{PurePosixPath(result.path).with_suffix('')}{_kind(result)}" for result in results]
    # Again until nothing changes: next to a.ogg, a.wav keeps its ending, and so must a.wav.wav then.
    while longer != names:
        names, longer = longer, _keep_endings_where_shared(longer, whole)
    return [f"{name}.npz" for name in names]


def _kind(result: Result) -> str:
    return f"_{result.modality.value}" if result.media is Media.VIDEO else ""


def _keep_endings_where_shared(names: Sequence[str], whole: Sequence[str]) -> list[str]:
    """Return the names, with the input's whole path for those that several inputs have."""
    # Regardless of case, as some file systems have it.
    counts = Counter(name.casefold() for name in names)
    return [path if counts[name.casefold()] > 1 else name for name, path in zip(names, whole, strict=True)]


def _manifest_rows(
    results: Sequence[Result], options: ExportOptions, store: Store, origins: Mapping[Modality, Origin]
) -> list[ManifestRow]:
    labels = assign_labels([result.path for result in results], options.labels)
    # Only this format has a file for each input.
    outputs = output_names(results) if "npz" in options.formats else [""] * len(results)
    return [
        ManifestRow(
            path=result.path,
            modality=result.modality.value,
            label=labels.get(result.path, Label()).label,
            fold=labels.get(result.path, Label()).fold,
            sha256=result.sha256,
            status=result.status,
            reason=result.reason,
            warnings=result.warnings,
            duration_s=result.duration_s,
            sample_rate_hz=result.sample_rate_hz,
            channels=result.channels,
            frames=result.frames,
            dimension=result.dimension,
            output=output if result.is_ok else "",
            variant=origins[result.modality].variant,
            weights=origins[result.modality].weights,
            precision=origins[result.modality].precision,
            runtime=result.runtime,
            packages=all_versions(),
            seconds=_seconds(result, store),
        )
        for result, output in zip(results, outputs, strict=True)
    ]


def _seconds(result: Result, store: Store) -> float | None:
    """Return what an input took when it was computed, by whichever run that was."""
    facts = (
        store.facts(Step.PREPROCESS.value, result.preprocessed),
        store.facts(Step.EMBED.value, result.embedded),
    )
    known = [fact["seconds"] for fact in facts if "seconds" in fact]
    return round(sum(known), 4) if len(known) == len(facts) else None


def _pool(files: Sequence[Path], store: Store, counts: Counts) -> list[Path]:
    """Find or compute the moments of all inputs."""
    recipes = {path: pool_recipe(path, store) for path in files}
    compute = partial(pool_each, recipes=recipes, store=store)
    moments: dict[Path, Path] = {}
    with progress_bar("Exporting", total=len(files)) as bar:
        for outcome in resolve(store, recipes, compute):
            if isinstance(outcome.result, OpenL3Error):
                raise outcome.result
            moments[outcome.key] = outcome.result.files[MOMENTS_FILE]
            counts.add(outcome.was_computed)
            bar.update()
    return [moments[path] for path in files]


def _write_means(moments: Sequence[Path], path: Path) -> None:
    if moments:
        with RowSpool(path.parent) as spool:
            for file in moments:
                spool.append(np.load(file)[:1].astype(np.float32))
            spool.save_npy(path)


def _figures(rows: Sequence[ManifestRow], origins: Mapping[Modality, Origin]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for modality, origin in origins.items():
        embeddings = sum(row.frames for row in rows if row.modality == modality.value)
        figures[modality.value] = {"embeddings": embeddings, "variant": origin.variant}
        figures["weights"] = origin.weights if origin.trained else f"{origin.weights} (untrained)"
    return figures

"""Stage ``export``: the embeddings in the formats asked for, with the manifest, the means and the metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from l3embed.disk.rows import RowSpool
from l3embed.disk.seals import seal
from l3embed.errors import OpenL3Error
from l3embed.export.card.card_writing import CARD, CROISSANT
from l3embed.export.copies import doubts_about_copies
from l3embed.export.doubts import DOUBTS_CSV, Doubt, write_doubts
from l3embed.export.formats import FORMATS, Embedded, RowLayout, Rows, format_writer
from l3embed.export.labels import FolderLabels, Label, LabelSource, ListingLabels, assign_labels
from l3embed.export.manifest import (
    MANIFEST_CSV,
    MANIFEST_PARQUET,
    ManifestRow,
    mean_index_path,
    mean_path,
    read_means,
    write_manifest,
    write_mean_index,
)
from l3embed.export.outliers import doubts_about_outliers
from l3embed.export.timed_labels import TimedLabels, read_selections
from l3embed.export.window_labels import WINDOWS_CSV, write_window_labels
from l3embed.models.origin import Origin, read_origins
from l3embed.progress import counted, progress_bar, say
from l3embed.stages.metrics import Counts, StageMetrics
from l3embed.stages.output_folder import (
    EMBEDDINGS_SUFFIX,
    Layout,
    array_path,
    make_empty,
    with_folders_apart,
)
from l3embed.stages.pooling import MOMENTS_FILE, pool_each, pool_recipe
from l3embed.stages.results import (
    OnError,
    Result,
    check_failure,
    count_doubts,
    count_inputs,
    name_doubts,
    name_failures,
    read_results,
    require_one,
)
from l3embed.stages.study_card import CardOptions, write_study_card
from l3embed.store.code import all_versions
from l3embed.store.entries import Store
from l3embed.store.estimate import Amount, tell_of_amounts
from l3embed.store.recipe import Recipe, Step
from l3embed.store.reuse import resolve
from l3embed.variants import Media, Modality

STEPS_OF_CARD = (Step.PREPROCESS, Step.EMBED, Step.POOL)
"""Those whose code decided about the embeddings and their means."""


@dataclass(frozen=True)
class ExportOptions:
    """Where labels come from, the formats that embeddings are written in, and what damaged ones lead to.

    `center` says whether timestamps are the windows' centres, for labels of parts of sounds. With a card,
    one is written beside the Parquet datasets.
    """

    labels: LabelSource = None
    formats: tuple[str, ...] = ("npz",)
    row_layout: RowLayout = field(default_factory=RowLayout)
    on_error: OnError = OnError.SKIP
    center: bool = True
    card: CardOptions | None = None


def run(options: ExportOptions, layout: Layout, store: Store) -> str:
    """Export all embeddings of a folder; return the stage's summary.

    Raises
    ------
    OpenL3Error
        If the table of labels is wrong, a format cannot hold the embeddings, or none can be read any more.
    """
    metrics, embeddings = StageMetrics(layout.metrics_of("export")), layout.folder("embeddings")
    before, origins = read_results(embeddings), read_origins(embeddings)
    output = layout.folder("export")
    labels = _labels(before, options.labels)
    make_empty(output)
    files = {array_path(embeddings, result, EMBEDDINGS_SUFFIX): result for result in before}
    counts = Counts(failed=sum(not result.is_ok for result in before))
    moments, results = _pool(files, options.on_error, store, counts)
    name_failures("export", (results[file] for file, result in files.items() if result.is_ok))
    require_one("export", list(results.values()))
    rows = _manifest_rows(list(results.values()), labels, options, store, origins)
    done = [
        Embedded(row, file, moments[file]) for row, file in zip(rows, results, strict=True) if file in moments
    ]
    for modality in Modality:
        own = [item for item in done if item.row.modality == modality.value]
        if own:
            _write_means([item.moments for item in own], mean_path(output, modality))
            write_mean_index(output, modality, [item.row for item in own])
    _foretell(done, options, output)
    for name in options.formats:
        format_writer(name)(output, done, options.row_layout)
    write_manifest(output, rows)
    _label_windows(done, options, output)
    doubts = _write_doubts(output, rows, list(results.values()))
    doubt_counts = count_doubts(doubts)
    if options.card:
        write_study_card(options.card, layout, STEPS_OF_CARD, doubt_counts["doubts"], store)
    metrics.write(counts.figures | _figures(rows, origins) | doubt_counts)
    doubtful = len({doubt.path for doubt in doubts})
    of_doubts = f", and {output}/{DOUBTS_CSV} for {counted(doubtful, 'doubtful file')}" if doubtful else ""
    return f"export: {count_inputs(list(results.values()))}: {counts}; see {output}/{MANIFEST_CSV}{of_doubts}"


def _labels(results: Sequence[Result], source: LabelSource) -> dict[str, Label]:
    """Return the labels of inputs: a listing that has any says it better than folders."""
    has_own = isinstance(source, FolderLabels) and any(result.label for result in results)
    if has_own or isinstance(source, ListingLabels):
        return {result.path: Label(result.label, result.fold) for result in results if result.label}
    return assign_labels([result.path for result in results], source)


def _label_windows(done: Sequence[Embedded], options: ExportOptions, output: Path) -> None:
    """Write which windows have which labels, where labels are of parts of sounds."""
    if isinstance(options.labels, TimedLabels):
        paths = list(dict.fromkeys(item.row.path for item in done))
        selections = read_selections(paths, options.labels)
        count = write_window_labels(output, done, selections, center=options.center)
        has = "has" if count == 1 else "have"
        files = counted(len(selections), "file")
        say(f"export: {counted(count, 'window')} of {files} {has} a label; see {output}/{WINDOWS_CSV}")


def _foretell(done: Sequence[Embedded], options: ExportOptions, output: Path) -> None:
    """Tell how much is going to be written, if it is much: formats but for this one hold all once more."""
    layout = options.row_layout
    amounts = []
    for modality in Modality if set(options.formats) - {"npz"} else ():
        rows = [item.row for item in done if item.row.modality == modality.value]
        count = len(rows) if layout.rows is Rows.FILES else sum(row.frames for row in rows)
        width = layout.width(max((row.dimension for row in rows), default=0))
        amounts.append(Amount(count, f"rows of {modality.value}", width, layout.dtype.bytes))
    remedy = "choose fewer of export.formats, or export.rows=files"
    tell_of_amounts("export", amounts, output, remedy=remedy)


def _write_doubts(export: Path, rows: Sequence[ManifestRow], results: Sequence[Result]) -> list[Doubt]:
    """Write all doubts into one list, and return it; tell of those that no stage before could find."""
    before = [
        replace(doubt, label=row.label)
        for row, result in zip(rows, results, strict=True)
        if row.is_ok
        for doubt in result.doubts
    ]
    found = list(doubts_about_copies([row for row in rows if row.is_ok]))
    for modality in Modality:
        found += doubts_about_outliers(*read_means(export, modality))
    name_doubts("export", found)
    write_doubts(export, before + found)
    return before + found


def output_names(results: Sequence[Result]) -> list[str]:
    """Return the ``.npz`` of each input: its path with this ending in place of its own.

    A video has two, ``clip_audio.npz`` and ``clip_image.npz``, as OpenL3 names them. Inputs that would
    meet in one output keep their endings: ``a.wav`` and ``a.ogg`` go to ``a.wav.npz`` and ``a.ogg.npz``,
    since neither may be lost. Nor may a folder of the dataset meet a file or a folder of the export.
    """
    paths = [with_folders_apart(result.path, _reserved()) for result in results]
    whole = [path + _kind(result) for path, result in zip(paths, results, strict=True)]
    names: list[str] = []
    longer = [
        f"{PurePosixPath(path).with_suffix('')}{_kind(result)}"
        for path, result in zip(paths, results, strict=True)
    ]
    # Again until nothing changes: next to a.ogg, a.wav keeps its ending, and so must a.wav.wav then.
    while longer != names:
        names, longer = longer, _keep_endings_where_shared(longer, whole)
    return [f"{name}.npz" for name in names]


def _reserved() -> set[str]:
    """Return what else lies in an export, in lower case: tables, means, cards, and what formats write."""
    means = (path(Path(), modality).name for path in (mean_path, mean_index_path) for modality in Modality)
    tables = {MANIFEST_CSV, MANIFEST_PARQUET, DOUBTS_CSV, WINDOWS_CSV}
    return {*tables, *means, *FORMATS, CARD.casefold(), CROISSANT} - {"npz"}


def _kind(result: Result) -> str:
    return f"_{result.modality.value}" if result.media is Media.VIDEO else ""


def _keep_endings_where_shared(names: Sequence[str], whole: Sequence[str]) -> list[str]:
    """Return the names, with the input's whole path for those that several inputs have."""
    # Regardless of case, as some file systems have it.
    counts = Counter(name.casefold() for name in names)
    return [path if counts[name.casefold()] > 1 else name for name, path in zip(names, whole, strict=True)]


def _manifest_rows(
    results: Sequence[Result],
    labels: Mapping[str, Label],
    options: ExportOptions,
    store: Store,
    origins: Mapping[Modality, Origin],
) -> list[ManifestRow]:
    # Only this format has a file for each input.
    outputs = output_names(results) if "npz" in options.formats else [""] * len(results)
    return [
        manifest_row(
            result,
            labels.get(result.path, Label()),
            origins[result.modality],
            output if result.is_ok else "",
            _seconds(result, store),
        )
        for result, output in zip(results, outputs, strict=True)
    ]


def manifest_row(
    result: Result, label: Label, origin: Origin, output: str, seconds: float | None
) -> ManifestRow:
    """Return what the manifest says of an input, in either layout."""
    return ManifestRow(
        path=result.path,
        modality=result.modality.value,
        label=label.label,
        fold=label.fold,
        sha256=result.sha256,
        status=result.status,
        reason=result.reason,
        warnings=" ".join(doubt.words for doubt in result.doubts),
        duration_s=result.duration_s,
        sample_rate_hz=result.sample_rate_hz,
        channels=result.channels,
        frames=result.frames,
        dimension=result.dimension,
        output=output,
        variant=origin.variant,
        weights=origin.weights,
        precision=origin.precision,
        runtime=result.runtime,
        packages=all_versions(),
        seconds=seconds,
        location=result.location,
        start_s=result.start_s,
        end_s=result.end_s,
    )


def _seconds(result: Result, store: Store) -> float | None:
    """Return what an input took when it was computed, by whichever run that was."""
    facts = (
        store.facts(Step.PREPROCESS.value, result.preprocessed),
        store.facts(Step.EMBED.value, result.embedded),
    )
    known = [fact["seconds"] for fact in facts if "seconds" in fact]
    return round(sum(known), 4) if len(known) == len(facts) else None


def _pool(
    files: Mapping[Path, Result], on_error: OnError, store: Store, counts: Counts
) -> tuple[dict[Path, Path], dict[Path, Result]]:
    """Find or compute the moments of all inputs; return these, and the results, of which some have failed."""
    results, moments = dict(files), dict[Path, Path]()
    recipes: dict[Path, Recipe] = {}

    def fail(file: Path, fault: OpenL3Error) -> None:
        results[file] = files[file].failed(str(fault))
        check_failure(results[file], on_error)
        counts.add(was_computed=False, failed=True)

    for file, result in files.items():
        try:
            if result.is_ok:
                recipes[file] = pool_recipe(file, result, store)
        except OpenL3Error as error:
            fail(file, error)
    embeddings = sum(files[file].frames for file in recipes)
    with progress_bar("Exporting", total=embeddings, unit="embedding") as bar:
        for outcome in resolve(store, recipes, partial(pool_each, recipes=recipes, store=store)):
            bar.update(files[outcome.key].frames)
            if isinstance(outcome.result, OpenL3Error):
                fail(outcome.key, outcome.result)
                continue
            moments[outcome.key] = outcome.result.files[MOMENTS_FILE]
            counts.add(outcome.was_computed)
    return moments, results


def _write_means(moments: Sequence[Path], path: Path) -> None:
    with RowSpool(path.parent) as spool:
        for file in moments:
            spool.append(np.load(file)[:1].astype(np.float32))
        spool.save_npy(path)
    seal(path)


def _figures(rows: Sequence[ManifestRow], origins: Mapping[Modality, Origin]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for modality, origin in origins.items():
        embeddings = sum(row.frames for row in rows if row.modality == modality.value)
        figures[modality.value] = {"embeddings": embeddings, "variant": origin.variant}
        figures["weights"] = origin.weights if origin.trained else f"{origin.weights} (untrained)"
    return figures

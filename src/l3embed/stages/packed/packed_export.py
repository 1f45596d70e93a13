"""Stage ``export`` of a packed run: the parts as they are, with the manifest, the means and the doubts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from l3embed.disk.atomic import place
from l3embed.disk.npy_rows import NpyRows
from l3embed.disk.seals import reading, seal
from l3embed.errors import OpenL3Error
from l3embed.export.copies import doubts_about_copies
from l3embed.export.doubts import DOUBTS_CSV, Doubt, write_ordered_doubts
from l3embed.export.labels import Label
from l3embed.export.manifest import (
    MANIFEST_PARQUET,
    ManifestRow,
    mean_path,
    read_means,
    write_mean_index,
    write_packed_manifest,
)
from l3embed.export.manifest_table import read_table
from l3embed.export.outliers import doubts_about_outliers
from l3embed.export.parquet import FOLDER
from l3embed.models.origin import read_origins
from l3embed.progress import counted
from l3embed.stages.export import ExportOptions, manifest_row
from l3embed.stages.metrics import Counts, StageMetrics
from l3embed.stages.output_folder import Layout, make_empty
from l3embed.stages.packed.doubt_tally import DoubtTally
from l3embed.stages.packed.packed_folder import TABLE_FILE, part_path, read_part_keys
from l3embed.stages.packed.packed_npz import PathKey, write_npz
from l3embed.stages.packed.part_files import ROWS_FILE, PackedResult, read_results
from l3embed.stages.packed.plan import PartId
from l3embed.stages.study_card import write_study_card
from l3embed.store.entries import Store
from l3embed.store.recipe import Step
from l3embed.variants import DoubtKind, Modality

DECIDING = ("path", "modality", "label", "status")
"""Columns of the manifest that doubts need; those about copies need more."""


def run(options: ExportOptions, layout: Layout, store: Store) -> str:
    """Export all that was embedded; return the stage's summary.

    Raises
    ------
    OpenL3Error
        If something that the stage before has written is damaged, and the store cannot put it right.
    """
    metrics, embeddings = StageMetrics(layout.metrics_of("export")), layout.folder("embeddings")
    output = layout.folder("export")
    table = embeddings / TABLE_FILE
    with reading(table, "embed"):
        parts = read_part_keys(embeddings)
    make_empty(output)
    for part, key in parts.items():
        _place_part(part, key, (embeddings, output), store)
    names = write_npz(embeddings, output) if "npz" in options.formats else None
    rows = _manifest_rows(table, embeddings, names)
    tally = _Counted()
    write_packed_manifest(output, tally.count(rows))
    for modality in Modality:
        _place_means(modality, embeddings, output)
    doubts = DoubtTally("export")
    found = DoubtTally("export")
    write_ordered_doubts(output, _doubts(table, output, doubts, found))
    found.tell()
    if options.card:
        write_study_card(options.card, layout, [Step.PACK], doubts.figures["doubts"], store)
    metrics.write(tally.counts.figures | tally.figures(embeddings) | doubts.figures)
    of_doubts = (
        f", and {output}/{DOUBTS_CSV} for {counted(doubts.files, 'doubtful file')}" if doubts.files else ""
    )
    return (
        f"export: {counted(tally.inputs, 'input')} in {counted(len(parts), 'part')}: {tally.counts}; "
        f"see {output}/{MANIFEST_PARQUET}{of_doubts}"
    )


def _place_part(part: PartId, key: str, folders: tuple[Path, Path], store: Store) -> None:
    """Put a part into the export; one that was altered is put right first."""
    embeddings, output = folders
    path = part_path(embeddings, part)
    with reading(path, "embed"):
        store.restore(Step.PACK, key, ROWS_FILE, path)
        if not path.is_file():
            raise OpenL3Error("It is not there.")
    place(path, part_path(output / FOLDER, part))


def _place_means(modality: Modality, embeddings: Path, output: Path) -> None:
    """Put a modality's means into the export, and say whose they are, if there are any."""
    path, target = mean_path(embeddings, modality), mean_path(output, modality)
    if path.is_file():
        with reading(path, "embed"):
            place(path, target)
        seal(target)
        write_mean_index(output, modality, read_means(output, modality)[0])


def _manifest_rows(
    table: Path, embeddings: Path, names: Mapping[PathKey, str] | None
) -> Iterator[ManifestRow]:
    """Yield the manifest's rows, in the order of paths."""
    origins = read_origins(embeddings)
    for each in read_results(table):
        result, label = each.result, Label(each.result.label, each.result.fold)
        yield manifest_row(result, label, origins[result.modality], _output(each, names), each.seconds)


def _output(each: PackedResult, names: Mapping[PathKey, str] | None) -> str:
    """Return the file that an input's embeddings are in: its own, if it has one."""
    if not each.has_embeddings:
        return ""
    if names is not None:
        return names[each.result.path, each.result.modality]
    return part_path(Path(FOLDER), PartId(each.result.modality, each.part)).as_posix()


class _Counted:
    """What a manifest's rows add up to."""

    def __init__(self) -> None:
        self.counts, self.inputs = Counts(), 0
        self._embeddings: dict[str, int] = {}

    def count(self, rows: Iterable[ManifestRow]) -> Iterator[ManifestRow]:
        """Count rows that go by."""
        for row in rows:
            self.inputs += 1
            self.counts.add(was_computed=False, failed=not row.is_ok)
            self._embeddings[row.modality] = self._embeddings.get(row.modality, 0) + row.frames
            yield row

    def figures(self, embeddings: Path) -> dict[str, Any]:
        """Return what the stage's metrics say of the embeddings."""
        figures: dict[str, Any] = {}
        for modality, origin in read_origins(embeddings).items():
            count = self._embeddings.get(modality.value, 0)
            figures[modality.value] = {"embeddings": count, "variant": origin.variant}
            figures["weights"] = origin.weights if origin.trained else f"{origin.weights} (untrained)"
        return figures


def _doubts(table: Path, output: Path, every: DoubtTally, found: DoubtTally) -> Iterator[Doubt]:
    """Yield all doubts, the worst kind first; `found` is told of those that no stage before could find."""
    for kind in DoubtKind:
        for doubt in _known_doubts(table, kind):
            every.add([doubt])
            yield doubt
        for doubt in _new_doubts(output, kind):
            every.add([doubt])
            found.add([doubt])
            yield doubt


def _known_doubts(table: Path, kind: DoubtKind) -> Iterator[Doubt]:
    for each in read_results(table, doubted=kind):
        if each.result.is_ok:
            for doubt in each.result.doubts:
                if doubt.kind is kind:
                    yield replace(doubt, label=each.result.label)


def _new_doubts(output: Path, kind: DoubtKind) -> Iterator[Doubt]:
    """Yield what only shows when all files are looked at together."""
    if kind not in (DoubtKind.CONFLICT, DoubtKind.COPY, DoubtKind.OUTLIER):
        return
    deciding = DECIDING if kind is DoubtKind.OUTLIER else (*DECIDING, "sha256", "start_s", "end_s")
    embedded = read_table(output / MANIFEST_PARQUET, deciding).embedded()
    if kind is not DoubtKind.OUTLIER:
        yield from (doubt for doubt in doubts_about_copies(embedded) if doubt.kind is kind)
        return
    for modality in Modality:
        if mean_path(output, modality).is_file():
            means = NpyRows(mean_path(output, modality))
            yield from doubts_about_outliers(embedded.embedded_in(modality), means)

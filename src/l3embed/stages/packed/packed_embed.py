"""Stage ``embed`` of a packed run: files straight through the networks into Parquet, a few large parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from l3embed.decoding.reading import Reading
from l3embed.disk.atomic import place
from l3embed.engines.contract import BatchEngine
from l3embed.errors import OpenL3Error
from l3embed.export.formats import Dtype
from l3embed.export.labels import (
    FolderLabels,
    Label,
    LabelSource,
    LabelTable,
    ListingLabels,
    assign_labels,
)
from l3embed.inputs.preparation import Sound
from l3embed.models.origin import write_origins
from l3embed.progress import counted, progress_bar, say
from l3embed.stages.embed import EmbedOptions
from l3embed.stages.metrics import Counts, StageMetrics
from l3embed.stages.network import ChosenNetwork, check_placement
from l3embed.stages.output_folder import Layout, make_empty
from l3embed.stages.packed.doubt_tally import DoubtTally, FailureTally
from l3embed.stages.packed.gathering import write_merged
from l3embed.stages.packed.packed_folder import part_path, write_part_keys
from l3embed.stages.packed.part_computing import PartComputer
from l3embed.stages.packed.part_files import ROWS_FILE
from l3embed.stages.packed.part_work import PartTask, PartWork
from l3embed.stages.packed.part_worker import resolve_elsewhere
from l3embed.stages.packed.plan import PartId, Plan, PlannedInput
from l3embed.store.entries import Entry, Store
from l3embed.store.recipe import Recipe
from l3embed.store.reuse import Computed, Outcome, resolve
from l3embed.variants import Modality
from l3embed.weights.locating import locate_written, warn_of_untrained


@dataclass(frozen=True)
class PackedOptions:
    """How files become parts.

    Parameters
    ----------
    dataset : Path
        Where the inputs lie.
    embed : EmbedOptions
        As without parts: networks, windows, where they run.
    sound : Samples or Spectrograms
        What sound is made into first.
    reading : Reading
        How files are read.
    labels : FolderLabels, LabelTable or None
        Where rows have their labels from.
    dtype : Dtype
        The type of the embeddings.
    engine : BatchEngine, optional
        Where parts are computed; None: in this process.
    """

    dataset: Path
    embed: EmbedOptions
    sound: Sound
    reading: Reading
    labels: LabelSource = None
    dtype: Dtype = Dtype.FLOAT32
    engine: BatchEngine | None = None


def run(options: PackedOptions, layout: Layout, store: Store) -> str:
    """Find or compute all parts, and put them and one table of all results into the output.

    Raises
    ------
    OpenL3Error
        If the weights or the device cannot be had, or nothing could be embedded.
    """
    metrics, output = StageMetrics(layout.metrics_of("embed")), layout.folder("embeddings")
    plan = Plan(layout.folder("preprocessed"))
    runs = part_runs(options, plan, layout, store)
    make_empty(output)
    warn_of_untrained("embed", (each.work.network.weights for each in runs))
    tally = Tally()
    entries: dict[PartId, Entry] = {}
    with options.engine or nullcontext():
        for each in runs:
            entries |= each.resolve(tally)
    for part, entry in entries.items():
        if entry.facts["frames"]:
            place(entry.files[ROWS_FILE], part_path(output, part))
    write_part_keys(output, {part: entry.key for part, entry in entries.items() if entry.facts["frames"]})
    _gather(output, entries)
    write_origins({each.modality: each.work.network.origin for each in runs}, output)
    return _tell(entries, tally, metrics)


def run_shard(options: PackedOptions, layout: Layout, store: Store) -> str:
    """Find or compute the parts that were planned for a shard, and leave them in the store.

    Raises
    ------
    OpenL3Error
        If the weights or the device cannot be had.
    """
    metrics = StageMetrics(layout.metrics_of("embed"))
    plan = Plan(layout.folder("preprocessed"))
    tally = Tally()
    entries: dict[PartId, Entry] = {}
    with options.engine or nullcontext():
        for each in part_runs(options, plan, layout, store):
            entries |= each.resolve(tally)
    return f"{_tell(entries, tally, metrics)}; shard {layout.shard} is done"


def part_runs(options: PackedOptions, plan: Plan, layout: Layout, store: Store) -> list[PartRun]:
    """Return what there is to do, by network.

    Raises
    ------
    OpenL3Error
        If a network cannot be had, or cannot run here.
    """
    variants = options.embed.variants
    check_placement([variants[modality] for modality in plan.modalities], options.embed.placement)
    labels = Labelling(plan, options.labels)
    return [PartRun(options, layout, store, plan, modality, labels) for modality in plan.modalities]


@dataclass
class Tally:
    """What the stage has done itself."""

    counts: Counts = field(default_factory=Counts)
    embeddings: int = 0
    seconds: float = 0.0


class PartRun:
    """The parts of one network."""

    def __init__(
        self,
        options: PackedOptions,
        layout: Layout,
        store: Store,
        plan: Plan,
        modality: Modality,
        labels: Labelling,
    ) -> None:
        self.modality, self._plan, self._store, self._labels = modality, plan, store, labels
        self._engine = options.engine
        self._shards_are_done = layout.store is not None and layout.shard is None
        embed, variant = options.embed, options.embed.variants[modality]
        weights, weights_sha256 = locate_written(variant.weight_set, layout.folder("weights"))
        self.work = PartWork(
            options.dataset,
            ChosenNetwork(variant, weights, weights_sha256, embed.framing),
            options.sound,
            options.reading,
            embed.placement,
            embed.batch_size,
            options.dtype,
            embed.on_error,
        )

    def task(self, part: PartId) -> PartTask:
        """Return what there is to do for a part."""
        return PartTask(part, tuple(self._labels.of(self._plan.read(part))))

    def recipes(self) -> dict[PartId, Recipe]:
        """Return what decides about each part; one part's inputs are held at a time."""
        return {part: self.work.recipe(self.task(part)) for part in self._plan.parts(self.modality)}

    def resolve(self, tally: Tally) -> dict[PartId, Entry]:
        """Find or compute all parts."""
        recipes = self.recipes()
        total = sum(self._plan.inputs[part] for part in recipes)
        entries: dict[PartId, Entry] = {}
        if self._shards_are_done:
            self._tell_of_others(recipes)
        started_s = time.perf_counter()
        with progress_bar(f"Embedding {self.modality.value}", total=total) as bar:
            computer = PartComputer(self.work, self._store, bar.update)
            for outcome in self._outcomes(recipes, computer, bar.update):
                if isinstance(outcome.result, OpenL3Error):
                    raise outcome.result
                entry, part = outcome.result, outcome.key
                if not outcome.was_computed:
                    entry = self._again(computer, part, recipes[part], (entry, tally))
                    if entry is outcome.result:
                        bar.update(entry.facts["inputs"])
                else:
                    self._count(entry, tally, computed=entry.facts["computed"])
                entries[part] = entry
        tally.seconds += time.perf_counter() - started_s
        return entries

    def _outcomes(
        self, recipes: Mapping[PartId, Recipe], computer: PartComputer, on_inputs: Callable[[int], object]
    ) -> Iterator[Outcome[PartId]]:
        """Find or compute all parts, here or where an engine has workers."""
        if self._engine:
            for outcome in resolve_elsewhere(self._engine, recipes, self.task, self.work, self._store):
                if outcome.was_computed:
                    on_inputs(self._plan.inputs[outcome.key])
                yield outcome
            return

        def compute(parts: Iterator[PartId]) -> Iterator[Computed[PartId]]:
            return computer.compute((self.task(part) for part in parts), recipes)

        yield from resolve(self._store, recipes, compute)

    def _tell_of_others(self, recipes: Mapping[PartId, Recipe]) -> None:
        """Tell of parts that shards would have computed otherwise."""
        others = sum(self._store.find(recipe) is None for recipe in recipes.values())
        if others:
            say(
                f"embed: {counted(others, 'part')} of {self.modality.value} came from no shard, since files "
                "or settings have changed: computing here"
            )

    def _again(
        self, computer: PartComputer, part: PartId, recipe: Recipe, found: tuple[Entry, Tally]
    ) -> Entry:
        """Return a finished part, computed anew if inputs that failed then do not any more."""
        entry, tally = found
        is_tried_again = entry.facts["failed_in_reading"] and not self._shards_are_done
        if is_tried_again and computer.can_be_computed(self.task(part), entry):
            ((_, new),) = computer.compute(iter([self.task(part)]), {part: recipe})
            if isinstance(new, OpenL3Error):
                raise new
            self._count(new, tally, computed=new.facts["computed"])
            return new
        self._count(entry, tally, computed=0)
        return entry

    def _count(self, entry: Entry, tally: Tally, computed: int) -> None:
        failed = entry.facts["failed"]
        tally.counts.computed += computed
        tally.counts.failed += failed
        tally.counts.reused += entry.facts["inputs"] - failed - computed
        if computed and computed + failed == entry.facts["inputs"]:
            tally.embeddings += entry.facts["frames"]


class Labelling:
    """Gives inputs their labels, a part at a time.

    Parameters
    ----------
    plan : Plan
        All inputs.
    source : FolderLabels, LabelTable, ListingLabels or None
        Where the labels come from. A listing that has any says it better than folders.
    """

    def __init__(self, plan: Plan, source: LabelSource) -> None:
        has_own = isinstance(source, FolderLabels) and plan.has_labels
        self._keeps = has_own or isinstance(source, ListingLabels)
        self._source, self._of_all = source, dict[str, Label]()
        if isinstance(source, LabelTable):
            self._of_all = assign_labels([each.path for _, inputs in plan for each in inputs], source)

    def of(self, inputs: Sequence[PlannedInput]) -> Iterator[PlannedInput]:
        """Yield inputs with their labels."""
        found = self._of_all
        if isinstance(self._source, FolderLabels) and not self._keeps:
            found = assign_labels([each.path for each in inputs], self._source)
        for planned in inputs:
            yield planned if self._keeps else replace(planned, label=found.get(planned.path, Label()))


def _gather(output: Path, entries: Mapping[PartId, Entry]) -> None:
    """Write the table of all results, and tell of those that failed or are doubtful."""
    failures, doubts = FailureTally("embed"), DoubtTally("embed")
    done = 0
    for each in write_merged(output, entries):
        failures.add(each.result)
        done += each.result.is_ok
        if each.result.warnings and each.result.is_ok:
            doubts.add(each.result.doubts)
    failures.tell()
    doubts.tell()
    if not done:
        which = f"all of {failures.count:,} inputs" if failures.count > 1 else "the one input"
        raise OpenL3Error(f"embed: {which} failed. The first: {failures.first}")


def _tell(entries: Mapping[PartId, Entry], tally: Tally, metrics: StageMetrics) -> str:
    figures: dict[str, Any] = dict(tally.counts.figures)
    speed = ""
    if tally.embeddings:
        figures["embeddings_per_s"] = round(tally.embeddings / tally.seconds, 1)
        speed = f", {figures['embeddings_per_s']:g} a second"
    metrics.write(figures)
    inputs = sum(entry.facts["inputs"] for entry in entries.values())
    frames = sum(entry.facts["frames"] for entry in entries.values())
    return (
        f"embed: {counted(inputs, 'input')} in {counted(len(entries), 'part')}: {tally.counts}; "
        f"{counted(frames, 'embedding')}{speed}"
    )

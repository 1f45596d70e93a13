"""Stage ``embed``: what was preprocessed through the networks, one ``.npz`` an input and modality."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

from l3embed.disk.atomic import place
from l3embed.disk.rows import RowSpool
from l3embed.disk.seals import reading
from l3embed.errors import OpenL3Error
from l3embed.inputs.windows import Framing
from l3embed.models.origin import write_origins
from l3embed.models.running import Network
from l3embed.profiling import Phase, phase
from l3embed.progress import Expected, FileProgress, Workload, counted
from l3embed.runtimes.base import Placement
from l3embed.runtimes.batching import Piece, embed_sources
from l3embed.runtimes.processor import available_threads
from l3embed.runtimes.saving import save_each
from l3embed.stages.forecast import ANOTHER_STORE, UNITS
from l3embed.stages.metrics import Counts, StageMetrics
from l3embed.stages.network import ChosenNetwork, check_placement
from l3embed.stages.output_folder import (
    EMBEDDINGS_FILE,
    EMBEDDINGS_SUFFIX,
    ROWS_FILE,
    TIMES_FILE,
    TIMES_SUFFIX,
    Layout,
    array_path,
    make_empty,
)
from l3embed.stages.results import (
    OnError,
    Result,
    check_failure,
    count_inputs,
    name_failures,
    read_results,
    require_one,
    write_results,
)
from l3embed.store.code import recipe_of
from l3embed.store.entries import Entry, Store
from l3embed.store.estimate import Amount, is_much, tell_of_amounts
from l3embed.store.recipe import Recipe, Step
from l3embed.store.reuse import Computed, Outcome, resolve
from l3embed.variants import AudioVariant, Device, ImageVariant, Media, Modality
from l3embed.weights.locating import locate_written, warn_of_untrained


@dataclass(frozen=True)
class EmbedOptions:
    """How to embed: what changes the result, and the placement and batch size, which do not."""

    variants: Mapping[Modality, AudioVariant | ImageVariant]
    framing: Framing
    placement: Placement
    batch_size: int
    on_error: OnError = OnError.SKIP


def run(options: EmbedOptions, layout: Layout, store: Store) -> str:
    """Embed all that was preprocessed, with the weights that were fetched; return the stage's summary.

    Raises
    ------
    OpenL3Error
        If the weights or the device cannot be had, or nothing could be embedded.
    """
    metrics, output = StageMetrics(layout.metrics_of("embed")), layout.folder("embeddings")
    before = read_results(layout.folder("preprocessed"))
    needed = [modality for modality in Modality if any(result.modality is modality for result in before)]
    check_placement([options.variants[modality] for modality in needed], options.placement)
    runs = {modality: _Run(options, layout, store, modality) for modality in needed}
    make_empty(output)
    warn_of_untrained("embed", (run_.network.weights for run_ in runs.values()))
    final: list[Result] = []
    tally = _Tally(Counts(failed=sum(not result.is_ok for result in before)))
    for modality, run_ in runs.items():
        final += run_.embed([result for result in before if result.modality is modality], tally)
    final.sort(key=lambda result: (result.path, result.modality))
    require_one("embed", final)
    write_results(final, output)
    write_origins({modality: run_.network.origin for modality, run_ in runs.items()}, output)
    return _tell(final, tally, metrics)


@dataclass
class _Tally:
    """What the stage has done itself."""

    counts: Counts
    embeddings: int = 0
    seconds: float = 0.0
    devices: set[Device] = field(default_factory=set)


class _Run:
    """The inputs of one modality on their way through its network."""

    def __init__(self, options: EmbedOptions, layout: Layout, store: Store, modality: Modality) -> None:
        self._options, self._layout, self._store = options, layout, store
        variant = options.variants[modality]
        weights, weights_sha256 = locate_written(variant.weight_set, layout.folder("weights"))
        self.network = ChosenNetwork(variant, weights, weights_sha256, options.framing)
        self._parameters = self.network.parameters  # if they cannot be had, that is no input's fault
        self._loaded: Network | None = None
        self._started_s = 0.0
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._entries: dict[str, Entry] = {}

    def embed(self, before: Sequence[Result], tally: _Tally) -> list[Result]:
        """Find or compute the embeddings of the inputs that were preprocessed; return all results."""
        results = {result.path: result for result in before}
        recipes = self._recipes(results, tally)
        modality = self.network.variant.weight_set.modality
        self._foretell(results, recipes)
        description = f"Embedding {modality.value}"
        unit = "window" if modality is Modality.AUDIO else "image"
        with FileProgress(description, self._workload(results, recipes), unit) as progress:
            compute = partial(self._compute, results, recipes, progress)
            for outcome in resolve(self._store, recipes, compute):
                result = self._settle(results[outcome.key], outcome)
                results[outcome.key] = result
                check_failure(result, self._options.on_error)
                tally.counts.add(outcome.was_computed, failed=not result.is_ok)
                tally.embeddings += result.frames if outcome.was_computed else 0
                if outcome.was_computed:
                    progress.end(outcome.key)
                else:
                    progress.reuse(outcome.key)
        if self._loaded:
            tally.devices.add(self._loaded.embedder.device)
            tally.seconds += time.perf_counter() - self._started_s
        name_failures("embed", (results[result.path] for result in before if result.is_ok))
        return list(results.values())

    def _workload(self, results: Mapping[str, Result], paths: Iterable[str]) -> Workload[str]:
        """Return what is to be computed; how much it is follows from the sizes of what was preprocessed."""
        return Workload({path: self._expected(results[path]) for path in paths})

    def _expected(self, result: Result) -> Expected:
        size_bytes = self._input(result).stat().st_size
        items = self.network.expected_inputs(size_bytes, result.media)
        return Expected(PurePosixPath(result.path).name, "", size_bytes, items)

    def _foretell(self, results: Mapping[str, Result], recipes: Mapping[str, Recipe]) -> None:
        """Tell how much is going to be written, if it is much."""
        variant = self.network.variant
        unit, numbers = UNITS[variant.weight_set.modality], variant.embedding_size
        if not is_much([Amount(self._rows(results, recipes), unit, numbers)]):
            return
        new = [path for path, recipe in recipes.items() if self._store.find(recipe) is None]
        amount = Amount(self._rows(results, new), unit, numbers)
        tell_of_amounts("embed", [amount], self._store.folder, remedy=ANOTHER_STORE)

    def _rows(self, results: Mapping[str, Result], paths: Iterable[str]) -> int:
        return round(self._workload(results, paths).total or 0)

    def _recipes(self, results: dict[str, Result], tally: _Tally) -> dict[str, Recipe]:
        """Return the recipes of the inputs that were preprocessed; those whose files are damaged fail."""
        recipes = {}
        for result in [result for result in results.values() if result.is_ok]:
            try:
                recipes[result.path] = self._recipe(result)
            except OpenL3Error as error:
                results[result.path] = result.failed(str(error))
                check_failure(results[result.path], self._options.on_error)
                tally.counts.add(was_computed=False, failed=True)
        return recipes

    def _recipe(self, result: Result) -> Recipe:
        rows, times = self._input(result), self._input(result, TIMES_SUFFIX)
        parameters = dict(self._parameters)
        if (result.media, result.modality) == (Media.VIDEO, Modality.IMAGE):
            parameters["times_sha256"] = self._digest(result, TIMES_FILE, times)
        return recipe_of(Step.EMBED, self._digest(result, ROWS_FILE, rows), parameters)

    def _digest(self, result: Result, name: str, path: Path) -> str:
        with reading(path, "preprocess"):
            self._store.restore(Step.PREPROCESS, result.preprocessed, name, path)
            return self._store.digests.sha256(path)

    def _input(self, result: Result, suffix: str = ".npy") -> Path:
        return array_path(self._layout.folder("preprocessed"), result, suffix)

    def _compute(
        self,
        results: Mapping[str, Result],
        recipes: Mapping[str, Recipe],
        progress: FileProgress[str],
        paths: Iterator[str],
    ) -> Iterator[Computed[str]]:
        """Embed inputs, batches running across them; without any the model is not loaded."""
        first = next(paths, None)
        if first is None:
            return
        if not self._loaded:
            self._loaded = self.network.load(self._options.placement)
            self._started_s = time.perf_counter()
        loaded = self._loaded
        sources = (
            (path, self.network.inputs(self._input(results[path]), results[path].media, loaded))
            for path in chain([first], paths)
        )

        def save(path: str, spool: RowSpool) -> None:
            with phase(Phase.WRITE):
                self._save(results[path], recipes[path], spool, loaded.embedder.runtime)

        workers = available_threads(self._options.placement.threads)
        pieces = self._timed(embed_sources(loaded.embedder, sources, self._options.batch_size, workers))
        folder = self._store.path(recipes[first], EMBEDDINGS_FILE).parent
        for path, _, fault in save_each(pieces, lambda path: folder, save, progress.add):
            if isinstance(fault, OSError):
                with self._store.explaining_disk_errors():
                    raise fault  # a full disk is no fault of the input, nor a result that DVC should keep
            yield path, fault or self._entries.pop(path)

    def _timed(self, pieces: Iterable[Piece[str]]) -> Iterator[Piece[str]]:
        for piece in pieces:
            self._seconds[piece.key] += piece.seconds
            yield piece

    def _save(self, result: Result, recipe: Recipe, spool: RowSpool, runtime: str) -> None:
        others: dict[str, Any] = dict(self.network.origin.arrays(runtime))
        times = self.network.timestamps_s(spool.rows, self._input(result, TIMES_SUFFIX), result.media)
        if times is not None:
            others = {"timestamps": times, **others}
        spool.save_npz(self._store.path(recipe, EMBEDDINGS_FILE), "embedding", others)
        facts = {
            "frames": spool.rows,
            "dimension": self.network.variant.embedding_size,
            "runtime": runtime,
            "seconds": round(self._seconds.pop(result.path, 0.0), 4),
        }
        self._entries[result.path] = self._store.put(recipe, [EMBEDDINGS_FILE], facts)

    def _settle(self, before: Result, outcome: Outcome[str]) -> Result:
        if isinstance(outcome.result, OpenL3Error):
            return before.failed(str(outcome.result))
        entry = outcome.result
        place(
            entry.files[EMBEDDINGS_FILE],
            array_path(self._layout.folder("embeddings"), before, EMBEDDINGS_SUFFIX),
        )
        facts = {name: entry.facts[name] for name in ("frames", "dimension", "runtime")}
        return replace(before, **facts, embedded=entry.key)


def _tell(results: Sequence[Result], tally: _Tally, metrics: StageMetrics) -> str:
    """Write the stage's metrics, and return its summary."""
    figures: dict[str, Any] = dict(tally.counts.figures)
    speed = ""
    if tally.seconds:
        figures["embeddings_per_s"] = round(tally.embeddings / tally.seconds, 1)
        devices = " and ".join(sorted(device.value.upper() for device in tally.devices))
        speed = f", {figures['embeddings_per_s']:g} a second on the {devices}"
    metrics.write(figures)
    embeddings = sum(result.frames for result in results)
    return f"embed: {count_inputs(results)}: {tally.counts}; {counted(embeddings, 'embedding')}{speed}"

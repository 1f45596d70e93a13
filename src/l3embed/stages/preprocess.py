"""Stage ``preprocess``: files to what the networks take in, one ``.npy`` an input and modality."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from l3embed.decoding.reading import AS_OPENL3, OnDamage, Reading
from l3embed.disk.atomic import place, replacing
from l3embed.disk.rows import RowSpool
from l3embed.errors import OpenL3Error, source_faults
from l3embed.inputs.estimates import Unread, estimate
from l3embed.inputs.findings import DAMAGE, LACKS, doubts
from l3embed.inputs.media import MODALITIES, SourceFile
from l3embed.inputs.preparation import Sound, prepared_rows
from l3embed.listings.fetching import Opening, opening_ahead
from l3embed.profiling import Phase, phase
from l3embed.progress import FileProgress, counted, say
from l3embed.runtimes.ahead import map_ahead
from l3embed.runtimes.processor import available_threads
from l3embed.stages.dataset import Found, Selection, find_inputs
from l3embed.stages.forecast import Following, tell_of_dataset
from l3embed.stages.input_digests import InputDigests
from l3embed.stages.metrics import Counts, StageMetrics
from l3embed.stages.output_folder import (
    ROWS_FILE,
    TIMES_FILE,
    TIMES_SUFFIX,
    Layout,
    array_path,
    make_empty,
)
from l3embed.stages.planning import Job, Plan, Planner, Task, blank_result, section_of
from l3embed.stages.results import (
    NAMED,
    OnError,
    Result,
    check_failure,
    count_doubts,
    name_doubts,
    name_failures,
    require_one,
    write_results,
)
from l3embed.store.entries import Store
from l3embed.store.estimate import File
from l3embed.store.recipe import Recipe
from l3embed.store.reuse import Computed, Outcome, resolve
from l3embed.variants import DoubtKind, Media, Modality

Prepared = tuple[list[str], dict[str, Any]]
"""What was made of one file: names of files that are to be put into the store, and facts."""


UNITS = {Media.IMAGE: "picture", Media.VIDEO: "frame"}
"""What an image network's input is called."""


@dataclass(frozen=True)
class PreprocessOptions:
    """Which files, how they are read, what to do about those that cannot be, and what follows."""

    selection: Selection
    sound: Sound
    reading: Reading = AS_OPENL3
    on_error: OnError = OnError.SKIP
    threads: int = 0
    following: Following | None = None


def run(dataset: Path, options: PreprocessOptions, layout: Layout, store: Store) -> str:
    """Preprocess the selected files of a dataset; return the stage's summary.

    Raises
    ------
    OpenL3Error
        If the dataset is not there, has no such files, or none that can be read; or at the first that
        cannot be, if that is to end the stage.
    """
    metrics, output = StageMetrics(layout.metrics_of("preprocess")), layout.folder("preprocessed")
    found = find_inputs(dataset, options.selection)
    make_empty(output)
    digests = InputDigests(dataset, store.digests)
    planner = Planner(dataset, digests, options.sound, options.reading, options.on_error)
    plan = planner.plan(found.inputs)
    _foretell(plan.jobs.values(), options, store)
    results = plan.results
    counts = _prepare_all(planner, plan, options, (store, output))
    name_failures("preprocess", results.values())
    final = [results[task] for task in sorted(results)]
    odd = [doubt for result in final for doubt in result.doubts]
    name_doubts("preprocess", odd)
    require_one("preprocess", final)
    write_results(final, output)
    _tell_of_folders(found)
    metrics.write(counts.figures | count_doubts(odd))
    seconds = sum(result.duration_s or 0 for result in final if result.modality is Modality.AUDIO)
    others = f", {counted(found.left_out, 'other file')} left out" if found.left_out else ""
    return f"preprocess: {found.counts}{others}: {counts}; {seconds:.1f} s of sound"


def _foretell(jobs: Iterable[Job], options: PreprocessOptions, store: Store) -> None:
    """Tell how much is going to be written, by this stage and those behind it, if it is much.

    Of files that do not lie here no header is read, and nothing told.
    """
    if options.following is None:
        return
    recipes: dict[File, list[Recipe]] = {}
    for job in jobs:
        if job.local_path:
            recipes.setdefault((job.local_path, job.media), []).append(job.recipe)

    def is_new(file: File) -> bool:
        return any(store.find(recipe) is None for recipe in recipes[file])

    tell_of_dataset(list(recipes), is_new, options.sound, options.following, store)


def _prepare_all(
    planner: Planner, plan: Plan, options: PreprocessOptions, folders: tuple[Store, Path]
) -> Counts:
    """Do what is to be done, fill in the results, and return how many were computed."""
    results = plan.results
    counts = Counts(failed=len(results))
    lacks: dict[str, str] = {}
    later = [(input_, modality) for input_, _ in plan.later for modality in MODALITIES[input_.media]]
    unread = {task: planner.unread(job.input_, job.modality) for task, job in plan.jobs.items()}
    unread |= {(input_.path, modality): planner.unread(input_, modality) for input_, modality in later}
    workload = estimate(unread, lambda seconds: seconds)
    with FileProgress("Preprocessing", workload, _unit(unread.values()), source="input") as progress:
        work = _Work(options, folders, progress, counts)
        work.do(plan.jobs, results, lacks)
        for group in planner.fetched(plan.later):
            for task, result in group.results.items():
                results[task] = result
                counts.add(was_computed=False, failed=True)
                progress.end(task)
            work.do(group.jobs, results, lacks)
    for task, result in results.items():
        if result.path in lacks:
            results[task] = result.doubted(DoubtKind.INCOMPLETE, lacks[result.path])
    return counts


@dataclass(frozen=True)
class _Work:
    """Does jobs, and counts them."""

    options: PreprocessOptions
    folders: tuple[Store, Path]
    progress: FileProgress[Task]
    counts: Counts

    def do(self, jobs: Mapping[Task, Job], results: dict[Task, Result], lacks: dict[str, str]) -> None:
        """Do some jobs, and fill in their results, and what their inputs lack."""
        store, output = self.folders
        recipes = {task: job.recipe for task, job in jobs.items()}
        compute = partial(_compute, jobs=jobs, options=self.options, store=store, progress=self.progress)
        for outcome in resolve(store, recipes, compute):
            result = _settle(outcome, jobs[outcome.key], self.options.reading, output)
            if result:
                results[outcome.key] = result
                check_failure(result, self.options.on_error)
            else:
                path, modality = outcome.key
                lacks[path] = LACKS[modality]
            self.counts.add(outcome.was_computed, failed=bool(result and not result.is_ok))
            if outcome.was_computed:
                self.progress.end(outcome.key)
            else:
                self.progress.reuse(outcome.key)


def _unit(jobs: Iterable[Unread]) -> str:
    """Return what a bar counts: seconds of sound, pictures and frames, which take about as long."""
    kinds = {(job.media, job.modality) for job in jobs}
    units = {"second" if modality is Modality.AUDIO else UNITS[media] for media, modality in kinds}
    return units.pop() if len(units) == 1 else "item"


def _compute(
    tasks: Iterator[Task],
    jobs: Mapping[Task, Job],
    options: PreprocessOptions,
    store: Store,
    progress: FileProgress[Task],
) -> Iterator[Computed[Task]]:
    """Read files, several at once, and put what was made of them into the store."""
    from threadpoolctl import threadpool_limits

    threads = available_threads(options.threads)

    def prepare(opening: tuple[Task, Opening]) -> tuple[Task, Prepared | OpenL3Error]:
        task, file = opening
        try:
            with file as path:
                return task, _prepare(jobs[task], path, options, store, partial(progress.add, task))
        except OpenL3Error as error:
            return task, error

    # OpenBLAS lets only one of several callers use its threads at a time: better one thread each.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads, "l3embed-preprocess") as pool:
        files = opening_ahead(tasks, lambda task: jobs[task].wanted)
        for task, prepared in map_ahead(pool, prepare, files, threads):
            if isinstance(prepared, OpenL3Error):
                yield task, prepared
            else:
                yield task, store.put(jobs[task].recipe, *prepared)


def _prepare(
    job: Job, file: Path, options: PreprocessOptions, store: Store, on_items: Callable[[float], None]
) -> Prepared:
    """Read one file, and write what is made of it to where the store will have it."""
    started_s = time.perf_counter()
    # What is damaged is kept, too: whether it is used is settled anew each time.
    reading = replace(options.reading, on_damage=OnDamage.USE)
    source = SourceFile(file, job.media, reading, section=section_of(job.input_))
    findings, names = source.findings, []
    items_a_row = options.sound.seconds_a_row if job.modality is Modality.AUDIO else 1
    path = store.path(job.recipe, ROWS_FILE)
    with RowSpool(path.parent) as spool:
        for rows in _own_faults(prepared_rows(source, job.modality, options.sound)):
            with store.explaining_disk_errors():
                spool.append(rows)
            on_items(len(rows) * items_a_row)
        job.check_unchanged()
        with phase(Phase.WRITE), store.explaining_disk_errors():
            if spool.rows:  # a video may lack sound or frames
                spool.save_npy(path)
                names.append(ROWS_FILE)
    if findings.frame_times_s is not None:
        times = store.path(job.recipe, TIMES_FILE)
        with store.explaining_disk_errors(), replacing(times) as temporary, temporary.open("wb") as stream:
            np.save(stream, findings.frame_times_s)
        names.append(TIMES_FILE)
    seconds = round(time.perf_counter() - started_s, 4)
    return names, {**findings.facts(), "seconds": seconds}


def _own_faults(rows: Iterator[Any]) -> Iterator[Any]:
    """Yield what is read of one file: whatever that raises is the file's own fault."""
    with source_faults():
        yield from rows


def _settle(outcome: Outcome[Task], job: Job, reading: Reading, output: Path) -> Result | None:
    """Put an outcome's files into the output, and return its row; None if there was nothing in the file."""
    blank = blank_result(*outcome.key, job.input_, job.recipe.sha256)
    if isinstance(outcome.result, OpenL3Error):
        return blank.failed(str(outcome.result))
    entry = outcome.result
    if reading.on_damage is OnDamage.SKIP and (damage := entry.facts[DAMAGE]):
        return blank.failed(f"The file {damage}.")
    if ROWS_FILE not in entry.files:
        return None
    try:
        _check_name(array_path(output, blank, TIMES_SUFFIX))
        place(entry.files[ROWS_FILE], array_path(output, blank))
        if TIMES_FILE in entry.files:
            place(entry.files[TIMES_FILE], array_path(output, blank, TIMES_SUFFIX))
    except OSError as error:
        # What is wrong with the disk stops the stage, so that it is not taken for a result.
        if error.errno != errno.ENAMETOOLONG:
            raise
        return blank.failed("Its name is too long for that of an output. Shorten it.")
    facts = {name: entry.facts[name] for name in ("duration_s", "sample_rate_hz", "channels")}
    result = replace(blank, **facts, preprocessed=entry.key)
    for kind, words in doubts(entry.facts):
        result = result.doubted(kind, words)
    return result


def _check_name(longest: Path) -> None:
    """Check that a file may be called so, before there are any for an input that later stages stumble over.

    Raises
    ------
    OSError
        ENAMETOOLONG if not.
    """
    longest.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        longest.lstat()


def _tell_of_folders(found: Found) -> None:
    if found.unreadable_folders:
        names = ", ".join(found.unreadable_folders[:NAMED])
        say(f"preprocess: warning: these folders cannot be read, nor what is in them: {names}.")
    if found.linked_folders:
        names = ", ".join(found.linked_folders[:NAMED])
        say(
            f"preprocess: warning: links to folders are not followed, because DVC does not see what changes "
            f"behind them: {names}. Let dataset.path be the folder itself, or link its files."
        )

"""Stage ``preprocess`` of a packed run: it plans what there is to read, and reads nothing of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.disk.checksums import sha256
from l3embed.errors import OpenL3Error
from l3embed.inputs.media import MODALITIES
from l3embed.inputs.preparation import row_parameters
from l3embed.progress import counted, progress_bar, say
from l3embed.stages.dataset import Found, find_inputs
from l3embed.stages.dataset_input import Input
from l3embed.stages.input_digests import InputDigests, Known
from l3embed.stages.listed_inputs import ListedInputs
from l3embed.stages.metrics import StageMetrics
from l3embed.stages.opening import opened
from l3embed.stages.output_folder import Layout, make_empty
from l3embed.stages.packed.partitions import Shard, part_count, part_of
from l3embed.stages.packed.plan import PartId, PlannedInput, table_name, write_plan
from l3embed.stages.preprocess import PreprocessOptions, tell_of_folders
from l3embed.stages.results import NAMED, OnError
from l3embed.store.code import code_checksum, package_versions
from l3embed.store.entries import Store
from l3embed.store.recipe import Step
from l3embed.variants import Media, Modality


def run(dataset: Path, options: PreprocessOptions, layout: Layout, store: Store) -> str:
    """Plan which inputs there are, in what parts and in what state; return the stage's summary.

    Parameters
    ----------
    dataset : Path
        A folder, or a listing.
    options : PreprocessOptions
        Which inputs, and how they are going to be read.
    layout : Layout
        Where the stages write; of a shard, its parts alone are planned.
    store : Store
        It knows the checksums of files that are as they were.

    Raises
    ------
    OpenL3Error
        If there are no inputs, or at the first that cannot be had, if that is to end the stage.
    """
    metrics, output = StageMetrics(layout.metrics_of("preprocess")), layout.folder("preprocessed")
    found = find_inputs(dataset, options.selection)
    make_empty(output)
    parts = {modality: _part_numbers(found.inputs, modality) for modality in Modality}
    tally = _Tally()
    with progress_bar("Planning", total=len(found.inputs), unit="file") as bar:
        planning = _Planning(dataset, options, InputDigests(dataset, store.digests), tally, bar)
        write_plan(output, planning.parts(found.inputs, parts, layout.shard), _parameters(options))
    tally.tell()
    tell_of_folders(found)
    counts = {str(modality.value): int(np.unique(own[own >= 0]).size) for modality, own in parts.items()}
    metrics.write({"inputs": tally.inputs, "failed": tally.failed, "parts": sum(counts.values())})
    return _summary(found, tally, sum(counts.values()), layout.shard)


@dataclass
class _Tally:
    """What has been planned, and the first inputs that cannot be had."""

    inputs: int = 0
    failed: int = 0
    named: tuple[str, ...] = ()

    def add(self, planned: PlannedInput) -> None:
        self.inputs += 1
        if planned.fault:
            self.failed += 1
            line = f"{planned.path}: {planned.fault}"
            if len(self.named) < NAMED and line not in self.named:
                self.named += (line,)

    def tell(self) -> None:
        for line in self.named:
            say(f"preprocess: failed: {line}")
        if self.failed > len(self.named):
            say(f"preprocess: failed: {self.failed - len(self.named)} more; the manifest will name them all")


@dataclass
class _Planning:
    """Goes through the inputs part by part, and looks at each."""

    dataset: Path
    options: PreprocessOptions
    digests: InputDigests
    tally: _Tally
    bar: Any

    def parts(
        self, inputs: Sequence[Input], numbers: dict[Modality, npt.NDArray[np.int32]], shard: Shard | None
    ) -> Iterator[tuple[PartId, list[PlannedInput]]]:
        """Yield the parts, of which one is held at a time."""
        for modality, own in numbers.items():
            order = np.argsort(own, kind="stable")  # by part, and within it as they come: by path
            order = order[np.searchsorted(own[order], 0) :]  # without those that are not for this network
            for places in np.split(order, np.flatnonzero(np.diff(own[order])) + 1):
                if len(places) and (shard is None or shard.has(int(own[places[0]]))):
                    part = PartId(modality, int(own[places[0]]))
                    yield part, list(self._planned(_taken(inputs, places)))

    def _planned(self, inputs: Iterable[Input]) -> Iterator[PlannedInput]:
        """Yield inputs with what is known of their bytes; one that cannot be had is planned to fail."""
        for input_, known in self.digests.of(inputs):
            try:
                planned = self._known(input_, known)
            except OpenL3Error as error:
                planned = PlannedInput(input_, fault=str(error))
                if self.options.on_error is OnError.FAIL:
                    raise OpenL3Error(
                        f"{planned.path}: {error} (on_error=skip would go on with the others.)"
                    ) from error
            self.tally.add(planned)
            self.bar.update()
            yield planned

    def _known(self, input_: Input, known: Known) -> PlannedInput:
        if isinstance(known, OpenL3Error):
            raise known
        if table_name(input_.path) != input_.path:  # no table could hold it
            raise OpenL3Error("Its name is not valid UTF-8. Rename it.")
        if known.version:  # of what lies elsewhere, which is fetched once, to be embedded
            return PlannedInput(input_, known.sha256, f"{input_.location} {known.version}")
        if known.sha256:
            return PlannedInput(input_, known.sha256)
        with opened(input_, self.dataset) as path:
            return PlannedInput(input_, sha256(path))


def _taken(inputs: Sequence[Input], places: npt.NDArray[np.intp]) -> Iterator[Input]:
    """Yield some inputs by their places, which are sorted."""
    if isinstance(inputs, ListedInputs):
        return iter(inputs.taken(places))
    return (inputs[place] for place in places)


def _part_numbers(inputs: Sequence[Input], modality: Modality) -> npt.NDArray[np.int32]:
    """Return which part of a network's each input is in; -1 if it has nothing for that network."""
    is_own = {media: modality in MODALITIES[media] for media in Media}
    own = np.fromiter((is_own[input_.media] for input_ in inputs), np.bool_, len(inputs))
    parts = part_count(int(own.sum()))
    numbers = (part_of(input_.path, parts) if is_own[input_.media] else -1 for input_ in inputs)
    return np.fromiter(numbers, np.int32, len(inputs))


def _parameters(options: PreprocessOptions) -> dict[str, Any]:
    """Return what decides about what is read, for the plan: `embed` depends on nothing else."""
    rows = {
        media.value: row_parameters((media, modality), options.sound, options.reading)
        for media in Media
        for modality in MODALITIES[media]
    }
    limits = {"on_damage": options.reading.on_damage.value, "max_megapixels": options.reading.max_megapixels}
    code = {"code": code_checksum(Step.PREPROCESS), "packages": package_versions(Step.PREPROCESS)}
    return {"rows": rows, **limits, **code}


def _summary(found: Found, tally: _Tally, parts: int, shard: Shard | None) -> str:
    others = f", {counted(found.left_out, 'other file')} left out" if found.left_out else ""
    of_shard = f"; shard {shard} has {counted(tally.inputs, 'input')}" if shard else ""
    return (
        f"preprocess: {found.counts}{others}: {counted(tally.inputs, 'input')} planned in "
        f"{counted(parts, 'part')}, {tally.failed:,} failed{of_shard}"
    )

"""What there is to do for a part of a packed dataset: in words that another process can be handed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from l3embed.decoding.reading import Reading
from l3embed.export.formats import Dtype
from l3embed.export.manifest import ManifestRow
from l3embed.inputs.media import SourceFile
from l3embed.inputs.preparation import Sound, row_parameters
from l3embed.runtimes.base import Placement
from l3embed.stages.network import ChosenNetwork
from l3embed.stages.packed.part_files import OldPart
from l3embed.stages.packed.plan import PartId, PlannedInput
from l3embed.stages.results import OnError
from l3embed.store.code import all_versions, recipe_of
from l3embed.store.entries import Store
from l3embed.store.recipe import Recipe, Step
from l3embed.variants import Media


@dataclass(frozen=True)
class PartTask:
    """One part to compute: its inputs, sorted by path."""

    part: PartId
    inputs: tuple[PlannedInput, ...]


@dataclass(frozen=True)
class PartWork:
    """What is the same for all parts of one network: it can be pickled.

    Parameters
    ----------
    dataset : Path
        The folder of the inputs.
    network : ChosenNetwork
        Which network, with which weights.
    sound : Samples or Spectrograms
        What sound is made into first.
    reading : Reading
        How files are read.
    placement : Placement
        Where the network runs.
    batch_size : int
        Items that go through it at once.
    dtype : Dtype
        The type of the embeddings in the files.
    on_error : OnError
        What an input that fails leads to.
    """

    dataset: Path
    network: ChosenNetwork
    sound: Sound
    reading: Reading
    placement: Placement
    batch_size: int
    dtype: Dtype = Dtype.FLOAT32
    on_error: OnError = OnError.SKIP

    @cached_property
    def _bases(self) -> dict[Media, str]:
        """What decides about the rows of an input, besides its bytes, by its kind."""
        modality = self.network.variant.weight_set.modality
        always = {**self.network.parameters, "dtype": self.dtype.value}
        always["on_damage"] = self.reading.on_damage.value
        return {
            media: recipe_of(
                Step.PACK, "", row_parameters((media, modality), self.sound, self.reading) | always
            ).key
            for media in Media
        }

    def row_key(self, planned: PlannedInput) -> str:
        """Return by what the rows of an input are known, whatever part they are in; its name is not in it."""
        known_by = planned.identity or planned.sha256
        section = f"{planned.input.start_s} {planned.input.end_s}"
        words = f"{self._bases[planned.input.media]} {known_by} {section}"
        return hashlib.sha256(words.encode()).hexdigest()

    def recipe(self, task: PartTask) -> Recipe:
        """Return all that decides about the files of a part."""
        digest = hashlib.sha256()
        for planned in task.inputs:
            words = (planned.path, planned.fault or self.row_key(planned), vars(planned.label))
            digest.update(f"{json.dumps(words)}\n".encode())
        parameters = {"modality": task.part.modality.value, "part": task.part.number}
        return recipe_of(Step.PACK, digest.hexdigest(), parameters | {"dtype": self.dtype.value})

    @property
    def made_with(self) -> ManifestRow:
        """What the manifest says of all rows alike."""
        variant, origin = self.network.variant, self.network.origin
        return ManifestRow(
            path="",
            modality=variant.weight_set.modality.value,
            dimension=variant.embedding_size,
            variant=origin.variant,
            weights=origin.weights,
            packages=all_versions(),
        )


@dataclass(eq=False)
class Todo:
    """One input on its way through the network, and what is found out about it."""

    planned: PlannedInput
    source: SourceFile | None = None
    sha256: str = ""
    seconds: float = 0.0


class PartJob:
    """A part of which it is known what the store has of it."""

    def __init__(self, task: PartTask, recipe: Recipe, work: PartWork, store: Store) -> None:
        self.task, self.recipe = task, recipe
        self.keys = {planned.path: work.row_key(planned) for planned in task.inputs if not planned.fault}
        found = store.rows.find(list(self.keys.values()))
        entries = {part: store.entry(Step.PACK, part) for part in sorted(set(found.values()))}
        self.old_parts = [OldPart(entry) for entry in entries.values() if entry]
        self.old = {key: part for part in self.old_parts for key in part.results}
        self.todo = [
            Todo(planned)
            for planned in task.inputs
            if not planned.fault and self.keys[planned.path] not in self.old
        ]

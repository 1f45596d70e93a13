"""What preprocessing a dataset comes to: a job for each input and network, and what to fetch before that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from l3embed.decoding.reading import Reading
from l3embed.decoding.section import Section
from l3embed.errors import OpenL3Error
from l3embed.inputs.estimates import Unread
from l3embed.inputs.media import MODALITIES
from l3embed.inputs.preparation import Sound, row_parameters
from l3embed.listings.fetching import MOST_BYTES, Opening, Wanted
from l3embed.stages.dataset_input import Input
from l3embed.stages.input_digests import Digested, InputDigests, file_state
from l3embed.stages.opening import location_of, opened_ahead, wanted_of
from l3embed.stages.results import OnError, Result, check_failure
from l3embed.store.code import recipe_of
from l3embed.store.recipe import Recipe, Step
from l3embed.variants import Media, Modality

Task = tuple[str, Modality]
"""An input's path, and the network that it is prepared for."""

GROUP = 32
"""Inputs of unknown checksums that are looked up and computed together, while the next are being fetched."""


@dataclass(frozen=True)
class Job:
    """One task: which file it reads, of what kind and in what state that was, and for which network."""

    input_: Input
    wanted: Wanted
    state: tuple[int, ...]
    modality: Modality
    recipe: Recipe

    @property
    def media(self) -> Media:
        """What kind of file it is."""
        return self.input_.media

    @property
    def local_path(self) -> Path | None:
        """Where it lies, if that is here."""
        location = self.wanted.location
        return Path(location.address) if location.is_local_file else None

    def check_unchanged(self) -> None:
        """Check that a local file is as it was: a fetched one is a copy.

        Raises
        ------
        OpenL3Error
            If it is not.
        """
        if self.local_path is None:
            return
        try:
            is_same = file_state(self.local_path) == self.state
        except OSError:  # it is gone
            is_same = False
        if not is_same:
            raise OpenL3Error("The file changed while it was being read. Run the stage again.")


@dataclass
class Plan:
    """What is to be done.

    Parameters
    ----------
    jobs : dict
        Those of inputs whose checksums are known.
    later : list of (Input, Digested)
        Inputs that have to be fetched to know that.
    results : dict
        Of inputs that cannot be read at all.
    """

    jobs: dict[Task, Job] = field(default_factory=dict)
    later: list[tuple[Input, Digested]] = field(default_factory=list)
    results: dict[Task, Result] = field(default_factory=dict)


class Planner:
    """Makes jobs of inputs.

    Parameters
    ----------
    dataset : Path
        A folder, or a listing.
    digests : InputDigests
        The checksums of its inputs.
    sound : Sound
        What sound is preprocessed to.
    reading : Reading
        How files are read.
    on_error : OnError
        What to do about inputs that cannot be read.
    """

    def __init__(
        self, dataset: Path, digests: InputDigests, sound: Sound, reading: Reading, on_error: OnError
    ) -> None:
        self._dataset, self._digests = dataset, digests
        self._sound, self._reading, self._on_error = sound, reading, on_error

    def plan(self, inputs: Iterable[Input]) -> Plan:
        """Return what is to be done about all inputs."""
        plan = Plan()
        for input_, known in self._digests.of(inputs):
            if isinstance(known, Digested) and not known.sha256:
                plan.later.append((input_, known))
            else:
                self._add(plan, input_, known)
        return plan

    def fetched(self, later: Iterable[tuple[Input, Digested]]) -> Iterator[Plan]:
        """Yield jobs of inputs that are being fetched, a few at a time: they lie here until the next ones."""
        openings = opened_ahead(later, self._dataset, lambda pair: pair[0])
        with ExitStack() as held:
            plan, held_bytes = Plan(), 0
            for (input_, known), opening in openings:
                self._add(plan, input_, self._fetch(input_, known, opening, held))
                held_bytes += opening.bytes
                if len(plan.jobs) + len(plan.results) >= GROUP or held_bytes > MOST_BYTES // 2:
                    yield plan
                    held.close()
                    plan, held_bytes = Plan(), 0
            yield plan

    def _fetch(
        self, input_: Input, known: Digested, opening: Opening, held: ExitStack
    ) -> Digested | OpenL3Error:
        try:
            held.enter_context(opening)
        except OpenL3Error as error:
            return error
        self._digests.keep(input_, known, opening.sha256)
        return Digested(opening.sha256, known.version)

    def _add(self, plan: Plan, input_: Input, known: Digested | OpenL3Error) -> None:
        name = input_.path.encode(errors="backslashreplace").decode()
        for modality in MODALITIES[input_.media]:
            task = (name, modality)
            try:
                if isinstance(known, OpenL3Error):
                    raise known
                if name != input_.path:  # nor could DVC, or a table, hold it
                    raise OpenL3Error("Its name is not valid UTF-8. Rename it.")
                plan.jobs[task] = self._job(input_, known, modality)
            except OpenL3Error as error:
                plan.results[task] = blank_result(name, modality, input_).failed(str(error))
                check_failure(plan.results[task], self._on_error)

    def _job(self, input_: Input, known: Digested, modality: Modality) -> Job:
        section = section_of(input_)
        parameters = row_parameters((input_.media, modality), self._sound, self._reading)
        if section:
            parameters = parameters | section.parameters
        recipe = recipe_of(Step.PREPROCESS, known.sha256, parameters)
        wanted = wanted_of(input_, self._dataset, known.sha256)
        return Job(input_, wanted, known.state, modality, recipe)

    def unread(self, input_: Input, modality: Modality) -> Unread:
        """Return an input as estimates know it."""
        location = location_of(input_, self._dataset)
        path = Path(location.address if location.is_local_file else input_.path)
        section = section_of(input_)
        length_s = section.length_s(None) if section else None
        return Unread(path, input_.media, modality, input_.bytes or 0, length_s)


def section_of(input_: Input) -> Section | None:
    """Return the section of its file that an input is; None if it is all of it.

    Raises
    ------
    OpenL3Error
        If its seconds are none.
    """
    if input_.start_s is None and input_.end_s is None:
        return None
    return Section(input_.start_s or 0.0, input_.end_s)


def blank_result(name: str, modality: Modality, input_: Input, sha256: str = "") -> Result:
    """Return the row of an input of which nothing is known yet but what it is."""
    return Result(
        name,
        modality,
        input_.media,
        sha256=sha256,
        location=input_.location or "",
        start_s=input_.start_s,
        end_s=input_.end_s,
        label=input_.label or "",
        fold=input_.fold or "",
    )

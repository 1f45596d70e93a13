"""The inputs of a proof against those that are here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from l3embed.disk.checksums import sha256
from l3embed.errors import OpenL3Error, source_faults
from l3embed.listings.fetching import Opening, forget_fetched
from l3embed.listings.listing_table import is_listing
from l3embed.progress import progress_bar
from l3embed.proof.input_groups import GroupDigests, group_of, line_of
from l3embed.proof.statement import Proof, ProvenInput
from l3embed.runtimes.ahead import map_ahead
from l3embed.runtimes.processor import available_threads
from l3embed.search.query_embedding import media_of
from l3embed.stages.dataset import Selection, find_inputs
from l3embed.stages.dataset_input import Input
from l3embed.stages.opening import location_of, opened_ahead
from l3embed.variants import Media

NAMED_IN_GROUP = 3
"""Inputs of a group that differs that are named: which of its inputs it is, nobody knows."""


@dataclass
class ComparedInputs:
    """What became of the inputs.

    Parameters
    ----------
    here : dict of str to Input
        Those that are the same, by path.
    missing, changed : list of str
        Those that are not here, or have other bytes.
    unreadable : dict of str to str
        Why others could not be read.
    elsewhere : int
        Those that would have to be fetched, and that no embedding of the sample is of: not looked at.
    unknown : int
        Those whose bytes the proof does not know either.
    groups : dict of int to list of str
        Of a proof of many inputs, the groups that differ, with some of the inputs here that are in them.
    are_groups_compared : bool
        Whether those were compared.
    """

    here: dict[str, Input] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    elsewhere: int = 0
    unknown: int = 0
    groups: dict[int, list[str]] = field(default_factory=dict)
    are_groups_compared: bool = False

    @property
    def are_same(self) -> bool:
        """Whether nothing that was looked at differs."""
        return not (self.missing or self.changed or self.unreadable or self.groups)

    def fault_of(self, path: str) -> str:
        """Return why an input's embeddings are not compared; nothing if they are."""
        if path in self.here:
            return ""
        if path in self.changed:
            return "its input has other bytes here"
        return f"its input: {self.unreadable[path]}" if path in self.unreadable else "its input is missing"


def compare_inputs(
    proof: Proof, dataset: Path, sampled: set[str], *, threads: int = 0, verbose: bool = False
) -> ComparedInputs:
    """Read the bytes of all inputs that lie here, and of those of the sample wherever they lie.

    Parameters
    ----------
    proof : Proof
        What was proven.
    dataset : Path
        A folder or a listing.
    sampled : set of str
        The inputs that embeddings are going to be recomputed of.
    threads : int
        Files that are read at once; 0: as many as cores.
    verbose : bool
        Whether to draw a bar.

    Raises
    ------
    OpenL3Error
        If there is no such dataset.
    """
    forget_fetched()  # what lies elsewhere may have changed since this process has fetched it
    found = ComparedInputs()
    reader = _Reader(dataset, threads, verbose=verbose)
    rows = {row.path: row for row in proof.inputs.rows}
    located = _located(dataset, rows)
    found.missing = [path for path in rows if path not in located]
    found.unknown = sum(not rows[path].sha256 for path in located)
    known = (input_ for path, input_ in located.items() if rows[path].sha256)
    wanted = []
    for input_, is_remote in _placed(known, dataset, found):
        if is_remote and input_.path not in sampled:
            found.elsewhere += 1
        else:
            wanted.append(input_)
    for input_, digest in reader.digests(wanted, len(wanted)):
        _settle(found, rows[input_.path], input_, digest)
    if proof.inputs.groups:
        _compare_groups(found, proof, reader)
    return found


def _settle(found: ComparedInputs, row: ProvenInput, input_: Input, digest: str | OpenL3Error) -> None:
    if isinstance(digest, OpenL3Error):
        found.unreadable[row.path] = str(digest)
    elif digest != row.sha256:
        found.changed.append(row.path)
    else:
        # The section is the proof's: a listing here may say another one under the same name.
        found.here[row.path] = Input(
            row.path, input_.media, input_.location, start_s=row.start_s, end_s=row.end_s, sha256=digest
        )


def _located(dataset: Path, rows: dict[str, ProvenInput]) -> dict[str, Input]:
    """Return the inputs that are here, by the names that a proof has for them."""
    if is_listing(dataset):
        listed = find_inputs(dataset, Selection()).inputs
        return {input_.path: input_ for input_ in listed if input_.path in rows}
    if not dataset.is_dir():
        raise OpenL3Error(
            f"There is no dataset {dataset} here. Name its folder, or its listing (--dataset PATH)."
        )
    present = (path for path in rows if _is_there(dataset / path))
    return {path: Input(path, media_of(path) or Media.AUDIO) for path in present}


def _placed(inputs: Iterable[Input], dataset: Path, found: ComparedInputs) -> Iterator[tuple[Input, bool]]:
    """Yield inputs and whether they would have to be fetched; what lies nowhere is unreadable."""
    for input_ in inputs:
        try:
            yield input_, location_of(input_, dataset).is_remote
        except OpenL3Error as error:
            found.unreadable[input_.path] = str(error)


def _is_there(path: Path) -> bool:
    try:
        return path.is_symlink() or path.exists()
    except ValueError:  # a name that no file can have
        return False


class _Reader:
    """Reads files, several at once, for their checksums."""

    def __init__(self, dataset: Path, threads: int, *, verbose: bool) -> None:
        self.dataset, self._threads, self._verbose = dataset, available_threads(threads), verbose

    def digests(
        self, inputs: Iterable[Input], count: int | None
    ) -> Iterator[tuple[Input, str | OpenL3Error]]:
        """Yield inputs with the checksums of their files; sections that follow one another share one."""
        runs = (list(own) for _, own in groupby(inputs, key=lambda input_: input_.location or input_.path))
        with (
            progress_bar("Reading inputs", total=count, unit="input", enabled=self._verbose) as bar,
            ThreadPoolExecutor(self._threads, "l3embed-check") as pool,
        ):
            files = opened_ahead(runs, self.dataset, lambda run: run[0])
            for run, digest in map_ahead(pool, self._digest, files, 2 * self._threads):
                for input_ in run:
                    bar.update()
                    yield input_, digest

    def _digest(self, item: tuple[list[Input], Opening]) -> tuple[list[Input], str | OpenL3Error]:
        run, file = item
        try:
            with source_faults(), file as path:
                if not path.is_file():
                    raise OpenL3Error("It is no file that can be read.")
                return run, sha256(path)
        except OpenL3Error as error:
            return run, error


def _compare_groups(found: ComparedInputs, proof: Proof, reader: _Reader) -> None:
    """Read all inputs that the dataset has here, and find the groups in which something differs."""
    settings = proof.settings
    media = tuple(Media(name) for name in settings.media)
    inputs = find_inputs(reader.dataset, Selection(media, settings.include, settings.exclude)).inputs
    if any(is_remote for _, is_remote in _placed(inputs, reader.dataset, found)):
        found.elsewhere = proof.inputs.count - len(proof.inputs.rows)
        return
    digests, names = GroupDigests(), _FirstNames()
    local = (input_ for input_, _ in _placed(inputs, reader.dataset, found))
    for input_, digest in reader.digests(local, len(inputs)):
        if isinstance(digest, OpenL3Error):
            found.unreadable[input_.path] = str(digest)
            continue
        digests.add(input_.path, line_of(input_.path, digest, input_.start_s, input_.end_s))
        names.add(input_.path)
    pairs = enumerate(zip(digests.digests(), proof.inputs.groups, strict=True))
    found.groups = {number: names.of(number) for number, (own, proven) in pairs if own != proven}
    found.are_groups_compared = True


class _FirstNames:
    """The first inputs of each group."""

    def __init__(self) -> None:
        self._names: dict[int, list[str]] = {}

    def add(self, path: str) -> None:
        names = self._names.setdefault(group_of(path), [])
        if len(names) < NAMED_IN_GROUP:
            names.append(path)

    def of(self, number: int) -> list[str]:
        return self._names.get(number, [])

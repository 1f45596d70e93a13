"""Several queries, of which none costs another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from l3embed.errors import OpenL3Error
from l3embed.export.formats import Rows
from l3embed.runtimes.base import Placement
from l3embed.search.asked import PART
from l3embed.search.hit import Hit
from l3embed.search.index import Index
from l3embed.search.lance_index import LanceIndex
from l3embed.search.query_embedding import media_of
from l3embed.variants import Media, Modality

SOUGHT = {Media.AUDIO: (Modality.AUDIO,), Media.IMAGE: (Modality.IMAGE,)}
"""Where files of each kind are sought; all others, among sounds or, where there are none, pictures."""


@dataclass(frozen=True)
class Options:
    """What is asked of all queries; see `Index` and `Index.search`. No modality: each query's own."""

    top: int = 10
    label: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    one_per_file: bool = False
    moments: bool = False
    lance: bool = False
    modality: Modality | None = None
    weights: str | None = None
    placement: Placement = field(default_factory=Placement)
    verbose: bool = False


@dataclass(frozen=True)
class Answer:
    """A query, as it was written, with its hits, or why it has none."""

    query: str
    modality: Modality | None = None
    hits: tuple[Hit, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Found:
    """The answers to all queries, and why inputs of the folder could not be searched."""

    answers: list[Answer]
    left_out: dict[str, str]


def search_all(folder: Path, queries: Sequence[str], options: Options) -> Found:
    """Answer queries one after the other.

    Raises
    ------
    OpenL3Error
        If the folder cannot be searched at all.
    """
    indices = _Indices(folder, options)
    answers = [_answer(query, indices, options) for query in queries]
    if not indices.opened:
        raise OpenL3Error(answers[0].error)
    left_out = {path: why for index in indices.opened.values() for path, why in index.failures.items()}
    return Found(answers, left_out)


class _Indices:
    """The folder's indices by modality, opened when they are first asked for."""

    def __init__(self, folder: Path, options: Options) -> None:
        self._folder, self._options = folder, options
        self.opened: dict[Modality, Index | LanceIndex] = {}
        self._faults: dict[Modality, OpenL3Error] = {}

    def of(self, modality: Modality) -> Index | LanceIndex:
        """Return the index of a modality."""
        if modality in self._faults:
            raise self._faults[modality]
        if modality not in self.opened:
            try:
                self.opened[modality] = self._open(modality)
            except OpenL3Error as error:
                self._faults[modality] = error
                raise
        return self.opened[modality]

    def _open(self, modality: Modality) -> Index | LanceIndex:
        options = self._options
        rows = Rows.FRAMES if options.moments else Rows.FILES
        weights, placement = options.weights, options.placement
        if not options.lance:
            return Index(
                self._folder,
                modality.value,
                rows.value,
                weights=weights,
                placement=placement,
                verbose=options.verbose,
            )
        index = LanceIndex(self._folder, modality.value, weights=weights, placement=placement)
        if index.facts.rows != rows.value:
            do = "Add" if rows is Rows.FILES else "Leave out"
            raise OpenL3Error(
                f"The LanceDB table in {self._folder} has a row for each of the {index.facts.rows}. "
                f"{do} --moments, or export anew with export.rows={rows.value}."
            )
        return index


def _answer(query: str, indices: _Indices, options: Options) -> Answer:
    faults = []
    for modality in (options.modality,) if options.modality else _modalities(query):
        try:
            hits = indices.of(modality).search(
                query, options.top, options.label, options.without, one_per_file=options.one_per_file
            )
            return Answer(query, modality, tuple(hits))
        except OpenL3Error as error:
            faults.append(str(error))
    return Answer(query, error=faults[0])


def _modalities(query: str) -> tuple[Modality, ...]:
    part = PART.fullmatch(query)
    media = media_of(part["path"] if part else query)
    return SOUGHT.get(media, tuple(Modality)) if media else tuple(Modality)

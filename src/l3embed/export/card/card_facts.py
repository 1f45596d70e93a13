"""What an export says of itself: counted while its manifest goes by, and read from its Parquet files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from l3embed.disk.seals import reading
from l3embed.errors import OpenL3Error
from l3embed.export.formats import Rows
from l3embed.export.manifest import MANIFEST_PARQUET, STAGE, ManifestRow
from l3embed.export.manifest_table import iterate_table
from l3embed.export.parquet import FOLDER, NUMBERS
from l3embed.variants import DoubtKind, Modality

FAILURES_NAMED = 20
"""Failed files that a card names; the manifest names all."""

NPZ_SUFFIX = ".npz"
PARTS = "part-*.parquet"
"""The names of a dataset's files, as a pattern."""


@dataclass(frozen=True)
class Weights:
    """A network's weights.

    Parameters
    ----------
    identity : str
        As the manifest has it.
    trained : bool
        Whether they are other than random.
    source : str
        The address that published ones are fetched from; empty for others.
    terms : str
        Whose published ones are, and their licence.
    """

    identity: str
    trained: bool
    source: str = ""
    terms: str = ""


@dataclass(frozen=True)
class Making:
    """How an export came to be, as far as it does not say so itself.

    Parameters
    ----------
    hop_s : float
        Seconds from one window of sound to the next.
    center : bool
        Whether timestamps are the windows' centres.
    code : mapping of str to str
        The SHA-256 of the code of each step that decided about the numbers.
    doubts : mapping of DoubtKind to int
        How many files each kind of doubt is about.
    weights : mapping of Modality to Weights
        What each network's weights are.
    """

    hop_s: float
    center: bool
    code: Mapping[str, str]
    doubts: Mapping[DoubtKind, int]
    weights: Mapping[Modality, Weights]


@dataclass
class ModalityFacts:
    """What was embedded by one network, and what the Parquet dataset of it holds.

    Parameters
    ----------
    inputs, failed, frames : int
        Files (or sections of them) that have embeddings, those that failed, and embeddings.
    seconds : float
        Of the recordings and videos that have embeddings.
    dimension : int
        Numbers in each embedding.
    labels : Counter of str
        Of each class, how many of these there are.
    folds : set of str
        Those that the dataset's authors put them into.
    variants, precisions, runtimes, packages : set of str
        What they were computed with: one of each, if all is well.
    rows, width : int
        Of the Parquet dataset, and the numbers of its embeddings.
    kind : Rows
        What has a row.
    pooling : str
        How frames became the row of a file.
    schema : pyarrow.Schema
        The dataset's columns.
    """

    inputs: int = 0
    failed: int = 0
    frames: int = 0
    seconds: float = 0.0
    dimension: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    folds: set[str] = field(default_factory=set)
    variants: set[str] = field(default_factory=set)
    precisions: set[str] = field(default_factory=set)
    runtimes: set[str] = field(default_factory=set)
    packages: set[str] = field(default_factory=set)
    rows: int = 0
    width: int = 0
    kind: Rows = Rows.FRAMES
    pooling: str = ""
    schema: Any = None

    @property
    def is_any(self) -> bool:
        """Whether there was anything to be embedded."""
        return self.inputs + self.failed > 0

    def count(self, row: ManifestRow) -> None:
        """Count an input; a video that lacks what the network is for counts as nothing."""
        if not row.is_ok:
            self.failed += 1
        elif row.frames:
            self.inputs += 1
            self.frames += row.frames
            self.seconds += row.duration_s or 0.0
            self.dimension = row.dimension
            if row.label:
                self.labels[row.label] += 1
            self.folds.update(filter(None, [row.fold]))
            self.variants.add(row.variant)
            self.precisions.add(row.precision)
            self.runtimes.add(row.runtime)
            self.packages.add(row.packages)


@dataclass
class CardFacts:
    """What an export says of itself.

    Parameters
    ----------
    modalities : dict of Modality to ModalityFacts
        Of both.
    files, failed : int
        Files, and those that failed; videos are one each.
    failures : dict of str to str
        The reasons of the first that failed, by path.
    has_sections : bool
        Whether inputs are sections of files.
    has_npz : bool
        Whether each input has its embeddings in a file of its own, besides.
    """

    modalities: dict[Modality, ModalityFacts] = field(
        default_factory=lambda: {modality: ModalityFacts() for modality in Modality}
    )
    files: int = 0
    failed: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    has_sections: bool = False
    has_npz: bool = False

    @property
    def embedded(self) -> dict[Modality, ModalityFacts]:
        """Of those that have a Parquet dataset."""
        return {modality: facts for modality, facts in self.modalities.items() if facts.rows}

    @property
    def noun(self) -> str:
        """What an input is called."""
        return "section" if self.has_sections else "file"


def gather_facts(export: Path) -> CardFacts:
    """Return what an export says of itself; its manifest is not held.

    Raises
    ------
    OpenL3Error
        If a file of it is damaged, or it has no embeddings.
    """
    facts = CardFacts()
    with reading(export / MANIFEST_PARQUET, STAGE):
        _count_inputs(iterate_table(export / MANIFEST_PARQUET), facts)
    for modality, own in facts.modalities.items():
        _read_parts(export, modality, own)
    if not facts.embedded:
        raise OpenL3Error(f"{export} has no embeddings that a card could describe. Set export.card=false.")
    return facts


def _count_inputs(rows: Iterator[ManifestRow], facts: CardFacts) -> None:
    before, failed_before = None, None
    for row in rows:
        facts.modalities[Modality(row.modality)].count(row)
        # In the order of paths: the two rows of a video are neighbours.
        facts.files += row.path != before
        if not row.is_ok:
            facts.failed += row.path != failed_before
            failed_before = row.path
            if len(facts.failures) < FAILURES_NAMED:
                facts.failures.setdefault(row.path, row.reason)
        facts.has_sections |= row.start_s is not None or row.end_s is not None
        facts.has_npz |= row.output.endswith(NPZ_SUFFIX)
        before = row.path


def part_files(export: Path, modality: Modality) -> list[Path]:
    """Return the files of a modality's Parquet dataset."""
    return sorted((export / FOLDER / modality.value).glob(PARTS))


def _read_parts(export: Path, modality: Modality, facts: ModalityFacts) -> None:
    """Read the rows and columns of a modality's dataset from the ends of its files."""
    import pyarrow.parquet as pq

    for path in part_files(export, modality):
        with reading(path, STAGE), pq.ParquetFile(path) as part:
            facts.rows += part.metadata.num_rows
            facts.schema = part.schema_arrow
    if facts.schema is not None:
        facts.kind = Rows.FRAMES if NUMBERS[Rows.FRAMES][0] in facts.schema.names else Rows.FILES
        facts.width = facts.schema.field("embedding").type.list_size
        facts.pooling = facts.schema.metadata[b"pooling"].decode()

"""The card of a study, as the stage ``export`` writes it in either layout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from l3embed.export.card.card_facts import Making, Weights
from l3embed.export.card.card_writing import CARD, CROISSANT, write_card
from l3embed.export.card.study import Study
from l3embed.models.origin import Origin, read_origins
from l3embed.progress import say
from l3embed.stages.output_folder import Layout
from l3embed.store.code import code_checksum
from l3embed.store.entries import Store
from l3embed.store.recipe import Step
from l3embed.variants import DoubtKind
from l3embed.weights.registry import ATTRIBUTION, DEFAULT_BASE_URL, PUBLISHED_FILES

PUBLISHED = {file.identity: f"{DEFAULT_BASE_URL}/{file.file_name}" for file in PUBLISHED_FILES.values()}
"""Where each published file of weights is fetched from, by its identity."""


@dataclass(frozen=True)
class CardOptions:
    """What a card says that the embeddings do not.

    Parameters
    ----------
    study : Study
        What its author says of it.
    hop_s : float
        Seconds from one window of sound to the next.
    center : bool
        Whether timestamps are the windows' centres.
    """

    study: Study
    hop_s: float
    center: bool


def write_study_card(
    options: CardOptions, layout: Layout, steps: Iterable[Step], doubts: Mapping[str, int], store: Store
) -> None:
    """Write the card of an export that is whole otherwise, and tell what it could not state.

    Parameters
    ----------
    options : CardOptions
        What it says besides.
    layout : Layout
        Where the embeddings and the export are.
    steps : iterable of Step
        Those that decided about the numbers.
    doubts : mapping of str to int
        How many files each kind of doubt is about.
    store : Store
        It knows the checksums of many files.

    Raises
    ------
    OpenL3Error
        If a file of the export is damaged, or it has no embeddings.
    """
    output = layout.folder("export")
    origins = read_origins(layout.folder("embeddings"))
    making = Making(
        hop_s=options.hop_s,
        center=options.center,
        code={step.value: code_checksum(step) for step in steps},
        doubts={DoubtKind(kind): count for kind, count in doubts.items()},
        weights={modality: _weights(origin) for modality, origin in origins.items()},
    )
    write_card(output, options.study, making, store.digests.sha256)
    say(f"export: a dataset card is in {output / CARD}, and Croissant metadata in {output / CROISSANT}")
    if missing := options.study.not_stated():
        say(f"export: warning: the card does not state what its readers ask for: {', '.join(missing)}")


def _weights(origin: Origin) -> Weights:
    source = PUBLISHED.get(origin.weights, "")
    return Weights(origin.weights, origin.trained, source, ATTRIBUTION if source else "")

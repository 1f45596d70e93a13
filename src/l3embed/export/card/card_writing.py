"""A Croissant file and a dataset card beside the Parquet datasets of an export."""

from __future__ import annotations

from pathlib import Path

from l3embed.disk.atomic import replacing
from l3embed.disk.json_files import write_json
from l3embed.export.card.card_facts import Making, gather_facts
from l3embed.export.card.card_files import Digest, has_lance, list_files
from l3embed.export.card.croissant import croissant
from l3embed.export.card.dataset_card import dataset_card
from l3embed.export.card.study import Study

CARD = "README.md"
CROISSANT = "croissant.json"


def write_card(export: Path, study: Study, making: Making, digest: Digest) -> None:
    """Write ``README.md`` and ``croissant.json`` of an export that is whole otherwise.

    The same export gives the same bytes, whenever and wherever. What is held does not grow with the number
    of inputs, but for the names of classes.

    Parameters
    ----------
    export : Path
        Its folder, which has a Parquet dataset.
    study : Study
        What its author says of it.
    making : Making
        How it came to be.
    digest : callable
        Returns the SHA-256 of a file.

    Raises
    ------
    OpenL3Error
        If a file of the export is damaged, or it has no embeddings.
    """
    facts = gather_facts(export)
    files = list_files(export, facts, digest)
    write_json(export / CROISSANT, croissant(study, facts, making, files))
    text = dataset_card(study, facts, making, files, has_lance=has_lance(export))
    with replacing(export / CARD) as temporary:
        temporary.write_text(text, encoding="utf-8")

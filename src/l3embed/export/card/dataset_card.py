"""The dataset card of an export: ``README.md``, as the Hugging Face Hub reads it, and people do."""

from __future__ import annotations

from typing import Any

from l3embed.export.card.card_facts import CardFacts, Making
from l3embed.export.card.card_files import CardFile, parts_pattern
from l3embed.export.card.card_sections import (
    how_to_cite,
    how_to_load,
    licences,
    what_was_embedded,
    what_was_found,
    with_what,
    written_files,
)
from l3embed.export.card.card_words import keywords, summary
from l3embed.export.card.study import Study
from l3embed.variants import Modality

SPLIT = "train"
"""What the Hub calls rows that are not split: folds, where there are any, are a column."""

CLASSIFIED = {Modality.AUDIO: "audio-classification", Modality.IMAGE: "image-classification"}
"""The Hub's tasks for labelled inputs, besides using embeddings as features."""

SIZES = (
    *("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B"),
    *("1B<n<10B", "10B<n<100B", "100B<n<1T", "n>1T"),
)
"""The Hub's words for numbers of rows: the first ends at 1000, each other at ten times the one before."""

SMALLEST = 1000


def dataset_card(
    study: Study, facts: CardFacts, making: Making, files: list[CardFile], *, has_lance: bool
) -> str:
    """Return the text of an export's dataset card."""
    sections = [
        f"# {study.title}",
        study.description.strip(),
        summary(facts),
        *what_was_embedded(facts),
        *what_was_found(facts, making),
        *with_what(facts, making),
        *written_files(facts, files, has_lance=has_lance),
        *how_to_load(facts),
        *licences(study, making, facts),
        *how_to_cite(study),
    ]
    return f"---\n{_yaml(front_matter(study, facts))}---\n\n" + "\n\n".join(filter(None, sections)) + "\n"


def front_matter(study: Study, facts: CardFacts) -> dict[str, Any]:
    """Return what the Hub is told: by this `datasets.load_dataset` finds the embeddings."""
    labelled = [CLASSIFIED[modality] for modality, own in facts.embedded.items() if own.labels]
    licence: dict[str, str] = {}
    if study.licence:
        licence["license"] = study.licence.identifier
        if study.licence.is_other:
            licence |= {"license_name": study.licence.name, "license_link": study.licence.url}
    configs: list[dict[str, Any]] = [
        {
            "config_name": modality.value,
            "data_files": [{"split": SPLIT, "path": parts_pattern(modality)}],
        }
        for modality in facts.embedded
    ]
    configs[0]["default"] = True
    return {
        "pretty_name": study.title,
        **licence,
        "task_categories": ["feature-extraction", *labelled],
        "size_categories": [size_category(sum(own.rows for own in facts.embedded.values()))],
        "tags": keywords(facts),
        "configs": configs,
    }


def size_category(rows: int) -> str:
    """Return the Hub's word for a number of rows."""
    place = 0
    while place < len(SIZES) - 1 and rows >= SMALLEST * 10**place:
        place += 1
    return SIZES[place]


def _yaml(content: dict[str, Any]) -> str:
    import yaml

    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)
    return text

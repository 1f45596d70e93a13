"""What embeddings were computed with, handed on from ``embed`` to ``export``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from l3embed.stages.results import write_json
from l3embed.variants import Modality

ORIGIN_FILE = "origin.json"


@dataclass(frozen=True)
class Origin:
    """What the embeddings of one modality were computed with.

    Parameters
    ----------
    variant : str
        As in ``audio_mel256_music_6144_kapre``.
    weights : str
        The weights' identity, as in ``random:20260101``.
    trained : bool
        Whether they are other than random.
    precision : str
        What the convolutions computed in.
    """

    variant: str
    weights: str
    trained: bool
    precision: str


def write_origins(origins: Mapping[Modality, Origin], embeddings: Path) -> None:
    """Write what the embeddings of a folder were computed with."""
    content = {modality.value: asdict(origin) for modality, origin in origins.items()}
    write_json(embeddings / ORIGIN_FILE, content)


def read_origins(embeddings: Path) -> dict[Modality, Origin]:
    """Read what the embeddings of a folder were computed with."""
    content = json.loads((embeddings / ORIGIN_FILE).read_text(encoding="utf-8"))
    return {Modality(modality): Origin(**origin) for modality, origin in content.items()}

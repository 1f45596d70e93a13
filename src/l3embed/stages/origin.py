"""What embeddings were computed with, handed on from ``embed`` to ``export``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from l3embed.atomic import replacing

ORIGIN_FILE = "origin.json"


@dataclass(frozen=True)
class Origin:
    """What embeddings were computed with.

    Parameters
    ----------
    variant : str
        As in ``audio_mel256_music_6144_kapre``.
    weights : str
        The weights' identity, as in ``random:20260101``.
    trained : bool
        Whether they are other than random.
    hop_s : float
        Seconds from one embedding to the next.
    center : bool
        Whether timestamps are the windows' centres.
    """

    variant: str
    weights: str
    trained: bool
    hop_s: float
    center: bool


def write_origin(origin: Origin, embeddings: Path) -> None:
    """Write what the embeddings of a folder were computed with."""
    with replacing(embeddings / ORIGIN_FILE) as temporary:
        temporary.write_text(json.dumps(asdict(origin), indent=2) + "\n", encoding="utf-8")


def read_origin(embeddings: Path) -> Origin:
    """Read what the embeddings of a folder were computed with."""
    return Origin(**json.loads((embeddings / ORIGIN_FILE).read_text(encoding="utf-8")))

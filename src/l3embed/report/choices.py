"""What a report is made from, and what may be chosen about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from l3embed.variants import check_at_least, parse_choice

BYTES_PER_MB = 1_000_000


class Projection(str, Enum):
    """Which ways into two dimensions a report shows."""

    AUTO = "auto"
    PCA = "pca"
    UMAP = "umap"


@dataclass(frozen=True)
class ReportInputs:
    """The folders that a report is made from.

    Parameters
    ----------
    export : Path
        With the manifest, the embeddings and their means.
    evaluation : Path
        What was evaluated; it may be missing.
    metrics : Path
        With one JSON file a stage: counts and speeds; it may be missing.
    dataset : Path
        The files that were embedded.
    stages : tuple of str
        In the order in which they run, up to the report itself.
    """

    export: Path
    evaluation: Path
    metrics: Path
    dataset: Path
    stages: tuple[str, ...]


LEAST = {"previews_mb": 0, "neighbours": 1, "seed": 0}
"""The least that options may be, by their names."""


@dataclass(frozen=True)
class ReportOptions:
    """What may be chosen about a report, by the names of the settings' group ``report``.

    Parameters
    ----------
    projection : Projection
        ``auto`` is PCA, and UMAP too where it is installed; ``umap`` insists on it.
    previews_mb : float
        How much of the page sounds and pictures may take, in millions of bytes.
    neighbours : int
        How many nearest neighbours each file gets.
    seed : int
        Of everything that is drawn at random.

    Raises
    ------
    OpenL3Error
        If a value is not allowed.
    """

    projection: Projection = Projection.AUTO
    previews_mb: float = 20.0
    neighbours: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "projection", parse_choice(Projection, "report.projection", self.projection))
        for name, least in LEAST.items():
            check_at_least(f"report.{name}", getattr(self, name), least)

    @property
    def preview_budget_bytes(self) -> int:
        """How much of the page previews may take."""
        return round(self.previews_mb * BYTES_PER_MB)

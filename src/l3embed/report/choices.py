"""What a report is made from, and what may be chosen about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from l3embed.errors import OpenL3Error
from l3embed.variants import parse_choice

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
        With ``metrics.json`` and the predictions; it may be missing.
    metrics : Path
        With one JSON file a stage: counts and speeds; it may be missing.
    dataset : Path
        The files that were embedded.
    """

    export: Path
    evaluation: Path
    metrics: Path
    dataset: Path


@dataclass(frozen=True)
class ReportOptions:
    """What may be chosen about a report.

    Parameters
    ----------
    projection : Projection
        ``auto`` is PCA, and UMAP too where it is installed; ``umap`` insists on it.
    preview_budget_mb : float
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
    preview_budget_mb: float = 20.0
    neighbours: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "projection", parse_choice(Projection, "projection", self.projection))
        if self.preview_budget_mb < 0:
            raise OpenL3Error(f"preview_budget_mb must be 0 or more; got {self.preview_budget_mb}.")
        if self.neighbours < 1:
            raise OpenL3Error(f"neighbours must be 1 or more; got {self.neighbours}.")
        if self.seed < 0:
            raise OpenL3Error(f"seed must be 0 or more; got {self.seed}.")

    @property
    def preview_budget_bytes(self) -> int:
        """How much of the page previews may take."""
        return round(self.preview_budget_mb * BYTES_PER_MB)

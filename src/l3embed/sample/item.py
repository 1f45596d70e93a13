"""What all files of the sample dataset have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

OWNER_TAG = "made by l3embed sample"
"""Comment inside every file, by which it is known again as the sample's own."""


class Item(Protocol):
    """One file of the dataset."""

    @property
    def path(self) -> Path:
        """Where the file lies within the dataset; the folder that it lies in directly is its class."""

    def renewed(self, earlier: bytes | None, seed: int) -> bytes:
        """Return the file's bytes: those of the earlier file, if there is one that holds the same."""

    def is_own(self, path: Path) -> bool:
        """Tell whether a file in the item's place says that the sample dataset made it."""

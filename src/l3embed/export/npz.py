"""One ``.npz`` an input, for ``np.load``: the very file that its embeddings were computed into."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from l3embed.disk.atomic import place
from l3embed.export.formats import Embedded, RowLayout


def write(folder: Path, inputs: Sequence[Embedded], layout: RowLayout) -> None:
    """Put each input's file where the manifest says; the layout of rows does not matter to it."""
    for item in inputs:
        place(item.embeddings, folder / item.row.output)

"""Which files of a dataset are the same, byte for byte, and which of these have different labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from l3embed.export.doubts import Doubt
from l3embed.export.manifest import ManifestRow
from l3embed.variants import DoubtKind, Modality

MOST_NAMED = 3
"""Copies that are named for one file."""


def sets_of_copies(rows: Sequence[ManifestRow]) -> list[list[ManifestRow]]:
    """Return the sets of two or more files that have the same bytes, in the manifest's order.

    A video, which has two rows, is one file, at the first of them.
    """
    by_content: defaultdict[str, dict[str, ManifestRow]] = defaultdict(dict)
    for row in rows:
        if row.content:
            by_content[row.content].setdefault(row.path, row)
    return [list(files.values()) for files in by_content.values() if len(files) > 1]


def labels_of(files: Sequence[ManifestRow]) -> set[str]:
    """Return the classes that files have; those without one say nothing against others."""
    return {row.label for row in files if row.label}


def doubts_about_copies(rows: Sequence[ManifestRow]) -> Iterator[Doubt]:
    """Yield what is doubtful about copies: conflicting labels, and all copies but one, which has a label.

    Parameters
    ----------
    rows : sequence of ManifestRow
        Of all files that have embeddings.
    """
    for files in sets_of_copies(rows):
        in_conflict = len(labels_of(files)) > 1
        kept = next((row for row in files if row.label), files[0])
        for row in files:
            rivals = [other for other in files if in_conflict and row.label and other.label != row.label]
            if rivals:
                named = _listed([f"{other.path} ({other.label or 'no label'})" for other in rivals])
                words = f"is labelled {row.label}, and has the same bytes as {named}."
                yield Doubt(row.path, Modality(row.modality), row.label, DoubtKind.CONFLICT, words)
            elif row is not kept:
                words = f"has the same bytes as {kept.path}."
                yield Doubt(row.path, Modality(row.modality), row.label, DoubtKind.COPY, words)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")

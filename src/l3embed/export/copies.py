"""Which files of a dataset are the same, byte for byte, and which of these have different labels."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter

from l3embed.export.doubts import Doubt
from l3embed.export.manifest import ManifestRow
from l3embed.export.manifest_table import ManifestTable
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
    groups: Iterable[Sequence[ManifestRow]] = (
        rows.copies() if isinstance(rows, ManifestTable) else sets_of_copies(rows)
    )
    for files in groups:
        yield from _doubts_about(files)


def _doubts_about(files: Sequence[ManifestRow]) -> Iterator[Doubt]:
    """Yield what is doubtful about files that have the same bytes; they are gone through a few times."""
    counts: Counter[str] = Counter()
    firsts: dict[str, list[tuple[int, ManifestRow]]] = {}
    for place, row in enumerate(files):
        counts[row.label] += 1
        if len(own := firsts.setdefault(row.label, [])) < MOST_NAMED:
            own.append((place, row))
    labelled = [own[0] for label, own in firsts.items() if label]
    in_conflict = len(labelled) > 1
    kept = min(labelled, key=itemgetter(0))[1] if labelled else files[0]
    for row in files:
        if in_conflict and row.label:
            rivals = chain.from_iterable(own for label, own in firsts.items() if label != row.label)
            others = sorted(rivals, key=itemgetter(0))
            named = [f"{other.path} ({other.label or 'no label'})" for _, other in others[:MOST_NAMED]]
            listed = _listed(named, len(files) - counts[row.label])
            words = f"is labelled {row.label}, and has the same bytes as {listed}."
            yield Doubt(row.path, Modality(row.modality), row.label, DoubtKind.CONFLICT, words)
        elif row.path != kept.path:
            words = f"has the same bytes as {kept.path}."
            yield Doubt(row.path, Modality(row.modality), row.label, DoubtKind.COPY, words)


def _listed(names: Sequence[str], count: int) -> str:
    more = count - MOST_NAMED
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")

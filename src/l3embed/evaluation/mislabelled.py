"""What copies of one file tell of their labels: if these contradict each other, some mistakes are none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from l3embed.evaluation.folds import Positions, Split
from l3embed.export.copies import labels_of, sets_of_copies
from l3embed.export.manifest import ManifestRow


def notes_on_copies(rows: Sequence[ManifestRow], split: Split, predicted: Positions) -> Iterator[str]:
    """Yield a note on the copies among the files that took part, and one on labels that contradict others.

    Parameters
    ----------
    rows : sequence of ManifestRow
        Of all files with embeddings in one modality.
    split : Split
        Which of them took part.
    predicted : array of int
        The class that each of these was taken for, (N,).
    """
    chosen = [rows[row] for row in split.rows]
    copies = sets_of_copies(chosen)
    if copies:
        count = sum(len(files) - 1 for files in copies)
        first, second = copies[0][:2]
        words = "file is a copy of another" if count == 1 else "files are copies of others"
        yield f"{count:,} {words}, as {second.path} is of {first.path}: copies are held out together"
    rivals = {
        row.path: labels - {row.label}
        for files in copies
        if len(labels := labels_of(files)) > 1
        for row in files
    }
    if rivals:
        taken_for = [split.labels[place] for place in predicted]
        explained = sum(
            label in rivals.get(row.path, ()) for row, label in zip(chosen, taken_for, strict=True)
        )
        mistakes = int(np.count_nonzero(predicted != split.actual))
        yield (
            f"{len(rivals):,} files have copies under other labels, as {_example(copies)}: "
            f"that explains {explained:,} of {mistakes:,} mistakes of the linear probe"
        )


def _example(copies: Sequence[Sequence[ManifestRow]]) -> str:
    files = next(files for files in copies if len(labels_of(files)) > 1)
    other = next(row for row in files if row.label != files[0].label)
    return f"{files[0].path} ({files[0].label}) and {other.path} ({other.label})"

"""What the page's scripts read: everything known of the files, packed into one JSON object.

Columns of numbers are Base64 of little-endian arrays (``packing.pack``), read by ``scripts/files.js``.
Files are named by their places in ``paths``: first those with embeddings, in the manifest's order, then those
that failed altogether. Modalities, kinds of files and kinds of doubts are the places of their enums' members.

=================  ==========  ============================================================================
``address``        str         how links to the dataset begin
``links``          {place: str} where a listing's files lie, if paths do not say it; empty: nowhere to open
``labels``         [str]       all labels, actual and predicted; an empty one is that of files without a label
``doubtKinds``     [str]       all kinds of doubts, the worst first
``paths``          [str]       below the dataset's folder, with slashes
``label``          u4 a file   place in ``labels``
``media``          u1 a file   audio, image or video
``held``           u1 a file   bits: 1 the page holds its sound, 2 its picture
``duration``       f4 a file   seconds; NaN where there is no sound
``rate``           f4 a file   Hz; NaN where there is no sound
``channels``       u4 a file   0 where there is no sound
``doubts``         object      ``file`` u4, ``modality`` u1, ``kind`` u1, ``word`` u4 a doubt, worst first;
                               ``words`` [str]: sentences that begin behind the file's name, each once
``failures``       object      ``file`` u4 and ``modality`` u1 a failed input; ``reasons`` [str], one each
``maps``           [object]    one a modality that has embeddings, see below
=================  ==========  ============================================================================

A map's points are the files with embeddings of its modality, in the manifest's order:

=================  ==========  ============================================================================
``modality``       str         audio or image
``files``          u4 a point  which file it is
``frames``         u4 a point  embeddings
``views``          [object]    ``name``, ``axes`` (their names, or empty) and ``points`` (f4 x and y a point)
``count``          number      nearest neighbours of each point
``index``          u4 count    points, the nearest first; ``count`` of them a point
``similarity``     i2 count    their cosines, in ten-thousandths
``takenFor``       i4 a point  place in ``labels`` of what the linear probe took it for; -1 where it did not
``confidence``     i2 a point  probability that the probe gave to that, in ten-thousandths; -1 as above
``fold``           i2 a point  place in ``folds`` of the fold that it was held out with; -1 as above
``folds``          [str]       the folds' names
``classes``        [number]    places in ``labels`` of the confusion matrix's rows and columns
=================  ==========  ============================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from l3embed.evaluation.evaluation import Prediction
from l3embed.export.doubts import Doubt
from l3embed.export.manifest import ManifestRow
from l3embed.report.maps import DatasetMap
from l3embed.report.media_files import MediaFile
from l3embed.report.packing import as_text, pack
from l3embed.report.preview_budget import Previews
from l3embed.variants import DoubtKind, Media, Modality

STEPS = 10_000
"""Cosines and probabilities are packed as whole numbers of ten-thousandths."""

UNKNOWN = -1
"""In place of a place or a probability that the evaluation does not tell."""

MEDIA, MODALITIES, DOUBT_KINDS = tuple(Media), tuple(Modality), tuple(DoubtKind)

HAS_SOUND, HAS_PICTURE = 1, 2
"""Bits that say which previews of a file the page holds."""


@dataclass(frozen=True)
class FileFacts:
    """What is known of the single files of a page.

    Parameters
    ----------
    files : sequence of MediaFile
        Those with embeddings, in the manifest's order, and behind them those that failed altogether.
    doubts : sequence of Doubt
        The worst first.
    failures : sequence of ManifestRow
        Inputs without embeddings.
    predictions : mapping of Modality to sequence of Prediction
        What files were taken for, where that was evaluated.
    """

    files: Sequence[MediaFile]
    doubts: Sequence[Doubt]
    failures: Sequence[ManifestRow]
    predictions: Mapping[Modality, Sequence[Prediction]]

    @property
    def labels(self) -> list[str]:
        """All labels of files, and those that they were taken for, sorted."""
        predicted = {row.predicted for rows in self.predictions.values() for row in rows}
        actual = {row.actual for rows in self.predictions.values() for row in rows}
        return sorted({file.label for file in self.files} | predicted | actual)


def packed_files(
    facts: FileFacts, maps: Sequence[DatasetMap], previews: Previews, address: str
) -> dict[str, Any]:
    """Return everything that the page's scripts know of files, in the shape above."""
    files, labels = facts.files, facts.labels
    label_places = {label: place for place, label in enumerate(labels)}
    places = {file.path: place for place, file in enumerate(files)}
    held = [_held(previews, place) for place in range(len(files))]
    return {
        "address": address,
        "labels": labels,
        "doubtKinds": [kind.value for kind in DOUBT_KINDS],
        "paths": [file.path for file in files],
        "links": {place: file.link for place, file in enumerate(files) if file.link is not None},
        "label": pack([label_places[file.label] for file in files], "u4"),
        "media": pack([MEDIA.index(file.media) for file in files], "u1"),
        "held": pack(held, "u1"),
        "duration": pack([_or_nan(file.duration_s) for file in files], "f4"),
        "rate": pack([_or_nan(file.sample_rate_hz) for file in files], "f4"),
        "channels": pack([file.channels or 0 for file in files], "u4"),
        "doubts": _packed_doubts(facts.doubts, places),
        "failures": _packed_failures(facts.failures, places),
        "maps": [_packed_map(each, places) | _packed_predictions(each, facts, label_places) for each in maps],
    }


def packed_previews(previews: Previews) -> dict[str, dict[int, str]]:
    """Return the previews themselves, by the files' places, for JSON."""
    return {
        "sounds": {place: as_text(each.sound) for place, each in previews.made.items() if each.sound},
        "pictures": {place: as_text(each.picture) for place, each in previews.made.items() if each.picture},
    }


def _packed_doubts(doubts: Sequence[Doubt], places: Mapping[str, int]) -> dict[str, Any]:
    known = [doubt for doubt in doubts if doubt.path in places]
    words = {sentence: place for place, sentence in enumerate(dict.fromkeys(doubt.words for doubt in known))}
    return {
        "file": pack([places[doubt.path] for doubt in known], "u4"),
        "modality": pack([MODALITIES.index(doubt.modality) for doubt in known], "u1"),
        "kind": pack([DOUBT_KINDS.index(doubt.kind) for doubt in known], "u1"),
        "word": pack([words[doubt.words] for doubt in known], "u4"),
        "words": list(words),
    }


def _packed_failures(failures: Sequence[ManifestRow], places: Mapping[str, int]) -> dict[str, Any]:
    return {
        "file": pack([places[row.path] for row in failures], "u4"),
        "modality": pack([MODALITIES.index(Modality(row.modality)) for row in failures], "u1"),
        "reasons": [row.reason for row in failures],
    }


def _packed_map(each: DatasetMap, places: Mapping[str, int]) -> dict[str, Any]:
    similarity = np.round(each.neighbours.similarity * STEPS)
    return {
        "modality": each.modality.value,
        "files": pack([places[row.path] for row in each.rows], "u4"),
        "frames": pack([row.frames for row in each.rows], "u4"),
        "views": [
            {"name": view.name, "points": pack(view.points, "f4"), "axes": view.axes} for view in each.views
        ],
        "count": each.neighbours.index.shape[1],
        "index": pack(each.neighbours.index, "u4"),
        "similarity": pack(similarity, "i2"),
    }


def _packed_predictions(
    each: DatasetMap, facts: FileFacts, label_places: Mapping[str, int]
) -> dict[str, Any]:
    """Return what the points of a map were taken for; where nothing was evaluated, empty columns."""
    predictions = facts.predictions.get(each.modality, ())
    by_path = {prediction.path: prediction for prediction in predictions}
    found = [by_path.get(row.path) for row in each.rows] if predictions else []
    folds = sorted({prediction.fold for prediction in predictions}, key=_by_number)
    fold_places = {name: place for place, name in enumerate(folds)}
    classes = sorted({label for row in predictions for label in (row.actual, row.predicted)})
    return {
        "takenFor": pack([label_places[row.predicted] if row else UNKNOWN for row in found], "i4"),
        "confidence": pack([round(row.confidence * STEPS) if row else UNKNOWN for row in found], "i2"),
        "fold": pack([fold_places[row.fold] if row else UNKNOWN for row in found], "i2"),
        "folds": folds,
        "classes": [label_places[label] for label in classes],
    }


def _by_number(name: str) -> tuple[int, str]:
    return (int(name) if name.isdecimal() else 0, name)


def _held(previews: Previews, place: int) -> int:
    preview = previews.made.get(place)
    if preview is None:
        return 0
    return (HAS_SOUND if preview.sound else 0) | (HAS_PICTURE if preview.picture else 0)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value

"""`LanceIndex`: an export's LanceDB table searched as `Index` is: quicker in large archives, and not all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from l3embed.export.cosine import Vectors
from l3embed.export.formats import Rows
from l3embed.export.lance import FOLDER, VECTOR, connect, nearest_rows, read_facts
from l3embed.runtimes.base import Placement
from l3embed.search.hit import Hit
from l3embed.search.index import Asked, Index
from l3embed.variants import check_at_least
from l3embed.weights.source import WeightsSource

AHEAD = 4
"""So many times the hits are fetched at first, since some are no hits of the query."""


class LanceIndex:
    """The LanceDB table of an export (``export.formats=[npz,lance]``), to be searched as `Index` is.

    Only some partitions of the table are looked at, so that some of the nearest may be missed: `facts` says
    which share is found. Whether files or their moments are compared is as ``export.rows`` was.

    Parameters
    ----------
    folder, modality, weights, placement
        As of `Index`.

    Attributes
    ----------
    facts : LanceFacts
        The rows and partitions of the table, and the measured recall.

    Raises
    ------
    OpenL3Error
        As `Index`, or if the export has no such table, or LanceDB is not installed.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        modality: Literal["audio", "image"] = "audio",
        *,
        weights: str | WeightsSource | None = None,
        placement: Placement | None = None,
    ) -> None:
        self._index = Index(folder, modality, weights=weights, placement=placement)
        export = Path(folder)
        self.facts, self._centre = read_facts(export, self._index.modality)
        self._table = connect(export / FOLDER).open_table(self._index.modality.value)
        self.failures = self._index.failures

    def search(
        self,
        query: str | os.PathLike[str] | npt.NDArray[np.floating],
        top: int = 10,
        label: Iterable[str] = (),
        without: Iterable[str] = (),
        *,
        one_per_file: bool = False,
    ) -> list[Hit]:
        """Return what is most like a query, the best first: see `Index.search`."""
        check_at_least("top", top, 1)
        index, wanted, rejected = self._index, list(label), list(dict.fromkeys(without))
        index.check_labels(wanted)
        asked = index.asked(query)
        others = [self._unit(index.asked(text).vector) for text in rejected if text not in index.labels]
        where = _where(wanted, [text for text in rejected if text in index.labels])
        count = AHEAD * top
        while True:
            rows = nearest_rows(self._table, self._unit(asked.vector), count, self.facts, where)
            kept = self._kept(rows, asked, others, one_per_file=one_per_file)[:top]
            if len(kept) == top or len(rows) < count:
                break
            count *= AHEAD
        is_whole = self.facts.rows == Rows.FILES.value
        return [
            index.hit(
                rank, index.places[row["path"]], 1 - row["_distance"], None if is_whole else _time_s(row)
            )
            for rank, row in enumerate(kept, start=1)
        ]

    def _unit(self, vector: Vectors) -> Vectors:
        """Return the direction of an embedding from the mean of all, ``(D,)``."""
        centred = vector - self._centre
        length = float(np.linalg.norm(centred))
        return centred / np.float32(length) if length else centred

    def _kept(
        self, rows: Any, asked: Asked, others: list[Vectors], *, one_per_file: bool
    ) -> list[dict[str, Any]]:
        """Return the rows that are hits: not of the query itself, nor more like what is not wanted."""
        found: list[dict[str, Any]] = rows.select(["path", "frame", "timestamp_s", "_distance"]).to_pylist()
        if others:
            units = np.stack([np.asarray(row, np.float32) for row in rows.column(VECTOR).to_pylist()])
            rivals = (units @ np.stack(others).T).max(axis=1)
            found = [row for row, rival in zip(found, rivals, strict=True) if 1 - row["_distance"] >= rival]
        if asked.place is not None:
            found = [row for row in found if not self._is_own(row, asked)]
        if one_per_file:
            best: dict[str, dict[str, Any]] = {}
            for row in found:
                best.setdefault(row["path"], row)
            found = list(best.values())
        return found

    def _is_own(self, row: dict[str, Any], asked: Asked) -> bool:
        if self._index.places.get(row["path"]) != asked.place:
            return False
        return asked.frames is None or self.facts.rows == Rows.FILES.value or row["frame"] in asked.frames


def _time_s(row: dict[str, Any]) -> float:
    return float("nan") if row["timestamp_s"] is None else float(row["timestamp_s"])


def _where(wanted: list[str], rejected: list[str]) -> str:
    """Return the condition on labels in SQL."""
    terms = [f"label IN ({_listed(wanted)})"] if wanted else []
    terms += [f"label NOT IN ({_listed(rejected)})"] if rejected else []
    return " AND ".join(terms)


def _listed(labels: list[str]) -> str:
    return ", ".join("'" + label.replace("'", "''") + "'" for label in labels)

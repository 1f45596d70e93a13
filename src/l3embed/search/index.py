"""`Index`: what a folder of embeddings has, by likeness."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error
from l3embed.export.formats import Rows
from l3embed.inputs.windows import Framing
from l3embed.runtimes.base import Placement
from l3embed.search.asked import SYNTAX, Part, Query, parse_query
from l3embed.search.compared_rows import Mask
from l3embed.search.embedded_inputs import MadeWith, Vectors
from l3embed.search.hit import Hit
from l3embed.search.opened_folder import open_folder
from l3embed.search.query_embedding import ROUNDING_S, QueryEmbedder
from l3embed.search.ranking import best_rows
from l3embed.search.window_times import frames_in, window_of
from l3embed.variants import Modality, check_at_least, parse_choice
from l3embed.weights.source import WeightsSource

MOST_COMPARED_NAMES = 20_000
"""Of more rows, none is sought whose name a query may have meant."""


@dataclass(frozen=True)
class Asked:
    """A query's embedding, and what it is made of, which is no hit of it.

    Parameters
    ----------
    vector : np.ndarray
        Shape ``(D,)``.
    place : int or None
        The input of the folder that it is of; None if it is none of these.
    frames : np.ndarray or None
        Which of its frames; None: all.
    """

    vector: Vectors
    place: int | None = None
    frames: npt.NDArray[np.intp] | None = None


class Index:
    """The files of a folder, or their moments, to be searched for those that are like a query.

    How alike two are is the cosine between their embeddings, after the mean of all that are searched has been
    taken off both: for whole files what the report shows as nearest neighbours. All are compared, none is
    left out by an approximation. Moments are kept as half floats in an index beside the folder (or in the
    cache, where that cannot be written to), of which only what has changed is read again; it is mapped, not
    held. So are the means of ``.npz`` files, which an export has itself.

    Parameters
    ----------
    folder : str
        An export of the pipeline, as ``data/export``, or a folder of ``.npz`` files that ``l3embed audio`` or
        ``image`` has written.
    modality : "audio" or "image"
        Whether sounds (also of videos) are searched, or pictures and the frames of videos.
    rows : "files" or "frames"
        Whether whole files are compared, by the mean of their embeddings, or their moments: each window of
        sound, picture or frame.
    weights : str or None
        Where the weights are that files asked for are embedded with: ``published``, ``random:SEED`` or a
        folder. None: as the folder's embeddings say. They must be those that it was embedded with.
    placement : Placement
        Where the network runs, and how many threads are used.
    verbose : bool
        Whether to draw a progress bar while the index is built.

    Attributes
    ----------
    failures : dict of str to str
        Why inputs of the folder cannot be searched; all others are.

    Raises
    ------
    OpenL3Error
        If there is no such folder, nothing of the modality in it, or what is there was embedded in several
        ways.

    Examples
    --------
    >>> from l3embed.search import Index
    >>> index = Index("data/export")
    >>> hits = index.search("bells/bells_01.wav", top=3)
    >>> [hit.rank for hit in hits], hits[0].similarity >= hits[1].similarity
    ([1, 2, 3], True)
    >>> moments = Index("data/export", rows="frames")
    >>> hits = moments.search("bells/bells_01.wav@0-1", label=["rain"], one_per_file=True)
    >>> {hit.label for hit in hits}, hits[0].begin_s is not None
    ({'rain'}, True)
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        modality: Literal["audio", "image"] = "audio",
        rows: Literal["files", "frames"] = "files",
        *,
        weights: str | WeightsSource | None = None,
        placement: Placement | None = None,
        verbose: bool = False,
    ) -> None:
        self.folder = Path(folder)
        self.modality = parse_choice(Modality, "modality", modality)
        self.rows = parse_choice(Rows, "rows", rows)
        self._weights, self._placement = weights, placement or Placement()
        threads = self._placement.threads
        self._opened = open_folder(self.folder, self.modality, self.rows, threads, verbose=verbose)
        self.failures = self._opened.failures
        self._places = {each.path: place for place, each in enumerate(self._opened.source.inputs)}

    @property
    def made_with(self) -> MadeWith:
        """What the folder's embeddings were computed with."""
        return self._opened.made_with

    @property
    def places(self) -> dict[str, int]:
        """The place of each input in the folder's list, by its path."""
        return self._places

    @cached_property
    def labels(self) -> frozenset[str]:
        """All labels of its rows."""
        return frozenset(self._row_labels[0]) - {""}

    @cached_property
    def _row_labels(self) -> tuple[list[str], npt.NDArray[np.intp]]:
        """The different labels, and the place of each row's among them, ``(N,)``: its own, or its file's."""
        rows, inputs = self._opened.rows, self._opened.source.inputs
        own = None if rows.times_s is None else self._opened.source.moment_labels()
        names: dict[str, int] = {"": 0}
        if own is None:
            of_inputs = [names.setdefault(each.label, len(names)) for each in inputs]
            return list(names), np.array(of_inputs, np.intp)[rows.owners]
        places = np.zeros(len(rows.owners), np.intp)
        for path, labels in own.items():
            place = self._places.get(path)
            count = 0 if place is None else int(rows.counts[place])
            for frame, label in labels.items():
                if frame < count:
                    places[rows.starts[place] + frame] = names.setdefault(label, len(names))
        return list(names), places

    @cached_property
    def _framing(self) -> Framing:
        return self._opened.framing()

    def search(
        self,
        query: str | os.PathLike[str] | npt.NDArray[np.floating],
        top: int = 10,
        label: Iterable[str] = (),
        without: Iterable[str] = (),
        *,
        one_per_file: bool = False,
    ) -> list[Hit]:
        """Return what is most like a query, the best first.

        Parameters
        ----------
        query : str or np.ndarray
            A row of the folder, as hits name it, which needs no computing; or a file, which is embedded as
            the folder's were (write ``./`` in front of one that has a row's name). ``PATH@BEGIN-END`` is a
            part of either, in seconds. Or an embedding, shape ``(D,)``, or several, ``(T, D)``, whose mean
            counts. What a query is made of is no hit of it.
        top : int
            How many hits at most.
        label : iterable of str
            Only rows with one of these labels are hits, if there are any.
        without : iterable of str
            Labels whose rows are no hits; or queries: what is more like one of these than like the query is
            no hit.
        one_per_file : bool
            Whether only the best moment of each file is a hit.

        Raises
        ------
        OpenL3Error
            If a query is neither row nor file, can't be read, is of the other modality or has no such part;
            if there is no such label; or if the network that the folder was computed with can't be had.
        """
        check_at_least("top", top, 1)
        rejected = list(dict.fromkeys(without))
        asked = self.asked(query)
        self.check_labels(label)
        allowed = self._allowed(set(label), {text for text in rejected if text in self.labels})
        allowed[self._own_rows(asked)] = False
        others = [self.asked(text).vector for text in rejected if text not in self.labels]
        cosines = self._opened.rows.cosines(np.stack([asked.vector, *others]))
        if others:
            allowed &= cosines[0] >= cosines[1:].max(axis=0)
        found = best_rows(self._opened.rows, cosines[0], allowed, top, one_per_file=one_per_file)
        hits = []
        for rank, (row, cosine) in enumerate(found, start=1):
            times_s = self._opened.rows.times_s
            time_s = None if times_s is None else float(times_s[row])
            names, places = self._row_labels
            hit = self.hit(rank, int(self._opened.rows.owners[row]), cosine, time_s)
            hits.append(replace(hit, label=names[places[row]]))
        return hits

    def check_labels(self, label: Iterable[str]) -> None:
        """Check that there are labels that are asked for.

        Raises
        ------
        OpenL3Error
            Naming those that there are.
        """
        if unknown := sorted(set(label) - self.labels):
            known = ", ".join(sorted(self.labels)) or "none"
            raise OpenL3Error(f"No file in {self.folder} has the label {unknown[0]!r}; its labels: {known}.")

    def _allowed(self, wanted: set[str], rejected: set[str]) -> Mask:
        """Return which rows may be hits by their labels, ``(N,)``."""
        names, places = self._row_labels
        by_name = np.array([(not wanted or name in wanted) and name not in rejected for name in names])
        allowed: Mask = by_name[places]
        allowed[self._opened.rows.owners < 0] = False
        return allowed

    def _own_rows(self, asked: Asked) -> npt.NDArray[np.intp]:
        """Return the rows that a query is made of."""
        rows = self._opened.rows
        if asked.place is None:
            return np.empty(0, np.intp)
        first, count = int(rows.starts[asked.place]), int(rows.counts[asked.place])
        if asked.frames is None or rows.times_s is None:
            return np.arange(first, first + count)
        return first + asked.frames

    def asked(self, query: str | os.PathLike[str] | npt.NDArray[np.floating]) -> Asked:
        """Return the embedding of a query, with the errors of `search`."""
        if isinstance(query, np.ndarray):
            return Asked(self._checked(query))
        text = os.fspath(query)
        asked = parse_query(text, lambda path: path in self._places or os.path.isfile(path))  # noqa: PTH113
        if asked.path in self._places:
            return self._row(self._places[asked.path], asked.part)
        if not os.path.isfile(asked.path):  # noqa: PTH113 (pathlib's raises over odd names)
            raise OpenL3Error(self._unknown(asked))
        rows = self._embedder.embed(asked.path, asked.part)
        return Asked(rows.mean(axis=0, dtype=np.float64).astype(np.float32))

    @cached_property
    def _embedder(self) -> QueryEmbedder:
        framing = self._framing if self.modality is Modality.AUDIO else Framing()
        return QueryEmbedder(self.made_with, self.modality, framing, self._weights, self._placement)

    def _checked(self, array: npt.NDArray[np.floating]) -> Vectors:
        """Return an embedding, or the mean of several, of the folder's dimension."""
        dimension = self._opened.means.shape[1]
        if array.ndim not in (1, 2) or not array.size or array.shape[-1] != dimension:
            raise OpenL3Error(
                f"An embedding must have the shape ({dimension},) or (T, {dimension}); got {array.shape}."
            )
        if not np.isfinite(array).all():
            raise OpenL3Error("The embedding asked for holds numbers that are not finite.")
        return np.asarray(np.atleast_2d(array).mean(axis=0, dtype=np.float64), np.float32)

    def _row(self, place: int, part: Part | None) -> Asked:
        """Return the embedding of an input of the folder, or of a part of it."""
        rows, each = self._opened.rows, self._opened.source.inputs[place]
        if not rows.counts[place]:
            reason = self.failures.get(each.path, f"It has no {self.modality.value} embeddings.")
            raise OpenL3Error(reason)
        if part is None:
            return Asked(self._opened.means[place], place)
        if each.duration_s is not None and part.end_s > each.duration_s + ROUNDING_S:
            raise OpenL3Error(f"It is {each.duration_s:.3f} s long, and the part asked for is {part}.")
        embeddings, times_s = self._frames_of(place)
        found = frames_in(part, times_s, self.modality, self._framing)
        if not len(found) or np.isnan(times_s).any():
            last = "it has no times" if np.isnan(times_s).any() else f"its last is at {times_s[-1]:g} s"
            raise OpenL3Error(f"No moment of {each.path} lies in the part asked for, {part}: {last}.")
        return Asked(embeddings[found].mean(axis=0, dtype=np.float64).astype(np.float32), place, found)

    def _frames_of(self, place: int) -> tuple[Vectors, npt.NDArray[np.float64]]:
        """Read all frames of one input, and their times."""
        blocks = list(self._opened.source.frames([place]))
        for block in blocks:
            if block.fault:
                raise block.fault
        embeddings = np.concatenate([block.embeddings for block in blocks])
        return embeddings, np.concatenate([block.times_s for block in blocks])

    def hit(self, rank: int, place: int, cosine: float, time_s: float | None) -> Hit:
        """Return an input of the folder, or its moment of a time (NaN: of a picture), as a hit."""
        each = self._opened.source.inputs[place]
        facts: dict[str, Any] = {"label": each.label, "sample_rate_hz": each.sample_rate_hz}
        if time_s is None:
            if each.duration_s is not None:
                facts |= {"begin_s": 0.0, "end_s": each.duration_s}
        elif not np.isnan(time_s):
            begin_s, end_s = window_of(time_s, each, self.modality, self._framing)
            facts |= {"begin_s": begin_s, "end_s": end_s, "time_s": time_s}
        return Hit(rank, min(1.0, max(-1.0, cosine)), each.path, **facts)

    def _unknown(self, asked: Query) -> str:
        """Return what is said of a query that is neither a row nor a file, with what it may have meant."""
        words = f"There is no such file, and {self.folder} has no row of that name."
        paths = list(self._places)
        if len(paths) <= MOST_COMPARED_NAMES:
            near = [path for path in paths if path.endswith(f"/{asked.path}")]
            near = near or difflib.get_close_matches(asked.path, paths, 1)
            words += f" Did you mean {near[0]}?" if near else ""
        return f"{words} {SYNTAX}" if "@" in asked.path else words

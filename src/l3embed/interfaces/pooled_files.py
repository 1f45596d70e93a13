"""Audio files to one row each: the mean of their embeddings, kept in a folder if one is named."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from l3embed.core.audio_files import process_audio_outputs
from l3embed.core.options import AudioOptions
from l3embed.disk.atomic import replacing
from l3embed.disk.checksums import sha256
from l3embed.disk.folders import explaining_disk_errors
from l3embed.disk.rows import read_npz_rows
from l3embed.errors import FilesError
from l3embed.export.moments import StreamingMoments
from l3embed.version import __version__
from l3embed.weights.locating import locate_in_silence
from l3embed.weights.source import as_weights_source

FILES_AT_ONCE = 64
"""Files whose windows' embeddings lie on the disk until their means are taken."""

POOLING = {"mean": 1, "mean_std": 2}
"""What a row is made of, and how many times an embedding's size it has: the mean over a file's windows, or
that and the standard deviation behind it."""

Pooled = npt.NDArray[np.float32]


class PooledFiles:
    """What makes a row of each audio file.

    Parameters
    ----------
    options : AudioOptions
        How files are embedded: checked.
    pooling : str
        A key of `POOLING`.
    cache_dir : str, path or None
        Folder that keeps the rows; None: nothing is kept.
    """

    def __init__(self, options: AudioOptions, pooling: str, cache_dir: str | os.PathLike[str] | None) -> None:
        self._options = options
        self._pooling = pooling
        self._folder = None if cache_dir is None else Path(cache_dir).expanduser()

    def rows(self, paths: Collection[str]) -> tuple[dict[str, Pooled], dict[str, str]]:
        """Return the row of each file, ``(D,)``, and the reasons of those that failed, by their paths.

        Raises
        ------
        OpenL3Error
            If the network cannot be had, or the folder cannot be used.
        """
        kept = self._kept_files(paths, self._folder) if self._folder else {}
        rows = {path: row for path, file in kept.items() if (row := self._read(file)) is not None}
        todo = (path for path in paths if path not in rows)
        failures: dict[str, str] = {}
        while some := list(islice(todo, FILES_AT_ONCE)):
            for path, row in self._embed(some, failures):
                rows[path] = row
                if path in kept:
                    self._keep(kept[path], row)
        return rows, failures

    def _embed(self, paths: list[str], failures: dict[str, str]) -> Iterator[tuple[str, Pooled]]:
        with TemporaryDirectory(prefix="l3embed-") as folder:
            outputs = {path: str(Path(folder) / f"{number}.npz") for number, path in enumerate(paths)}
            try:
                process_audio_outputs(outputs, self._options)
            except FilesError as error:
                failures |= error.failures
            for path in paths:
                if path not in failures:
                    yield path, self._pool(Path(outputs[path]))

    def _pool(self, file: Path) -> Pooled:
        moments = StreamingMoments()
        for block in read_npz_rows(file, "embedding"):
            moments.add(block)
        return np.concatenate([moments.mean, moments.std][: POOLING[self._pooling]]).astype(np.float32)

    def _kept_files(self, paths: Collection[str], folder: Path) -> dict[str, Path]:
        """Return where the row of each file is kept; of what cannot be read embedding will say why."""
        variant, framing = self._options.parse().variant, self._options.parse_framing()
        weights = locate_in_silence(variant.weight_set, as_weights_source(self._options.run.weights))
        recipe = [variant.name, weights.identity, framing.parameters, self._pooling, __version__]
        files = {}
        for path in paths:
            try:
                name = hashlib.sha256(json.dumps([sha256(Path(path)), *recipe]).encode()).hexdigest()
            except OSError:
                continue
            files[path] = folder / f"{name}.npy"
        return files

    def _read(self, file: Path) -> Pooled | None:
        """Return a row that is kept; None, if there is none, or it is damaged."""
        try:
            row: Pooled = np.load(file)
        except (OSError, ValueError, EOFError):
            return None
        size = self._options.embedding_size * POOLING[self._pooling]
        return row if row.shape == (size,) and row.dtype == np.float32 else None

    def _keep(self, file: Path, row: Pooled) -> None:
        with explaining_disk_errors(file.parent, "rows of embeddings", "name another cache_dir"):
            file.parent.mkdir(parents=True, exist_ok=True)
            with replacing(file) as temporary, temporary.open("wb") as stream:
                np.save(stream, row)

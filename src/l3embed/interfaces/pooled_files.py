"""Audio files to the moments of their embeddings, kept in a folder if one is named."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile

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

MOMENTS = 2
"""The mean over a file's windows, and the standard deviation."""

Moments = npt.NDArray[np.float32]


class PooledFiles:
    """What computes the moments of audio files.

    Parameters
    ----------
    options : AudioOptions
        How files are embedded: checked.
    cache_dir : str, path or None
        Folder that keeps them; None: nothing is kept.
    """

    def __init__(self, options: AudioOptions, cache_dir: str | os.PathLike[str] | None) -> None:
        self._options = options
        self._folder = None if cache_dir is None else Path(cache_dir).expanduser()

    def moments(self, paths: Collection[str]) -> tuple[dict[str, Moments], dict[str, str]]:
        """Return the moments of each file, ``(2, D)``, and the reasons of those that failed, by their paths.

        Raises
        ------
        OpenL3Error
            If the network cannot be had, or the folder cannot be used.
        """
        kept = self._kept_files(paths, self._folder) if self._folder else {}
        found = {path: self._read(file) for path, file in kept.items()}
        done = {path: moments for path, moments in found.items() if moments is not None}
        todo = (path for path in paths if path not in done)
        failures: dict[str, str] = {}
        while some := list(islice(todo, FILES_AT_ONCE)):
            for path, moments in self._embed(some, failures):
                done[path] = moments
                if path in kept:
                    _keep(kept[path], moments)
        return done, failures

    def _embed(self, paths: list[str], failures: dict[str, str]) -> Iterator[tuple[str, Moments]]:
        with TemporaryDirectory(prefix="l3embed-") as folder:
            outputs = {path: str(Path(folder) / f"{number}.npz") for number, path in enumerate(paths)}
            try:
                process_audio_outputs(outputs, self._options)
            except FilesError as error:
                failures |= error.failures
            for path in paths:
                if path not in failures:
                    yield path, _pool(Path(outputs[path]))

    def _kept_files(self, paths: Collection[str], folder: Path) -> dict[str, Path]:
        """Return where the moments of each file are kept; of what cannot be read embedding will say why."""
        variant, framing = self._options.parse().variant, self._options.parse_framing()
        weights = locate_in_silence(variant.weight_set, as_weights_source(self._options.run.weights))
        recipe = [variant.name, weights.identity, framing.parameters, __version__]
        files = {}
        for path in paths:
            try:
                name = hashlib.sha256(json.dumps([sha256(Path(path)), *recipe]).encode()).hexdigest()
            except OSError:
                continue
            files[path] = folder / f"{name}.npz"
        return files

    def _read(self, file: Path) -> Moments | None:
        """Return moments that are kept; None, if there are none, or they are damaged."""
        try:
            with np.load(file) as arrays:  # whose checksums tell
                moments: Moments = arrays["moments"]
        except (OSError, ValueError, EOFError, KeyError, BadZipFile):
            return None
        return moments if moments.shape == (MOMENTS, self._options.embedding_size) else None


def _pool(file: Path) -> Moments:
    moments = StreamingMoments()
    for block in read_npz_rows(file, "embedding"):
        moments.add(block)
    return np.stack([moments.mean, moments.std]).astype(np.float32)


def _keep(file: Path, moments: Moments) -> None:
    with explaining_disk_errors(file.parent, "embeddings", "name another cache_dir"):
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as temporary, temporary.open("wb") as stream:
            np.savez(stream, moments=moments)

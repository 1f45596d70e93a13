"""An input's embeddings to their mean and standard deviation over its frames."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l3embed.disk.atomic import replacing
from l3embed.disk.rows import read_npz_rows
from l3embed.export.moments import StreamingMoments
from l3embed.store.code import code_checksum, package_versions
from l3embed.store.entries import Entry, Store
from l3embed.store.recipe import Recipe, Step
from l3embed.store.reuse import Computed, Key

MOMENTS_FILE = "moments.npy"
"""File of a stored result: mean and standard deviation, ``(2, D)`` in float32."""

BLOCK_ROWS = 256


def pool_recipe(embeddings: Path, store: Store) -> Recipe:
    """Return the recipe of the moments of one ``.npz``."""
    code, packages = code_checksum(Step.POOL), package_versions(Step.POOL)
    return Recipe(Step.POOL, store.digests.sha256(embeddings), {}, code, packages)


def pool_each(
    keys: Iterator[Key], files: Mapping[Key, Path], recipes: Mapping[Key, Recipe], store: Store
) -> Iterator[Computed[Key]]:
    """Compute the moments of inputs, and put them into the store."""
    for key in keys:
        started_s = time.perf_counter()
        moments = StreamingMoments()
        for rows in read_npz_rows(files[key], "embedding", BLOCK_ROWS):
            moments.add(rows)
        with replacing(store.path(recipes[key], MOMENTS_FILE)) as temporary, temporary.open("wb") as stream:
            np.save(stream, np.stack([moments.mean, moments.std]).astype(np.float32))
        seconds = round(time.perf_counter() - started_s, 4)
        yield key, store.put(recipes[key], [MOMENTS_FILE], {"seconds": seconds})


def read_mean(entry: Entry) -> npt.NDArray[np.float32]:
    """Return the mean of a stored result, ``(D,)``."""
    mean: npt.NDArray[np.float32] = np.load(entry.files[MOMENTS_FILE])[0]
    return mean

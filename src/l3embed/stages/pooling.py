"""An input's embeddings to their mean and standard deviation over its frames."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from l3embed.disk.atomic import replacing
from l3embed.disk.rows import read_npz_rows
from l3embed.export.moments import StreamingMoments
from l3embed.store.code import recipe_of
from l3embed.store.entries import Store
from l3embed.store.recipe import Recipe, Step
from l3embed.store.reuse import Computed

MOMENTS_FILE = "moments.npy"
"""File of a stored result: mean and standard deviation, ``(2, D)`` in float64.

In float64, since an export may round them to float16: rounded to float32 before, some would end differently.
"""


def pool_recipe(embeddings: Path, store: Store) -> Recipe:
    """Return the recipe of the moments of one ``.npz``."""
    return recipe_of(Step.POOL, store.digests.sha256(embeddings), {})


def pool_each(
    files: Iterator[Path], recipes: Mapping[Path, Recipe], store: Store
) -> Iterator[Computed[Path]]:
    """Compute the moments of each ``.npz``, and put them into the store."""
    for file in files:
        started_s = time.perf_counter()
        moments = StreamingMoments()
        for rows in read_npz_rows(file, "embedding"):
            moments.add(rows)
        path = store.path(recipes[file], MOMENTS_FILE)
        with store.explaining_disk_errors(), replacing(path) as temporary, temporary.open("wb") as stream:
            np.save(stream, np.stack([moments.mean, moments.std]))
        seconds = round(time.perf_counter() - started_s, 4)
        yield file, store.put(recipes[file], [MOMENTS_FILE], {"seconds": seconds})

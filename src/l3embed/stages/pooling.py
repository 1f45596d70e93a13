"""An input's embeddings to their mean and standard deviation over its frames."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from l3embed.disk.atomic import replacing
from l3embed.disk.rows import read_npz_rows
from l3embed.disk.seals import reading
from l3embed.errors import OpenL3Error
from l3embed.export.moments import StreamingMoments
from l3embed.stages.output_folder import EMBEDDINGS_FILE
from l3embed.stages.results import Result
from l3embed.store.code import recipe_of
from l3embed.store.entries import Store
from l3embed.store.recipe import Parameter, Recipe, Step
from l3embed.store.reuse import Computed

MOMENTS_FILE = "moments.npy"
"""File of a stored result: mean and standard deviation, ``(2, D)`` in float64.

In float64, since an export may round them to float16: rounded to float32 before, some would end differently.
"""


def pool_recipe(embeddings: Path, result: Result, store: Store) -> Recipe:
    """Return the recipe of the moments of one ``.npz``, which is put into its place again if it was altered.

    Raises
    ------
    OpenL3Error
        If it is not there, or not as the stage ``embed`` has written it.
    """
    with reading(embeddings, "embed"):
        store.restore(Step.EMBED, result.embedded, EMBEDDINGS_FILE, embeddings)
        parameters = {"frames": result.frames, "dimension": result.dimension}
        return recipe_of(Step.POOL, store.digests.sha256(embeddings), parameters)


def pool_each(
    files: Iterator[Path], recipes: Mapping[Path, Recipe], store: Store
) -> Iterator[Computed[Path]]:
    """Compute the moments of each ``.npz``, and put them into the store; one that is damaged fails."""
    for file in files:
        started_s = time.perf_counter()
        try:
            with reading(file, "embed"):
                moments = _moments(file, recipes[file].parameters)
        except OpenL3Error as error:
            yield file, error
            continue
        path = store.path(recipes[file], MOMENTS_FILE)
        with store.explaining_disk_errors(), replacing(path) as temporary, temporary.open("wb") as stream:
            np.save(stream, np.stack([moments.mean, moments.std]))
        seconds = round(time.perf_counter() - started_s, 4)
        yield file, store.put(recipes[file], [MOMENTS_FILE], {"seconds": seconds})


def _moments(file: Path, wanted: Mapping[str, Parameter]) -> StreamingMoments:
    """Read a whole file, whose archive tells by checksums whether it is as it was written."""
    moments = StreamingMoments()
    for rows in read_npz_rows(file, "embedding"):
        if rows.dtype != np.float32 or rows.shape[1:] != (wanted["dimension"],):
            raise OpenL3Error(
                f"It must hold rows of {wanted['dimension']} numbers in float32; "
                f"got {rows.shape[1:]} in {rows.dtype}."
            )
        moments.add(rows)
    with np.load(file) as arrays:
        others = {name: arrays[name].shape for name in arrays.files if name != "embedding"}
    if {moments.count, *others.get("timestamps", ())} != {wanted["frames"]}:
        raise OpenL3Error(f"It must hold {wanted['frames']} embeddings, and as many timestamps if any.")
    return moments

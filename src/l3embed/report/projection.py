"""The maps' points: mean embeddings in two dimensions."""

from __future__ import annotations

import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error
from l3embed.report.choices import Projection
from l3embed.report.formatting import format_share
from l3embed.report.neighbours import Neighbours

EXACT_SIDE = 512
"""Up to so many files or dimensions PCA is computed in full; beyond, from random projections."""

UMAP_NEIGHBOURS = 15
"""Neighbours that UMAP looks at, the file itself among them: its authors' default."""

UMAP_SCALE = 10.0
"""Largest coordinate that UMAP starts from: its authors' figure."""

COMPILED = (
    ("umap.umap_", "smooth_knn_dist"),
    ("umap.umap_", "compute_membership_strengths"),
    ("umap.layouts", "_nb_optimize_layout_euclidean_single_epoch"),
)
"""Functions of umap that numba compiles, which takes several times as long as they then run."""

Points = npt.NDArray[np.float32]


@dataclass(frozen=True)
class View:
    """One way into two dimensions.

    Parameters
    ----------
    name : str
        As the page names it.
    points : np.ndarray
        Shape ``(files, 2)``.
    axes : tuple of str
        What stands at the horizontal and the vertical axis; empty where axes mean nothing.
    """

    name: str
    points: Points
    axes: tuple[str, str]


def umap_is_wanted(projection: Projection) -> bool:
    """Tell whether to project by UMAP.

    Raises
    ------
    OpenL3Error
        If it is asked for and not installed.
    """
    installed = find_spec("umap") is not None
    if projection is Projection.UMAP and not installed:
        raise OpenL3Error(
            "The projection 'umap' needs umap-learn, which is not installed. Install it with "
            "pip install 'l3embed[umap]', or choose the projection 'pca'."
        )
    return installed and projection is not Projection.PCA


def pca_view(vectors: Points, seed: int) -> View:
    """Project vectors, ``(files, D)``, onto the two directions in which they vary most.

    Signs are fixed, by scikit-learn: in each direction, the dimension with the largest weight is positive.
    """
    from sklearn.decomposition import PCA

    points = np.zeros((len(vectors), 2), np.float32)
    shares = np.zeros(2)
    components = min(2, *vectors.shape)
    if len(vectors) > 1 and components:
        solver = "full" if min(vectors.shape) <= EXACT_SIDE else "randomized"
        pca = PCA(components, svd_solver=solver, random_state=seed)
        with np.errstate(invalid="ignore", divide="ignore"):  # the variance may be nothing at all
            points[:, :components] = pca.fit_transform(vectors)
        shares[:components] = np.nan_to_num(pca.explained_variance_ratio_)
    first, second = (
        f"PC {number} ({format_share(share)} of the variance)" for number, share in enumerate(shares, 1)
    )
    return View("PCA", points, (first, second))


def umap_view(neighbours: Neighbours, start: Points, seed: int) -> View | None:
    """Lay files out so that neighbours stay together; None for too few files.

    UMAP gets the neighbours as they were found, exactly, and starts from PCA, which keeps the coarse order
    of the whole (Kobak and Linderman, Nature Biotechnology 39, 2021) and makes it repeatable.

    Parameters
    ----------
    neighbours : Neighbours
        At least ``UMAP_NEIGHBOURS - 1`` of each file.
    start : np.ndarray
        Coordinates to start from, shape ``(files, 2)``.
    seed : int
        Of UMAP's steps.
    """
    others = neighbours.first(UMAP_NEIGHBOURS - 1)
    if others.index.shape[1] < UMAP_NEIGHBOURS - 1:
        return None
    files = len(start)
    index = np.column_stack([np.arange(files, dtype=np.int32), others.index])
    distances = np.column_stack([np.zeros(files, np.float32), 1 - others.similarity])
    reach = np.abs(start).max() or 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that new files cannot be placed later, and the like
        umap = _import_umap()
        _keep_what_is_compiled()
        mapper: Any = umap.UMAP(
            n_neighbors=UMAP_NEIGHBOURS,
            metric="cosine",
            init=start / reach * UMAP_SCALE,
            precomputed_knn=(index, distances),
            force_approximation_algorithm=True,  # or it would compare small datasets anew
            random_state=seed,
            n_jobs=1,
        )
        # It takes the neighbours from above: of the vectors themselves it only looks at the number.
        return View("UMAP", np.asarray(mapper.fit_transform(start), np.float32), ("", ""))


def _import_umap() -> ModuleType:
    """Import umap without TensorFlow, which takes far longer and is for a part of it that is not used."""
    if "tensorflow" not in sys.modules:
        sys.modules["tensorflow"] = None  # type: ignore[assignment]  # a module that is not there
        try:
            with suppress(ImportError):  # another version may need it
                return import_module("umap")
        finally:
            del sys.modules["tensorflow"]
    return import_module("umap")


def _keep_what_is_compiled() -> None:
    """Have numba keep on disk what it compiles of umap, which umap itself does not ask it to do.

    It is kept next to umap or, where nobody may write there, in the user's cache. Other versions of umap
    may have no such function: they only take longer then.
    """
    for module, name in COMPILED:
        with suppress(AttributeError, RuntimeError):  # RuntimeError: there is no place where numba may write
            getattr(import_module(module), name).enable_caching()

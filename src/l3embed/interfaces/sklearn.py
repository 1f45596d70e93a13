"""scikit-learn: a transformer from paths of sounds to one embedding each."""

from __future__ import annotations

import os
from typing import Any

from l3embed.interfaces.requirements import needed_by

with needed_by("l3embed.interfaces.sklearn", "sklearn", "sklearn"):
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

import numpy as np
import numpy.typing as npt

from l3embed.core.options import AudioOptions, RunOptions
from l3embed.errors import FilesError, OpenL3Error, warn
from l3embed.interfaces.network_choice import Weights, parse_weights
from l3embed.interfaces.pooled_files import MOMENTS, PooledFiles
from l3embed.variants import check_one_of

POOLING = {"mean": 1, "mean_std": 2}
"""What becomes of a file's windows, and how many times an embedding's size it has: their mean, or that and
their standard deviation behind it."""

ON_ERROR = ("raise", "nan")
"""What becomes of files that cannot be embedded: an error that names all, or rows of NaN and a warning."""


class OpenL3Transformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Paths of sounds to the mean of each one's embeddings; there is nothing to fit.

    Parameters
    ----------
    input_repr, content_type, embedding_size, center, hop_size, batch_size, frontend
        As in `l3embed.get_audio_embedding`.
    weights : str, path or None
        ``published``, ``random``, a folder or a weight file; None: as ``L3EMBED_WEIGHTS`` says.
    device, runtime, precision, threads
        As in `l3embed.get_audio_embedding`.
    pooling : "mean" or "mean_std"
        The mean over a file's windows, or that and their standard deviation: twice as many features.
    on_error : "raise" or "nan"
        What becomes of files that cannot be embedded, when all others are done.
    cache_dir : str, path or None
        Folder that keeps each file's result, under the checksum of its bytes, the parameters and the
        weights. Without one, a search over folds computes each file once a fold.

    Examples
    --------
    With a file that ``l3embed sample sample`` writes:

    >>> from l3embed.interfaces.sklearn import OpenL3Transformer
    >>> transformer = OpenL3Transformer("mel128", embedding_size=512, hop_size=0.5)
    >>> transformer.fit_transform(["sample/bells/bells_01.wav"]).shape
    (1, 512)
    """

    def __init__(
        self,
        input_repr: str | None = None,
        content_type: str = "music",
        embedding_size: int = 6144,
        center: bool = True,
        hop_size: float = 0.1,
        batch_size: int = 32,
        frontend: str = "kapre",
        *,
        weights: Weights = None,
        device: str = "auto",
        runtime: str = "auto",
        precision: str = "float32",
        threads: int = 0,
        pooling: str = "mean",
        on_error: str = "raise",
        cache_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        self.input_repr = input_repr
        self.content_type = content_type
        self.embedding_size = embedding_size
        self.center = center
        self.hop_size = hop_size
        self.batch_size = batch_size
        self.frontend = frontend
        self.weights = weights
        self.device = device
        self.runtime = runtime
        self.precision = precision
        self.threads = threads
        self.pooling = pooling
        self.on_error = on_error
        self.cache_dir = cache_dir

    def fit(self, X: Any, y: Any = None) -> OpenL3Transformer:  # noqa: N803 (scikit-learn's name)
        """Check the parameters and `X`; nothing is learnt from them.

        Raises
        ------
        OpenL3Error
            If a parameter is none of its allowed values, or `X` holds no paths.
        """
        self._parse()
        _parse_paths(X)
        return self

    def transform(self, X: Any) -> npt.NDArray[np.float32]:  # noqa: N803 (scikit-learn's name)
        """Embed files.

        Parameters
        ----------
        X : sequence of paths, or an array or a data frame with one column of them
            Audio files, at any sample rate.

        Returns
        -------
        np.ndarray [shape=(n, D)]
            In float32, a row for each path in their order.

        Raises
        ------
        FilesError
            An `OpenL3Error`, after all else is done, if files failed and `on_error` is "raise".
        OpenL3Error
            If a parameter is none of its allowed values, or `X` holds no paths.

        Warns
        -----
        OpenL3Warning
            If files failed and `on_error` is "nan"; and as `get_audio_embedding` does.
        """
        options, paths = self._parse(), _parse_paths(X)
        moments, failures = PooledFiles(options, self.cache_dir).moments(dict.fromkeys(paths))
        if failures:
            error = FilesError(failures, done=len(moments))
            if self.on_error == "raise":
                raise error
            warn(f"Rows of NaN stand for files that failed. {error}")
        missing = np.full((MOMENTS, options.embedding_size), np.nan, np.float32)
        pooled = np.stack([moments.get(path, missing)[: POOLING[self.pooling]] for path in paths])
        return pooled.reshape(len(paths), -1)

    @property
    def _n_features_out(self) -> int:
        return int(self.embedding_size) * POOLING[self.pooling]

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.string, tags.input_tags.two_d_array = True, False
        return tags

    def _parse(self) -> AudioOptions:
        check_one_of("pooling", self.pooling, tuple(POOLING))
        check_one_of("on_error", self.on_error, ON_ERROR)
        run = RunOptions(parse_weights(self.weights), self.device, self.runtime, self.precision, self.threads)
        options = AudioOptions(
            None,
            self.input_repr,
            self.content_type,
            self.embedding_size,
            self.center,
            self.hop_size,
            self.batch_size,
            self.frontend,
            verbose=False,
            run=run,
        )
        options.parse()
        options.parse_framing()
        return options


def _parse_paths(X: Any) -> list[str]:  # noqa: N803 (scikit-learn's name)
    paths = np.asarray(X, dtype=object)
    if paths.ndim == 2 and paths.shape[1] == 1:  # a data frame with one column
        paths = paths[:, 0]
    if paths.ndim != 1 or not len(paths):
        raise OpenL3Error(f"X must hold paths of sounds in one dimension; got the shape {paths.shape}.")
    for path in paths:
        if not isinstance(path, (str, os.PathLike)):
            raise OpenL3Error(f"X must hold paths of sounds; got {type(path).__name__} in it.")
    return [str(os.fspath(path)) for path in paths]

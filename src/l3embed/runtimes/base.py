"""The contract of a runtime: arrays in, embeddings out, no framework's types."""

from typing import Protocol

import numpy as np
import numpy.typing as npt


class Embedder(Protocol):
    """One network, ready to run."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one item: (1, samples), (frequency, time, 1) or (height, width, 3)."""

    @property
    def embedding_size(self) -> int:
        """Dimension D of one embedding."""

    def embed(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Compute the embeddings of a batch: ``(n, *input_shape)`` to ``(n, D)``."""

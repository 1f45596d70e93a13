"""The contract of a runtime: arrays in, embeddings out, no framework's types; and where it is to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error
from l3embed.variants import Device, Runtime


class Embedder(Protocol):
    """One network, ready to run; several threads may use it."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one item: (1, samples), (frequency, time, 1) or (height, width, 3)."""

    @property
    def embedding_size(self) -> int:
        """Dimension D of one embedding."""

    @property
    def device(self) -> str:
        """What it runs on: ``CPU`` or ``GPU``."""

    @property
    def runtime(self) -> Runtime:
        """What it runs in."""

    def embed(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Compute the embeddings of a batch: ``(n, *input_shape)`` to ``(n, D)``."""


@dataclass(frozen=True)
class Placement:
    """Where a network is to run; none of it changes what it computes.

    Parameters
    ----------
    device : Device
        On which device.
    runtime : Runtime
        In which runtime.
    threads : int
        Threads on the CPU; 0: as many as this process may use.

    Raises
    ------
    OpenL3Error
        If there are to be fewer threads than none.
    """

    device: Device = Device.AUTO
    runtime: Runtime = Runtime.AUTO
    threads: int = 0

    def __post_init__(self) -> None:
        if self.threads < 0:
            raise OpenL3Error(f"threads must be a positive integer, or 0 for all; got {self.threads}.")

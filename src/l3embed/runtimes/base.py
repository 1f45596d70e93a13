"""The contract of a runtime: arrays in, embeddings out, no framework's types; and where it is to run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from l3embed.errors import OpenL3Error
from l3embed.variants import AudioVariant, Device, Frontend, Variant

if TYPE_CHECKING:
    from threading import Event

    import numpy as np
    import numpy.typing as npt

    from l3embed.networks.folding import FoldedLayer

AUTO = "auto"
"""The word for the runtime that is fastest here."""


class FrameworkError(OpenL3Error):
    """What a runtime imports has failed, with words of its own."""


class Embedder(Protocol):
    """One network, ready to run; several threads may use it."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one item: (1, samples), (frequency, time, 1) or (height, width, 3)."""

    @property
    def embedding_size(self) -> int:
        """Dimension D of one embedding."""

    @property
    def device(self) -> Device:
        """What it runs on: the CPU or the GPU."""

    @property
    def runtime(self) -> str:
        """What it runs in: a name in `l3embed.runtimes.choice.RUNTIMES`."""

    @property
    def batches_at_once(self) -> int:
        """Batches to call `embed` with side by side, so that none of its threads waits for a batch's end."""

    def embed(self, batch: npt.NDArray[np.float32], stop: Event | None = None) -> npt.NDArray[np.float32]:
        """Compute the embeddings of a batch: ``(n, *input_shape)`` to ``(n, D)``.

        Once `stop` is set nobody wants them: it returns behind the item under way, or the few that go at
        once, whatever the rest of the array holds then.
        """


class Runtime(Protocol):
    """A module that runs networks; to import it does not import its framework."""

    def fault(self, variant: Variant, device: Device) -> str:
        """Return why a network cannot run here on a device, and what to do; nothing, if it can.

        What is no matter of the machine need not be checked: the table's row says that.
        """

    def build(
        self, variant: Variant, layers: Iterable[FoldedLayer], device: Device, threads: int
    ) -> Embedder:
        """Build a network.

        Parameters
        ----------
        variant : AudioVariant or ImageVariant
            Which network; its precision is what the convolutions compute in.
        layers : iterable of FoldedLayer
            Its layers, with their weights.
        device : Device
            Where it is to run: the CPU or the GPU.
        threads : int
            Threads on the CPU; 0: as many as this process may use.
        """


class GpuRuntime(Runtime, Protocol):
    """A runtime that is not for the CPU alone."""

    def has_gpu(self) -> bool:
        """Tell whether it finds a GPU."""

    def works_on_gpu(self) -> bool:
        """Tell the same, at no cost where there is no GPU, with a warning of one that it does not find."""


class ModelRuntime(Runtime, Protocol):
    """A runtime that runs any Keras model as it is."""

    def model_embedder(self, model: Any, device: Device) -> Embedder:
        """Return the embedder of a model, for as long as the model lives.

        Raises
        ------
        OpenL3Error
            If the device is not there.
        """


@dataclass(frozen=True)
class Placement:
    """Where a network is to run; none of it changes what it computes.

    Parameters
    ----------
    device : Device
        On which device.
    runtime : str
        In which runtime: ``auto``, or a name in `l3embed.runtimes.choice.RUNTIMES`.
    threads : int
        Threads on the CPU; 0: as many as this process may use.

    Raises
    ------
    OpenL3Error
        If there are to be fewer threads than none.
    """

    device: Device = Device.AUTO
    runtime: str = AUTO
    threads: int = 0

    def __post_init__(self) -> None:
        if self.threads < 0:
            raise OpenL3Error(f"threads must be a positive integer, or 0 for all; got {self.threads}.")


def has_graph_frontend(variant: Variant) -> bool:
    """Tell whether a network takes in samples, its first layers being kapre's."""
    return isinstance(variant, AudioVariant) and variant.frontend is Frontend.KAPRE_GRAPH

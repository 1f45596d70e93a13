"""A network that takes no time, for what is measured of everything else.

``python -m benchmarks.standin audio FILE OUTPUT HOP_S`` embeds a recording with it, and
``python -m benchmarks.standin dataset FOLDER WARM_UP_FOLDER`` runs the pipeline's stages on two datasets,
the second of them first, and writes the seconds that the other took.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.project import Project
from l3embed.core import options, process_audio_file
from l3embed.models import running as embedders
from l3embed.models.origin import Origin
from l3embed.runtimes.base import Placement
from l3embed.stages.network import ChosenNetwork
from l3embed.variants import AudioVariant, Device, InputRepr
from l3embed.weights.source import WeightsDirectory, WeightsSource

SIZE: Final = 512


class StandIn:
    """Means of pieces of what comes in, in place of embeddings."""

    device = Device.CPU
    runtime = "openvino"
    batches_at_once = 1
    embedding_size = SIZE

    def __init__(self, variant: AudioVariant) -> None:
        self.input_shape = variant.network_shape

    def embed(self, batch: npt.NDArray[np.float32], stop: Event | None = None) -> npt.NDArray[np.float32]:
        """Compute the means of a batch: ``(n, *input_shape)`` to ``(n, 512)``."""
        flat = batch.reshape(len(batch), -1)
        pieces = flat[:, : flat.shape[1] // SIZE * SIZE].reshape(len(batch), SIZE, -1)
        means: npt.NDArray[np.float32] = pieces.mean(axis=2)
        return means


def install() -> None:
    """Put the stand-in into the places of all networks, for as long as this process lives."""

    def load_network(variant: AudioVariant, source: WeightsSource, placement: Placement) -> embedders.Network:
        return embedders.Network(StandIn(variant), Origin(variant.name, "stand-in"), variant.frontend)

    def load(network: ChosenNetwork, placement: Placement) -> embedders.Network:
        assert isinstance(network.variant, AudioVariant)
        return load_network(network.variant, WeightsDirectory(Path()), placement)

    vars(options)["load_network"] = load_network
    ChosenNetwork.load = load  # type: ignore[assignment, method-assign]


def main(arguments: Sequence[str]) -> None:
    """Do what the arguments say."""
    install()
    kind, *others = arguments
    if kind == "audio":
        file, output, hop_s = others
        process_audio_file(
            file, output, input_repr="mel128", embedding_size=SIZE, hop_size=float(hop_s), verbose=False
        )
        return
    folder, warm_up = map(Path, others)
    variant = AudioVariant(InputRepr.MEL128, embedding_size=SIZE)
    projects = [Project(warm_up, variant), Project(folder, variant)]
    for project in projects:
        project.weights()
    projects[0].run()
    started_s = time.perf_counter()
    projects[1].run()
    sys.stdout.write(f"{time.perf_counter() - started_s}\n")


if __name__ == "__main__":
    main(sys.argv[1:])

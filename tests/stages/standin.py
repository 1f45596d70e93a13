"""Networks that take no time, and the stages run with them: in a test's process, or in one of its own.

``python standin.py FOLDER`` runs all stages on ``FOLDER/dataset``, the store being where ``L3EMBED_STORE``
says. ``L3EMBED_TEST_PAUSE_S`` makes each input take so much longer, in each stage; with
``L3EMBED_TEST_STOP="embed 3"`` a process stops itself (SIGSTOP) behind the third result of that step, with
the fourth in its hands.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.decoding.reading import Reading
from l3embed.disk.seals import SEALS_FILE
from l3embed.inputs.preparation import Samples
from l3embed.inputs.windows import Framing
from l3embed.models import running as embedders
from l3embed.models.origin import Origin
from l3embed.runtimes.base import Placement
from l3embed.stages import embed, export, preprocess
from l3embed.stages.dataset import Selection
from l3embed.stages.network import ChosenNetwork
from l3embed.stages.output_folder import Layout
from l3embed.store.entries import Entry, Store
from l3embed.store.recipe import Recipe
from l3embed.variants import (
    ALL_WEIGHT_SETS,
    SAMPLES_SHAPE,
    AudioVariant,
    Device,
    Frontend,
    ImageVariant,
    InputRepr,
    Modality,
)
from l3embed.weights.directory import write_weights_manifest
from l3embed.weights.file import WeightFile

PAUSE_VARIABLE = "L3EMBED_TEST_PAUSE_S"
STOP_VARIABLE = "L3EMBED_TEST_STOP"
SITE = {
    "PYTHONPATH": os.pathsep.join(
        filter(None, [str(Path(__file__).with_name("site")), os.environ.get("PYTHONPATH")])
    )
}
"""The environment in which every process uses the stand-ins."""
SIZE = 512
SELECTION = Selection()
VARIANTS: dict[Modality, AudioVariant | ImageVariant] = {
    Modality.AUDIO: AudioVariant(InputRepr.MEL128, embedding_size=SIZE),
    Modality.IMAGE: ImageVariant(InputRepr.MEL128, embedding_size=SIZE),
}


def mean_embedding(items: npt.NDArray[Any], size: int = SIZE) -> npt.NDArray[np.float32]:
    """The means of 512 pieces of each item, ``(n, ...)`` to ``(n, 512)``: what `StandIn` is to give."""
    flat = items.reshape(len(items), -1)
    pieces = flat[:, : flat.shape[1] // size * size].reshape(len(items), size, -1)
    means: npt.NDArray[np.float32] = pieces.mean(axis=2, dtype=np.float64).astype(np.float32)
    return means


class StandIn:
    """A network that takes means. Each item's embedding is the same in any batch, to the bit."""

    device = Device.CPU
    runtime = "openvino"
    batches_at_once = 1

    def __init__(self, variant: AudioVariant | ImageVariant) -> None:
        self.embedding_size = variant.embedding_size
        is_kapre = isinstance(variant, AudioVariant) and variant.frontend is Frontend.KAPRE
        self.input_shape: tuple[int, ...] = SAMPLES_SHAPE if is_kapre else variant.network_shape

    def embed(self, batch: npt.NDArray[np.float32], stop: Event | None = None) -> npt.NDArray[np.float32]:
        pause(len(batch))
        return mean_embedding(batch, self.embedding_size)


def load(network: ChosenNetwork, placement: Placement) -> embedders.Network:
    """Stands in for `Network.load`."""
    origin = Origin(network.variant.name, network.weights.identity)
    return embedders.Network(StandIn(network.variant), origin)


def pause(inputs: int = 1) -> None:
    time.sleep(inputs * float(os.environ.get(PAUSE_VARIABLE, "0")))


def write_weights(folder: Path, seed: int = 1, content: str = "") -> None:
    """Write weight files that hold no weights, but are known by a seed; they may have other contents."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for weight_set in ALL_WEIGHT_SETS:
        path = folder / f"openl3_{weight_set.name}.h5"
        path.write_text(f"{weight_set.name} {seed} {content}")
        files.append(WeightFile(path, f"random:{seed}", trained=True))
    write_weights_manifest(folder, files)


Counts = tuple[int, int, int]
"""What a stage has computed, reused and lost."""


@dataclass(frozen=True)
class Project:
    """A folder with a dataset, weights, and what the stages make of them."""

    folder: Path
    preprocess_options: preprocess.PreprocessOptions = field(
        default_factory=lambda: preprocess.PreprocessOptions(SELECTION, Samples())
    )
    embed_options: embed.EmbedOptions = field(
        default_factory=lambda: embed.EmbedOptions(VARIANTS, Framing(hop_s=0.5), Placement(), batch_size=4)
    )
    export_options: export.ExportOptions = field(default_factory=export.ExportOptions)

    @property
    def dataset(self) -> Path:
        return self.folder / "dataset"

    @property
    def export_folder(self) -> Path:
        return self.folder / "export"

    def with_reading(self, reading: Reading) -> Project:
        """Return the same project, reading its files in another way."""
        return replace(self, preprocess_options=replace(self.preprocess_options, reading=reading))

    def with_sound(self, sound: Any) -> Project:
        return replace(self, preprocess_options=replace(self.preprocess_options, sound=sound))

    def with_embed(self, **changes: Any) -> Project:
        return replace(self, embed_options=replace(self.embed_options, **changes))

    def run_preprocess(self) -> str:
        with Store() as store:
            return preprocess.run(self.dataset, self.preprocess_options, Layout(self.folder), store)

    def run_embed(self) -> str:
        if not (self.folder / "weights").is_dir():
            write_weights(self.folder / "weights")
        with Store() as store:
            return embed.run(self.embed_options, Layout(self.folder), store)

    def run_export(self) -> str:
        with Store() as store:
            return export.run(self.export_options, Layout(self.folder), store)

    def preprocess(self) -> Counts:
        self.run_preprocess()
        return self.counts("preprocess")

    def embed(self) -> Counts:
        self.run_embed()
        return self.counts("embed")

    def export(self) -> Counts:
        self.run_export()
        return self.counts("export")

    def run(self) -> tuple[Counts, Counts, Counts]:
        return self.preprocess(), self.embed(), self.export()

    def metrics_path(self, stage: str) -> Path:
        return self.folder / "metrics" / f"{stage}.json"

    def metrics(self, stage: str) -> Mapping[str, Any]:
        content: Mapping[str, Any] = json.loads(self.metrics_path(stage).read_text(encoding="utf-8"))
        return content

    def counts(self, stage: str) -> Counts:
        metrics = self.metrics(stage)
        return metrics["computed"], metrics["reused"], metrics["failed"]

    def outputs(self) -> dict[str, bytes]:
        """All files that the stages have written, less what tells of time and of this run's luck."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for stage in ("preprocessed", "embeddings", "export")
            for path in sorted((self.folder / stage).rglob("*"))
            if path.is_file() and not path.name.startswith(("manifest.", SEALS_FILE))
        }


def install() -> None:
    """Put the stand-ins into their places, for as long as this process lives."""
    read = preprocess._prepare

    def read_slowly(*arguments: Any) -> Any:
        pause()
        return read(*arguments)

    preprocess._prepare = read_slowly  # type: ignore[assignment]
    ChosenNetwork.load = load  # type: ignore[assignment, method-assign]
    if STOP_VARIABLE in os.environ:
        step, results = os.environ[STOP_VARIABLE].split()
        _stop_behind(step, int(results))


def _stop_behind(step: str, results: int) -> None:
    put = Store.put
    done = count()

    def put_or_stop(store: Store, recipe: Recipe, *result: Any) -> Entry:
        if recipe.step.value == step and next(done) == results:
            os.kill(os.getpid(), signal.SIGSTOP)
        return put(store, recipe, *result)

    Store.put = put_or_stop  # type: ignore[method-assign, assignment]


def main() -> None:
    install()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    Project(Path(sys.argv[1])).run()


if __name__ == "__main__":
    main()

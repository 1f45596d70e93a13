"""The GPU's pipeline of chunks, with slots and a GPU that only pretend."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from l3embed import OpenL3Error
from l3embed.networks.folding import FoldedLayer, fold_layers
from l3embed.networks.layers import network_layers
from l3embed.runtimes import pytorch
from l3embed.variants import AudioVariant, Device, Frontend, InputRepr, Precision
from l3embed.weights.file import read_layers

torch: Any = pytest.importorskip("torch")
cuda_graphs: Any = pytest.importorskip("l3embed.runtimes.cuda_graphs")
embed_in_slots: Any = cuda_graphs.embed_in_slots

Items = npt.NDArray[np.float32]


class StandIn:
    """A slot that adds up each item, and writes down what it is asked for."""

    def __init__(self, name: str, log: list[str]) -> None:
        self._name, self._log = name, log
        self._buffer = np.zeros((4, 1), np.float32)
        self._count = 0

    def start(self, items: Items) -> None:
        self._log.append(f"start {self._name}")
        self._count = len(items)
        self._buffer[: self._count, 0] = items.sum(axis=1)

    def finish(self) -> Items:
        self._log.append(f"finish {self._name}")
        return self._buffer[: self._count]


def embed(count: int, stop: Event | None = None) -> tuple[Items, list[str]]:
    log: list[str] = []
    items = np.arange(3 * count, dtype=np.float32).reshape(count, 3)
    embeddings = np.full((count, 1), np.nan, np.float32)
    embed_in_slots([StandIn("a", log), StandIn("b", log)], items, embeddings, 4, stop)
    return embeddings, log


@pytest.mark.parametrize("count", [0, 1, 4, 5, 8, 11, 23])
def test_each_item_gets_its_own_row(count: int) -> None:
    embeddings, _ = embed(count)

    np.testing.assert_array_equal(embeddings[:, 0], np.arange(3 * count).reshape(count, 3).sum(axis=1))


def test_a_chunk_is_started_before_the_one_before_it_is_waited_for() -> None:
    _, log = embed(16)

    assert log == ["start a", "start b", "finish a", "start a", "finish b", "start b", "finish a", "finish b"]


def test_no_chunk_is_started_once_nobody_wants_it_and_none_is_left_under_way() -> None:
    class SetAtThird(Event):
        looks = 0

        def is_set(self) -> bool:
            self.looks += 1
            return self.looks >= 3

    embeddings, log = embed(100, SetAtThird())

    assert log == ["start a", "start b", "finish a", "finish b"]
    assert np.isnan(embeddings[8:]).all()


class Timeline:
    """A stream or an event of the CPU's, where everything is done at once."""

    def synchronize(self) -> None:
        pass

    def record(self) -> None:
        pass


@pytest.fixture
def pretended_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the CPU stand in for a GPU; what is recorded there is computed anew when it is played back."""

    class Slot(cuda_graphs.GraphSlot):  # type: ignore[misc]
        def __init__(self, network: Any, *options: Any) -> None:
            super().__init__(network, *options)
            self._graph.replay = lambda: self._gpu_embeddings.copy_(network(self._gpu_items))

    def without_pinning(make: Any, *shape: Any, pin_memory: bool = False, **options: Any) -> Any:
        return make(*shape, **options)

    class Graph:
        pass

    for name in ("zeros", "empty"):
        monkeypatch.setattr(torch, name, partial(without_pinning, getattr(torch, name)))
    for name in ("Stream", "Event"):
        monkeypatch.setattr(torch.cuda, name, Timeline)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph, **options: nullcontext())
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    monkeypatch.setattr(torch.Tensor, "cuda", torch.Tensor.clone)
    monkeypatch.setattr(torch.nn.Module, "cuda", lambda module: module)
    monkeypatch.setattr(cuda_graphs, "GraphSlot", Slot)
    monkeypatch.setattr(cuda_graphs, "CHUNK_ITEMS", 2)
    monkeypatch.setattr(pytorch, "has_gpu", lambda: True)


def folded(variant: AudioVariant, folder: Path) -> list[FoldedLayer]:
    weights = read_layers(folder / f"openl3_{variant.weight_set.name}.h5", variant.weight_set)
    return fold_layers(network_layers(variant.weight_set.modality, variant.pool), weights)


@pytest.mark.usefixtures("pretended_gpu")
@pytest.mark.parametrize("frontend", [Frontend.KAPRE, Frontend.KAPRE_GRAPH])
def test_its_embeddings_are_the_cpu_s(frontend: Frontend, slim_weights: Path) -> None:
    variant = AudioVariant(InputRepr.MEL128, embedding_size=512, frontend=frontend)
    layers = folded(variant, slim_weights)
    on_cpu, on_gpu = (pytorch.build(variant, layers, device, 0) for device in (Device.CPU, Device.GPU))
    items = np.random.default_rng(0).uniform(-1, 0, (7, *on_gpu.input_shape)).astype(np.float32)

    embeddings = on_gpu.embed(items)

    assert (on_gpu.device, on_gpu.runtime, on_gpu.embedding_size) == (Device.GPU, "torch", 512)
    expected = on_cpu.embed(items)
    np.testing.assert_allclose(embeddings, expected, atol=1e-6 * np.abs(expected).max())


@pytest.mark.usefixtures("pretended_gpu")
@pytest.mark.parametrize(
    ("precision", "off"),
    [(Precision.BFLOAT16, 0.03), (Precision.FLOAT16, 0.004)],
    ids=["bfloat16", "float16"],
)
def test_a_shorter_precision_is_off_by_as_much_as_its_mantissa_is_shorter(
    precision: Precision, off: float, slim_weights: Path
) -> None:
    """Eight bits and eleven, in convolutions one behind the other; in float32 it would be off by nothing."""
    exact = AudioVariant(InputRepr.MEL128, embedding_size=512)
    layers = folded(exact, slim_weights)
    embedder = pytorch.build(replace(exact, precision=precision), layers, Device.GPU, 0)
    items = np.random.default_rng(0).uniform(-80, 0, (3, *exact.network_shape)).astype(np.float32)

    embeddings = embedder.embed(items)

    expected = pytorch.build(exact, layers, Device.CPU, 0).embed(items)
    assert off / 100 < np.abs(embeddings - expected).max() / np.abs(expected).max() < off


@pytest.mark.usefixtures("pretended_gpu")
def test_a_gpu_that_is_too_small_is_an_error(slim_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(cuda_graphs, "GraphSlot", fail)
    variant = AudioVariant(InputRepr.MEL128, embedding_size=512)

    with pytest.raises(OpenL3Error, match="The GPU has too little free memory"):
        pytorch.build(variant, folded(variant, slim_weights), Device.GPU, 0)


@pytest.mark.parametrize("precision", [Precision.FLOAT32, Precision.TF32])
@pytest.mark.parametrize("chosen", [False, True])
def test_float32_is_rounded_only_if_that_is_the_precision(chosen: bool, precision: Precision) -> None:
    matmul, before = torch.backends.cuda.matmul, torch.backends.cuda.matmul.allow_tf32
    matmul.allow_tf32 = chosen  # by a program, for its own products
    try:
        with cuda_graphs.products_in(precision):
            assert torch.backends.cudnn.allow_tf32 is (precision is Precision.TF32)
            assert matmul.allow_tf32 is False

        assert matmul.allow_tf32 is chosen
    finally:
        matmul.allow_tf32 = before

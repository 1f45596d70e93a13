"""The self-test of runtimes: its stored answers, and what becomes of a runtime that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import CPU_RUNTIME, CPU_RUNTIMES, EACH_RUNTIME, NEEDS_NO_TENSORFLOW, OTHER_RUNTIMES

from l3embed import OpenL3Error, OpenL3Warning
from l3embed.networks.layers import BATCH_NORM_EPSILON, BatchNorm, Conv, Layer, MaxPool, ReLU
from l3embed.runtimes import self_test
from l3embed.runtimes.base import Embedder, FrameworkError, Placement
from l3embed.runtimes.building import build_embedder
from l3embed.runtimes.choice import RUNTIMES
from l3embed.runtimes.processor import processor_name
from l3embed.runtimes.self_test import ANSWERS, self_test_fault, small_items, small_layers, small_weights
from l3embed.variants import AudioVariant, Device, ImageVariant, InputRepr, Modality, Variant

from .test_contract import folded

Array = Any
"""Double precision."""

AUDIO = AudioVariant(InputRepr.MEL128, embedding_size=512)
ON_CPU = Placement(Device.CPU)


@pytest.fixture(autouse=True)
def _has_not_been_tested_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_test, "_faults", {})


def computed_in_double_precision(modality: Modality) -> Array:
    """The small network layer by layer, as it is described: no batch norm is folded."""
    tensor = small_items(modality).astype(np.float64)
    weights = iter(small_weights(modality))
    for layer in small_layers(modality):
        arrays = (
            [array.astype(np.float64) for array in next(weights)]
            if isinstance(layer, BatchNorm | Conv)
            else []
        )
        tensor = apply(layer, arrays, tensor)
    return tensor


def apply(layer: Layer, arrays: list[Array], tensor: Array) -> Array:
    if isinstance(layer, BatchNorm):
        gamma, beta, mean, variance = arrays
        return gamma * (tensor - mean) / np.sqrt(variance + BATCH_NORM_EPSILON) + beta
    if isinstance(layer, Conv):
        kernel, bias = arrays
        padded = np.pad(tensor, ((0, 0), (1, 1), (1, 1), (0, 0)))
        height, width = tensor.shape[1:3]
        shifted = (
            padded[:, row : row + height, column : column + width] @ kernel[row, column]
            for row in range(3)
            for column in range(3)
        )
        return np.sum(list(shifted), axis=0) + bias
    if isinstance(layer, ReLU):
        return np.maximum(tensor, 0)
    if isinstance(layer, MaxPool):
        return pooled(tensor, layer.size, layer.padding)
    return tensor.reshape(len(tensor), -1)


def pooled(tensor: Array, size: tuple[int, int], padding: str) -> Array:
    """`same` pads before and after, behind the more if it is odd, with what is never the largest."""
    borders = []
    for side, step in zip(tensor.shape[1:3], size, strict=True):
        missing = -side % step if padding == "same" else 0
        borders.append((missing // 2, missing - missing // 2))
    tensor = np.pad(tensor, ((0, 0), *borders, (0, 0)), constant_values=-np.inf)
    rows, columns = (side // step for side, step in zip(tensor.shape[1:3], size, strict=True))
    tensor = tensor[:, : rows * size[0], : columns * size[1]]
    blocks = tensor.reshape(len(tensor), rows, size[0], columns, size[1], -1)
    return blocks.max(axis=(2, 4))


@pytest.mark.parametrize("modality", Modality)
def test_the_stored_answers_are_the_small_networks(modality: Modality) -> None:
    expected = computed_in_double_precision(modality)

    with np.load(ANSWERS) as answers:
        stored = answers[modality.value]

    assert stored.shape == (3, 512)
    assert np.abs(stored - expected).max() <= 1e-7 * np.abs(expected).max()


@pytest.mark.parametrize("modality", Modality)
def test_the_small_networks_numbers_are_of_one_size_all_the_way(modality: Modality) -> None:
    """Not so, a fault of an early layer could be lost in the last one's bias."""
    with np.load(ANSWERS) as answers:
        stored = answers[modality.value]

    assert 0.5 < np.abs(stored).mean() < 20
    assert np.ptp(stored, axis=0).mean() > 0.1  # the items differ


@EACH_RUNTIME
@pytest.mark.parametrize("variant", [AUDIO, ImageVariant(embedding_size=512)], ids=["audio", "image"])
def test_each_runtime_passes(runtime: str, variant: Variant) -> None:
    assert self_test_fault(runtime, variant, Device.CPU, threads=0) == ""


def spoil(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any], runtime: str = CPU_RUNTIME
) -> list[int]:
    """Have a runtime's embeddings changed; return a list that grows with each network it builds."""
    module: Any = RUNTIMES[runtime].load()
    build, built = module.build, []

    def build_spoiled(variant: Variant, *arguments: Any) -> Any:
        embedder = build(variant, *arguments)
        embed = embedder.embed
        built.append(1)
        embedder.embed = lambda *batch: change(embed(*batch))
        return embedder

    monkeypatch.setattr(module, "build", build_spoiled)
    return built


def off_by_little(embeddings: Any) -> Any:
    return embeddings + 1e-4 * np.abs(embeddings).max()


def not_a_number(embeddings: Any) -> Any:
    return embeddings * np.nan


def too_few(embeddings: Any) -> Any:
    return embeddings[:, :511]


def raise_its_own(embeddings: Any) -> Any:
    raise RuntimeError("no kernel for this")


def raise_failure(embeddings: Any) -> Any:
    raise FrameworkError("it has failed (status -100).")


EACH_FAULT = pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            off_by_little,
            r"computes wrong numbers: .* off by 1\.0e-04 of the largest magnitude, where 1e-05 is",
        ),
        (not_a_number, "computes wrong numbers: .* off by nan of"),
        (too_few, "does not work: ValueError"),
        (raise_its_own, "does not work: RuntimeError: no kernel for this"),
        (raise_failure, r"does not work: it has failed \(status -100\)"),
    ],
)


def build(placement: Placement, slim_weights: Path) -> Embedder:
    return build_embedder(AUDIO, folded(AUDIO, slim_weights), placement)


@EACH_FAULT
def test_a_runtime_that_was_asked_for_and_fails_is_an_error_that_names_others(
    change: Callable[[Any], Any], message: str, monkeypatch: pytest.MonkeyPatch, slim_weights: Path
) -> None:
    spoil(monkeypatch, change)

    with pytest.raises(OpenL3Error, match=message) as raised:
        build(Placement(Device.CPU, CPU_RUNTIME), slim_weights)

    text = str(raised.value)
    assert text.startswith(f"runtime {CPU_RUNTIME} (")
    assert processor_name() in text
    assert f"{OTHER_RUNTIMES[0]} or" in text
    assert "or auto, or install another version of" in text


@NEEDS_NO_TENSORFLOW
@EACH_FAULT
def test_auto_takes_the_next_and_warns(
    change: Callable[[Any], Any], message: str, monkeypatch: pytest.MonkeyPatch, slim_weights: Path
) -> None:
    spoil(monkeypatch, change)

    with pytest.warns(OpenL3Warning, match=message) as warned:
        embedder = build(ON_CPU, slim_weights)

    assert embedder.runtime == CPU_RUNTIMES[1]
    assert len(warned) == 1
    assert str(warned[0].message).endswith("Another runtime is used instead.")


@pytest.mark.slow
def test_where_all_fail_that_is_the_error(monkeypatch: pytest.MonkeyPatch, slim_weights: Path) -> None:
    for runtime in CPU_RUNTIMES:
        spoil(monkeypatch, not_a_number, runtime)

    with pytest.warns(OpenL3Warning, match="wrong numbers"), pytest.raises(OpenL3Error, match="none is left"):
        build(ON_CPU, slim_weights)


def test_it_is_made_once_a_process(monkeypatch: pytest.MonkeyPatch, slim_weights: Path) -> None:
    built = spoil(monkeypatch, lambda embeddings: embeddings)

    for _ in range(3):
        build(Placement(Device.CPU, CPU_RUNTIME), slim_weights)

    assert len(built) == 4


def test_what_a_process_may_not_use_is_not_called_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """As TensorFlow in a forked process: that is told as it is, and asked anew the next time."""

    def refuse(embeddings: Any) -> Any:
        raise OpenL3Error("Not in this process.")

    spoil(monkeypatch, refuse)

    for _ in range(2):
        with pytest.raises(OpenL3Error, match=r"^Not in this process\.$"):
            self_test_fault(CPU_RUNTIME, AUDIO, Device.CPU, threads=0)

"""The networks on a GPU, where there is one: windows a second, the share of its peak, and the whole way."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.networks import bare_network, product_of, product_operations
from benchmarks.operations import operations
from benchmarks.report import Report
from benchmarks.sizes import Sizes
from l3embed import get_audio_embedding
from l3embed.runtimes.base import Placement
from l3embed.runtimes.choice import choose_runtime
from l3embed.runtimes.tensorflow import may_have_gpu, prepare_tensorflow
from l3embed.variants import (
    SAMPLE_RATE_HZ,
    WINDOW_SAMPLES,
    AudioVariant,
    Device,
    Frontend,
    ImageVariant,
    InputRepr,
    Precision,
)

GIGA = 1e9
ITEMS = 8192
"""Items in one measurement: a GPU does thousands a second."""

BATCH_SIZE = 256
HOP_S = 0.1
PRODUCT_SIDE = 16_384
"""Products of smaller matrices are over before a GPU is at its peak."""


def measure(sizes: Sizes, folder: Path) -> Report:
    """Run the bare networks on the GPU, if there is one."""
    if not may_have_gpu():
        return Report(figures={"device": None})
    runtime, device = choose_runtime(AudioVariant(), Placement(Device.GPU))
    big = replace(sizes, bare_items=ITEMS, product_side=PRODUCT_SIDE)
    return measure_on(runtime, device, list(Precision), big)


def measure_on(runtime: str, device: Device, precisions: list[Precision], sizes: Sizes) -> Report:
    """Run the bare networks of all variants on a device, products in the same precisions, the whole way."""
    variants: list[AudioVariant | ImageVariant] = [*map(AudioVariant, InputRepr), ImageVariant()]
    figures: dict[str, Any] = {"device": f"{_name(runtime, device)}, runtime {runtime}"}
    figures |= {"peak_gflops": {}, "items_per_s": {}, "whole_items_per_s": {}}
    placement = Placement(device, runtime)
    random = np.random.default_rng(0)
    for precision in precisions:
        square = (sizes.product_side, sizes.product_side)
        left, right = (random.standard_normal(square).astype(np.float32) for _ in range(2))
        multiply = product_of(runtime, left, right, precision, device)
        quickest_s = _quickest_s(multiply, 5 * sizes.rounds)
        figures["peak_gflops"][precision.value] = (
            product_operations(sizes.product_side, 1) / quickest_s / GIGA
        )
        for variant in variants:
            ready = random.standard_normal((BATCH_SIZE, *variant.network_shape)).astype(np.float32)
            at_precision = replace(variant, precision=precision)
            run = bare_network(at_precision, placement, ready, sizes.bare_items, BATCH_SIZE)
            rate = sizes.bare_items / _quickest_s(run, sizes.rounds)
            figures["items_per_s"].setdefault(variant.name, {})[precision.value] = rate
        for frontend in (Frontend.KAPRE, Frontend.KAPRE_GRAPH):
            whole = _whole_way(frontend, precision, placement, sizes.bare_items)
            rates = figures["whole_items_per_s"].setdefault(frontend.value, {})
            rates[precision.value] = sizes.bare_items / _quickest_s(whole, sizes.rounds)
    figures["operations"] = {variant.name: operations(variant) for variant in variants}
    return Report(figures=figures)


def _quickest_s(run: Callable[[], object], times: int) -> float:
    run()
    seconds = []
    for _ in range(times):
        started_s = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started_s)
    return min(seconds)


def _whole_way(
    frontend: Frontend, precision: Precision, placement: Placement, items: int
) -> Callable[[], object]:
    """Return what embeds samples by mel128/6144, spectrograms included."""
    hop_samples = round(HOP_S * SAMPLE_RATE_HZ)
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, WINDOW_SAMPLES + (items - 1) * hop_samples)
    return lambda: get_audio_embedding(
        samples,
        SAMPLE_RATE_HZ,
        input_repr="mel128",
        center=False,
        hop_size=HOP_S,
        batch_size=BATCH_SIZE,
        frontend=frontend.value,
        weights="random",
        device=placement.device.value,
        runtime=placement.runtime,
        precision=precision.value,
        verbose=False,
    )


def _name(runtime: str, device: Device) -> str:
    if runtime == "torch" and device is Device.GPU:
        import torch

        return str(torch.cuda.get_device_name())
    tf = prepare_tensorflow()
    found = tf.config.list_physical_devices(device.value.upper())[0]
    details: dict[str, Any] = tf.config.experimental.get_device_details(found)
    return str(details.get("device_name", found.name))

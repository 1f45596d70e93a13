"""The networks on a GPU, where there is one: windows a second, and the share of its peak."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.networks import bare_network, product_operations, tensorflow_product
from benchmarks.operations import operations
from benchmarks.report import Report
from benchmarks.sizes import Sizes
from l3embed.runtimes.base import Placement
from l3embed.runtimes.tensorflow import may_have_gpu, prepare_tensorflow
from l3embed.variants import AudioVariant, Device, ImageVariant, InputRepr, Precision

GIGA = 1e9
ITEMS = 8192
"""Items in one measurement: a GPU does thousands a second."""

BATCH_SIZE = 256
PRODUCT_SIDE = 16_384
"""Products of smaller matrices are over before a GPU is at its peak."""


def measure(sizes: Sizes, folder: Path) -> Report:
    """Run the bare networks on the GPU, if there is one."""
    if not may_have_gpu():
        return Report(figures={"device": None})
    return measure_on(
        Device.GPU, list(Precision), replace(sizes, bare_items=ITEMS, product_side=PRODUCT_SIDE)
    )


def measure_on(device: Device, precisions: list[Precision], sizes: Sizes) -> Report:
    """Run the bare networks of all variants on a device, and products in the same precisions."""
    variants: list[AudioVariant | ImageVariant] = [*map(AudioVariant, InputRepr), ImageVariant()]
    figures: dict[str, Any] = {"device": _name(device), "peak_gflops": {}, "items_per_s": {}}
    random = np.random.default_rng(0)
    for precision in precisions:
        square = (sizes.product_side, sizes.product_side)
        left, right = (random.standard_normal(square).astype(np.float32) for _ in range(2))
        multiply = tensorflow_product(left, right, precision, device)
        quickest_s = _quickest_s(multiply, 5 * sizes.rounds)
        figures["peak_gflops"][precision.value] = (
            product_operations(sizes.product_side, 1) / quickest_s / GIGA
        )
        for variant in variants:
            ready = random.standard_normal((BATCH_SIZE, *variant.network_shape)).astype(np.float32)
            at_precision = replace(variant, precision=precision)
            run = bare_network(at_precision, Placement(device=device), ready, sizes.bare_items, BATCH_SIZE)
            rate = sizes.bare_items / _quickest_s(run, sizes.rounds)
            figures["items_per_s"].setdefault(variant.name, {})[precision.value] = rate
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


def _name(device: Device) -> str:
    tf = prepare_tensorflow()
    found = tf.config.list_physical_devices(device.value.upper())[0]
    details: dict[str, Any] = tf.config.experimental.get_device_details(found)
    return str(details.get("device_name", found.name))

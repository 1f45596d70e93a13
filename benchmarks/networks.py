"""Bare networks on what they take in, ready made, and the products that show what a processor can do."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.operations import OPERATIONS_PER_WEIGHT, Variant
from l3embed.models.running import load_network
from l3embed.runtimes.base import Placement
from l3embed.runtimes.choice import RUNTIMES
from l3embed.runtimes.processor import available_threads
from l3embed.variants import Device, Precision
from l3embed.weights.source import RandomWeights

BATCH_SIZE = 32
PRODUCTS = 4
"""Products in one measurement, so that it is no shorter than the clock's and the scheduler's grain."""

OPENVINO_PRECISIONS = {Precision.FLOAT32: "f32", Precision.BFLOAT16: "bf16"}


def bare_network(
    variant: Variant,
    placement: Placement,
    ready: npt.NDArray[np.float32],
    items: int,
    batch_size: int = BATCH_SIZE,
) -> Callable[[], None]:
    """Return what sends `items` ready inputs through a network, as many batches at a time as it wants."""
    embedder = load_network(variant, RandomWeights(), placement).embedder
    batch = np.resize(ready, (batch_size, *ready.shape[1:]))

    def run() -> None:
        sizes = [min(batch_size, items - start) for start in range(0, items, batch_size)]
        with ThreadPoolExecutor(embedder.batches_at_once) as pool:
            list(pool.map(lambda size: embedder.embed(batch[:size]), sizes))

    embedder.embed(batch[:items])  # compiled when it is first used
    return run


def product_operations(side: int, products: int = PRODUCTS) -> int:
    """Return the operations of products of square matrices; as many as in one measurement, if not said."""
    return products * OPERATIONS_PER_WEIGHT * side**3


def products(precision: Precision, side: int) -> dict[str, Callable[[], object]]:
    """Return what multiplies two large matrices on the CPU, by each runtime that is there."""
    random = np.random.default_rng(0)
    left, right = (random.standard_normal((side, side), np.float32) for _ in range(2))
    found: dict[str, Callable[[], object]] = {}
    found["keras"] = _repeated(tensorflow_product(left, right, precision, Device.CPU))
    if RUNTIMES["openvino"].is_installed:
        found["openvino"] = _repeated(_openvino_product(left, right, precision))
    return found


def _repeated(multiply: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(PRODUCTS):
            multiply()

    multiply()
    return run


def _openvino_product(left: Any, right: Any, precision: Precision) -> Callable[[], object]:
    import openvino
    from openvino import opset13 as ops

    items = ops.parameter(left.shape, np.float32)
    model = openvino.Model([ops.matmul(items, ops.constant(right), False, False)], [items])
    settings = {
        "INFERENCE_PRECISION_HINT": OPENVINO_PRECISIONS[precision],
        "INFERENCE_NUM_THREADS": available_threads(),
        "PERFORMANCE_HINT": "LATENCY",
    }
    request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
    return lambda: request.infer([left], share_inputs=True)


def product_of(
    runtime: str, left: Any, right: Any, precision: Precision, device: Device
) -> Callable[[], object]:
    """Return what multiplies two matrices in the framework of a runtime that is for GPUs."""
    multiply = {"torch": torch_product, "keras": tensorflow_product}[runtime]
    return multiply(left, right, precision, device)


def torch_product(left: Any, right: Any, precision: Precision, device: Device) -> Callable[[], object]:
    """Return what multiplies two matrices in PyTorch, and waits for the product."""
    import torch

    dtype = torch.bfloat16 if precision is Precision.BFLOAT16 else torch.float32
    on_device = "cuda" if device is Device.GPU else "cpu"
    matrices = [torch.from_numpy(matrix).to(on_device, dtype) for matrix in (left, right)]

    def run() -> object:
        matmul = torch.backends.cuda.matmul
        matmul.allow_tf32 = precision is Precision.TF32
        try:
            return torch.matmul(*matrices)[0, 0].item()
        finally:
            matmul.allow_tf32 = False

    return run


def tensorflow_product(left: Any, right: Any, precision: Precision, device: Device) -> Callable[[], object]:
    """Return what multiplies two matrices in TensorFlow, and waits for the product."""
    from l3embed.runtimes.tensorflow import prepare_tensorflow, tensor_float_32

    tf = prepare_tensorflow()
    dtype = tf.bfloat16 if precision is Precision.BFLOAT16 else tf.float32
    with tf.device(f"/{device.value}:0"):
        matrices = [tf.cast(tf.constant(matrix), dtype) for matrix in (left, right)]

    @tf.function  # type: ignore[untyped-decorator]
    def multiply() -> Any:
        # One number comes back, so that the product is waited for and not copied.
        with tf.device(f"/{device.value}:0"):
            return tf.matmul(*matrices)[0, 0]

    def run() -> object:
        with tensor_float_32(precision):
            return multiply().numpy()

    return run

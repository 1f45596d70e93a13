"""The OpenVINO runtime: a network built straight from its weights, for CPUs. TensorFlow is not loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from threading import Event, Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error
from l3embed.networks.folding import FoldedLayer
from l3embed.runtimes.forks import PerProcess
from l3embed.runtimes.openvino_model import build_model, compile_model
from l3embed.runtimes.processor import precision_fault, processor_name
from l3embed.runtimes.quantization import quantization_fault, quantized_network
from l3embed.variants import Device, Precision, Variant

PRECISIONS = {Precision.FLOAT32: "f32", Precision.BFLOAT16: "bf16", Precision.INT8: "f32"}
"""What all that is not int8 computes in, as OpenVINO calls it."""


def fault(variant: Variant, device: Device) -> str:
    """Return why a network cannot run here on a device; nothing, if it can."""
    if variant.precision is Precision.TF32:
        return "precision tf32 is NVIDIA GPUs' alone; got runtime openvino."
    of_processor = precision_fault(variant.precision)
    if of_processor or variant.precision is not Precision.INT8:
        return of_processor
    return quantization_fault(variant)


def build(variant: Variant, layers: Iterable[FoldedLayer], device: Device, threads: int) -> OpenVinoEmbedder:
    """Build a network; one in int8 is made and kept if it is not yet.

    Raises
    ------
    OpenL3Error
        If a network cannot be had in int8, or does not compute here what it did when it was made.
    """
    folded = list(layers)
    if variant.precision is not Precision.INT8:
        return OpenVinoEmbedder(variant, partial(build_model, folded, variant.network_shape), threads)
    quantized = quantized_network(variant, folded)
    embedder = OpenVinoEmbedder(variant, quantized.model, threads)
    fault_here = quantized.fault(embedder.embed(quantized.items))
    if fault_here:
        raise OpenL3Error(
            f"runtime openvino (on {processor_name()}) computes wrong numbers in int8: those of a few inputs "
            f"are {fault_here}. Use precision float32, or install another version of openvino."
        )
    return embedder


class OpenVinoEmbedder:
    """A network as an `Embedder`.

    Parameters
    ----------
    variant : AudioVariant or ImageVariant
        Which network.
    make_model : callable
        Returns it as a model of OpenVINO's.
    threads : int
        How many; 0: as many as this process may use.
    """

    runtime = "openvino"
    device = Device.CPU
    batches_at_once = 1

    def __init__(self, variant: Variant, make_model: Callable[[], Any], threads: int = 0) -> None:
        self.input_shape = variant.network_shape
        self.embedding_size = variant.embedding_size
        self._compiled = PerProcess(partial(_compile, make_model, variant.precision, threads))
        self._compiled.get()

    def embed(self, batch: npt.NDArray[np.float32], stop: Event | None = None) -> npt.NDArray[np.float32]:
        """Compute the embeddings of a batch: ``(n, *input_shape)`` to ``(n, D)``, until `stop` is set."""
        queue, lock = self._compiled.get()
        items = np.ascontiguousarray(batch, np.float32)
        embeddings = np.empty((len(items), self.embedding_size), np.float32)

        def take(request: Any, number: int) -> None:
            embeddings[number] = request.get_output_tensor().data[0]

        with lock:
            queue.set_callback(take)
            try:
                # One by one: more at once are no faster, and each takes up to 40 MB on the way.
                for number in range(len(items)):
                    if stop and stop.is_set():
                        break
                    queue.start_async([items[number : number + 1]], number, share_inputs=True)
            finally:
                # If it was interrupted too, or what is still being computed would end up in the next batch.
                queue.wait_all()
        return embeddings


def _compile(make_model: Callable[[], Any], precision: Precision, threads: int) -> tuple[Any, Lock]:
    """Build a network's queue, and what guards it: only one batch may go through at a time."""
    from openvino import AsyncInferQueue

    return AsyncInferQueue(compile_model(make_model(), PRECISIONS[precision], threads)), Lock()

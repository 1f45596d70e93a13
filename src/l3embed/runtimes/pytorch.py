"""The PyTorch runtime: a folded network on the CPU, or recorded as CUDA graphs on a GPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from threading import Event, Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.errors import OpenL3Error
from l3embed.networks.folding import FoldedLayer
from l3embed.runtimes.base import Embedder, has_graph_frontend
from l3embed.runtimes.driver import cuda_devices
from l3embed.runtimes.forks import PerProcess, check_torch_gpu_usable, usable_torch_threads
from l3embed.runtimes.processor import available_threads, precision_fault
from l3embed.variants import SAMPLES_SHAPE, Device, Precision, Variant

ITEMS_A_THREAD = 2
"""Items that go through the CPU at once for each thread: as fast as more are, in less memory."""

GPU_CAPABILITY = {
    Precision.FLOAT32: (0, 0),
    Precision.TF32: (8, 0),
    Precision.BFLOAT16: (8, 0),
    Precision.FLOAT16: (7, 0),
}
"""Compute capability from which NVIDIA's GPUs multiply in a precision, rather than emulate it."""

NO_GPU = (
    "device is gpu, and PyTorch finds none. Use cpu or auto, or install a driver and a build of PyTorch for "
    'the GPU: see pytorch.org, "Start locally".'
)


def fault(variant: Variant, device: Device) -> str:
    """Return why a network cannot run here on a device; nothing, if it can."""
    return _gpu_fault(variant.precision) if device is Device.GPU else precision_fault(variant.precision)


def build(variant: Variant, layers: Iterable[FoldedLayer], device: Device, threads: int) -> Embedder:
    """Build a network; threads are its own alone, whatever PyTorch has been told otherwise."""
    if device is not Device.GPU:
        return TorchEmbedder(variant, layers, threads)
    from l3embed.runtimes.cuda_graphs import CudaEmbedder

    check_torch_gpu_usable()
    if not has_gpu():
        raise OpenL3Error(NO_GPU)
    return CudaEmbedder(variant, layers)


def has_gpu() -> bool:
    """Tell whether PyTorch finds a GPU, NVIDIA's or (in ROCm's builds) AMD's."""
    import torch

    return bool(torch.cuda.is_available())


def works_on_gpu() -> bool:
    """Tell the same, without importing PyTorch where there is no GPU.

    Of a GPU that PyTorch does not find nothing is said: another runtime may find it, or will say so.
    """
    return (cuda_devices() > 0 or _is_for_rocm()) and has_gpu()


def _is_for_rocm() -> bool:
    try:
        return "rocm" in version("torch")
    except PackageNotFoundError:
        return False


def _gpu_fault(precision: Precision) -> str:
    if not has_gpu():
        return NO_GPU
    capability = gpu_capability()
    if capability >= GPU_CAPABILITY[precision]:
        return ""
    return (
        f"precision {precision.value} needs a GPU of compute capability "
        f"{'.'.join(map(str, GPU_CAPABILITY[precision]))} or later; this one has "
        f"{'.'.join(map(str, capability))}, and would be slower than in float32. Use precision float32."
    )


def gpu_capability() -> tuple[int, int]:
    """Return the compute capability of the GPU, as in (9, 0)."""
    import torch

    major, minor = torch.cuda.get_device_capability()
    return major, minor


def whole_network(variant: Variant, layers: Iterable[FoldedLayer]) -> tuple[Any, tuple[int, ...]]:
    """Return a network, with kapre in front if that is a part of it, and the shape of one item.

    Items are those of the contract, channels last; only what lies between the first layer and the last
    is computed in less than float32.
    """
    import torch
    from torch import nn

    from l3embed.frontends.kapre_torch import Spectrogram
    from l3embed.networks.torch_layers import folded_network

    in_graph = has_graph_frontend(variant)
    network = folded_network(layers).to(memory_format=torch.channels_last)
    frontend = Spectrogram(variant.input_repr) if in_graph else None
    shorter = {Precision.BFLOAT16: torch.bfloat16, Precision.FLOAT16: torch.float16}
    dtype = shorter.get(variant.precision, torch.float32)

    class Whole(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.frontend, self.first, self.rest = frontend, network[0], network[1:].to(dtype)

        def forward(self, items: Any) -> Any:
            pictures = self.frontend(items) if self.frontend else items.permute(0, 3, 1, 2)
            # bfloat16 would round decibels to half a decibel before they are scaled
            scaled = self.first(pictures.contiguous(memory_format=torch.channels_last))
            return self.rest(scaled.to(dtype)).float()

    return Whole().eval(), SAMPLES_SHAPE if in_graph else variant.network_shape


class TorchEmbedder:
    """A network on the CPU as an `Embedder`; its parameters are `build`'s."""

    runtime = "torch"
    device = Device.CPU
    batches_at_once = 1

    def __init__(self, variant: Variant, layers: Iterable[FoldedLayer], threads: int = 0) -> None:
        self._network, self.input_shape = whole_network(variant, layers)
        self.embedding_size = variant.embedding_size
        self._threads = available_threads(threads)
        self._lock = PerProcess(Lock)

    def embed(self, batch: npt.NDArray[np.float32], stop: Event | None = None) -> npt.NDArray[np.float32]:
        """Compute the embeddings of a batch: ``(n, *input_shape)`` to ``(n, D)``, until `stop` is set."""
        import torch

        items = np.ascontiguousarray(batch, np.float32)
        embeddings = np.empty((len(items), self.embedding_size), np.float32)
        count = ITEMS_A_THREAD * self._threads
        # One batch at a time: another's threads would be in the way of this one's.
        with self._lock.get(), _torch_threads(usable_torch_threads(self._threads)), torch.inference_mode():
            for start in range(0, len(items), count):
                if stop and stop.is_set():
                    break
                part = self._network(torch.from_numpy(items[start : start + count]))
                embeddings[start : start + count] = part.numpy()
        return embeddings


@contextmanager
def _torch_threads(threads: int) -> Iterator[None]:
    """Let PyTorch use so many threads meanwhile: it does not see a container's quota itself."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""A network on a GPU through PyTorch: chunks of a batch, recorded once as CUDA graphs and played back.

Two chunks are under way at once, each on a stream of its own: while one is computed, the next is copied to
the GPU, and the embeddings of the last one back, by way of pinned memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Lock
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from l3embed.errors import OpenL3Error
from l3embed.networks.folding import FoldedLayer
from l3embed.runtimes.forks import PerProcess, check_torch_gpu_usable
from l3embed.runtimes.pytorch import whole_network
from l3embed.variants import Device, Precision, Variant

CHUNK_ITEMS = 32
"""Items of one graph: 0.3 TFLOP of mel128, and 0.5 to 1 GB on the way, in each slot."""

SLOTS = 2
WARM_UP_RUNS = 3
"""What cuDNN needs to try out its algorithms before one is recorded."""

Items = npt.NDArray[np.float32]


class Slot(Protocol):
    """Where one chunk is copied, computed and copied back, beside the other slots' chunks."""

    def start(self, items: Items) -> None:
        """Copy a chunk, and begin with it."""

    def finish(self) -> Items:
        """Wait for the chunk's embeddings, and return them until the next chunk is started."""


class GraphSlot:
    """A recorded graph with its stream, its buffers on the GPU and its pinned ones.

    Parameters
    ----------
    network : torch.nn.Module
        On the GPU.
    input_shape : tuple of int
        Of one item.
    embedding_size : int
        Dimension D of one embedding.
    """

    def __init__(self, network: Any, input_shape: tuple[int, ...], embedding_size: int) -> None:
        self._items = torch.zeros((CHUNK_ITEMS, *input_shape), pin_memory=True)
        self._embeddings = torch.empty((CHUNK_ITEMS, embedding_size), pin_memory=True)
        self._stream, self._done, self._count = torch.cuda.Stream(), torch.cuda.Event(), 0
        with torch.cuda.stream(self._stream):
            self._gpu_items = self._items.cuda()
            for _ in range(WARM_UP_RUNS):
                network(self._gpu_items)
        self._stream.synchronize()
        self._graph = torch.cuda.CUDAGraph()
        # Other threads of the program may be using the GPU meanwhile.
        with torch.cuda.graph(self._graph, stream=self._stream, capture_error_mode="thread_local"):
            self._gpu_embeddings = network(self._gpu_items)

    def start(self, items: Items) -> None:
        """Copy a chunk, and begin with it; what lies behind the last item is computed again, for nobody."""
        self._done.synchronize()  # an interrupted batch may still be on its way
        self._count = len(items)
        self._items[: self._count].copy_(torch.from_numpy(items))
        with torch.cuda.stream(self._stream):
            self._gpu_items[: self._count].copy_(self._items[: self._count], non_blocking=True)
            self._graph.replay()
            self._embeddings[: self._count].copy_(self._gpu_embeddings[: self._count], non_blocking=True)
            self._done.record()

    def finish(self) -> Items:
        """Wait for the chunk's embeddings, and return them until the next chunk is started."""
        self._done.synchronize()
        embeddings: Items = self._embeddings[: self._count].numpy()
        return embeddings


class CudaEmbedder:
    """A network on a GPU as an `Embedder`; its parameters are `build`'s."""

    runtime = "torch"
    device = Device.GPU
    batches_at_once = 1

    def __init__(self, variant: Variant, layers: Iterable[FoldedLayer]) -> None:
        network, self.input_shape = whole_network(variant, layers)
        self.embedding_size = variant.embedding_size
        record = partial(_record, network, self.input_shape, self.embedding_size, variant.precision)
        self._slots = PerProcess(record)
        self._slots.get()
        self._lock = PerProcess(Lock)

    def embed(self, batch: Items, stop: Event | None = None) -> Items:
        """Compute the embeddings of a batch: ``(n, *input_shape)`` to ``(n, D)``, until `stop` is set."""
        check_torch_gpu_usable()
        embeddings = np.empty((len(batch), self.embedding_size), np.float32)
        items = np.ascontiguousarray(batch, np.float32)
        with self._lock.get():  # the slots hold one batch's chunks at a time
            embed_in_slots(self._slots.get(), items, embeddings, CHUNK_ITEMS, stop)
        return embeddings


def embed_in_slots(
    slots: Iterable[Slot], items: Items, embeddings: Items, chunk_items: int, stop: Event | None
) -> None:
    """Send items through slots in turn, each chunk being started before the one before it is waited for.

    Parameters
    ----------
    slots : iterable of Slot
        Free ones.
    items : np.ndarray [shape=(n, ...)]
        What to embed.
    embeddings : np.ndarray [shape=(n, D)]
        Is filled, to where `stop` was seen.
    chunk_items : int
        Items in a chunk.
    stop : threading.Event or None
        Once it is set, no further chunk is started.
    """
    free, under_way = deque(slots), deque[tuple[Slot, slice]]()

    def finish_first() -> None:
        slot, rows = under_way.popleft()
        embeddings[rows] = slot.finish()
        free.append(slot)

    for start in range(0, len(items), chunk_items):
        if stop and stop.is_set():
            break
        if not free:
            finish_first()
        slot, rows = free.popleft(), slice(start, min(start + chunk_items, len(items)))
        slot.start(items[rows])
        under_way.append((slot, rows))
    while under_way:
        finish_first()


def _record(
    network: Any, input_shape: tuple[int, ...], embedding_size: int, precision: Precision
) -> list[GraphSlot]:
    """Record the graphs: what is chosen meanwhile (algorithms, TF32 or not) holds for good."""
    check_torch_gpu_usable()
    try:
        on_gpu = network.cuda()
        with torch.no_grad(), products_in(precision):
            return [GraphSlot(on_gpu, input_shape, embedding_size) for _ in range(SLOTS)]
    except torch.cuda.OutOfMemoryError as error:
        raise OpenL3Error(
            "The GPU has too little free memory for the network. End what else uses it, or use device cpu."
        ) from error


@contextmanager
def products_in(precision: Precision) -> Iterator[None]:
    """Let float32 be multiplied as such meanwhile, or in TF32 if that is the precision; else PyTorch decides.

    These are switches of the process.
    """
    matmul, before = torch.backends.cuda.matmul, torch.backends.cuda.matmul.allow_tf32
    matmul.allow_tf32 = False  # the mel filters' products, which belong to the spectrogram
    try:
        with torch.backends.cudnn.flags(benchmark=True, allow_tf32=precision is Precision.TF32):
            yield
    finally:
        matmul.allow_tf32 = before

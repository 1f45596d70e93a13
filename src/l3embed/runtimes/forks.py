"""Forked processes: what a framework has made is of no use in a child, where its threads are not.

The package itself imports this, so that it knows of every fork. Nothing heavy is imported here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakSet

from l3embed.errors import OpenL3Error

Value = TypeVar("Value")

TENSORFLOW, TORCH, TORCH_GPU = "tensorflow", "torch", "PyTorch on the GPU"
_inherited: set[str] = set()
"""What may have computed something in the parent process, and would wait for ever here."""

_all: WeakSet[PerProcess] = WeakSet()  # type: ignore[type-arg]


class PerProcess(Generic[Value]):
    """A value that is made when it is first asked for, and made anew in every process that is forked.

    Several threads that ask at once may each get one of their own.

    Parameters
    ----------
    make : callable
        Makes it; is kept.
    """

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make
        self._made: tuple[Value] | None = None
        _all.add(self)

    def get(self) -> Value:
        """Return this process's value."""
        made = self._made
        if made is None:
            made = self._made = (self._make(),)
        return made[0]

    def forget(self) -> None:
        """Let the value be made anew, in a process that has just been forked."""
        if self._made is not None:
            _keep_for_good(self._made)
        self._made = None


def _keep_for_good(value: object) -> None:
    """Have a value outlive the interpreter: it would wait, when it is destroyed, for threads that are not."""
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(value))


def check_tensorflow_usable() -> None:
    """Check that this process does not have a TensorFlow that its parent has started.

    Raises
    ------
    OpenL3Error
        If it has.
    """
    if TENSORFLOW in _inherited:
        raise OpenL3Error(
            "This process was forked from one that has used TensorFlow, which would wait here for ever. "
            'Start processes by the method "spawn" (multiprocessing.get_context("spawn"); of a PyTorch '
            'DataLoader multiprocessing_context="spawn"), or use runtime ncnn or openvino, or embed in the '
            "forked processes alone."
        )


def check_torch_gpu_usable() -> None:
    """Check that this process's parent has not used the GPU through PyTorch: CUDA cannot be forked.

    Raises
    ------
    OpenL3Error
        If it has.
    """
    if TORCH_GPU in _inherited:
        raise OpenL3Error(
            "This process was forked from one that has used the GPU through PyTorch, which cannot be forked. "
            'Start processes by the method "spawn" (multiprocessing.get_context("spawn"); of a PyTorch '
            'DataLoader multiprocessing_context="spawn"), or use device cpu.'
        )


def usable_torch_threads(threads: int) -> int:
    """Return how many threads PyTorch may use here: one, if the parent has loaded it.

    With more, OpenMP waits for ever for the parent's.
    """
    return 1 if TORCH in _inherited else threads


def _torch_has_gpu_started() -> bool:
    module = sys.modules.get("torch.cuda")
    return module is not None and bool(module.is_initialized())


def _tensorflow_has_started() -> bool:
    """Tell whether it has threads: to import it, or to ask for its devices, starts none."""
    module = sys.modules.get("tensorflow.python.eager.context")
    context = getattr(module, "_context", None)
    return context is not None and bool(getattr(context, "_initialized", True))


def _begin_in_child() -> None:
    if _tensorflow_has_started():
        _inherited.add(TENSORFLOW)
    if TORCH in sys.modules:
        _inherited.add(TORCH)
    if _torch_has_gpu_started():
        _inherited.add(TORCH_GPU)
    for value in list(_all):
        value.forget()


if hasattr(os, "register_at_fork"):  # Windows cannot fork
    os.register_at_fork(after_in_child=_begin_in_child)

"""TensorFlow as l3embed needs it: imported when it is needed, and which of its devices to use."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

from l3embed.errors import OpenL3Error, warn
from l3embed.runtimes.driver import cuda_devices
from l3embed.runtimes.forks import check_tensorflow_usable
from l3embed.runtimes.processor import available_threads
from l3embed.variants import Device, Precision

THREADS_VARIABLE = "TF_NUM_INTRAOP_THREADS"

OTHER_GPU_PACKAGES = ("tensorflow-metal", "tensorflow-rocm")
"""Builds of TensorFlow for GPUs that are not NVIDIA's."""

BFLOAT16_FROM = (8, 0)
"""Compute capability, Ampere's, from which NVIDIA's GPUs multiply bfloat16 and TF32."""

NO_GPU = (
    "device is gpu, and TensorFlow finds none. Use cpu or auto, or install a driver and a GPU build: "
    "pip install 'l3embed[torch]' or 'tensorflow[and-cuda]'."
)


def use_threads(threads: int) -> None:
    """Say how many threads TensorFlow is to use on the CPU; 0: as many as this process may use.

    An environment that says otherwise is obeyed.

    Warns
    -----
    OpenL3Warning
        If a number is asked for when TensorFlow has computed something already: then it is too late.
    """
    threading = prepare_tensorflow().config.threading
    wanted = available_threads(threads)
    if os.environ.get(THREADS_VARIABLE) or threading.get_intra_op_parallelism_threads() == wanted:
        return
    try:
        threading.set_intra_op_parallelism_threads(wanted)
    except RuntimeError:
        if threads:
            warn(
                f"TensorFlow has been started with other threads, so that threads={threads} has no effect.",
            )


def prepare_tensorflow() -> Any:
    """Import TensorFlow as l3embed needs it to compute, and return the module.

    Raises
    ------
    OpenL3Error
        If Keras has been set to another backend: kapre's layers are TensorFlow's. Or if this process was
        forked from one that has used TensorFlow.
    """
    check_tensorflow_usable()
    return import_tensorflow()


@cache
def import_tensorflow() -> Any:
    """Do the same to look at models alone, which can be done in a forked process as well."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if "keras" not in sys.modules:
        # Importing Keras for a backend that is not installed would end in that package's ImportError.
        _check_backend(backend)
    import keras
    import tensorflow as tf

    _check_backend(keras.backend.backend())
    if not os.environ.get(THREADS_VARIABLE):
        with suppress(RuntimeError):  # a program that has started TensorFlow itself has made its own choice
            # TensorFlow itself does not see the quota of a container.
            tf.config.threading.set_intra_op_parallelism_threads(available_threads())
    # Recent GPUs would multiply float32 with 10 bits of mantissa: other numbers, which nobody asked for.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    for gpu in tf.config.list_physical_devices("GPU"):
        # Without this TensorFlow takes all of a GPU's memory at once.
        with suppress(RuntimeError):
            tf.config.experimental.set_memory_growth(gpu, True)
    return tf


def _check_backend(backend: str) -> None:
    if backend != "tensorflow":
        raise OpenL3Error(
            f"l3embed runs Keras on TensorFlow; KERAS_BACKEND is {backend!r}. "
            "Set KERAS_BACKEND=tensorflow before Keras is imported."
        )


@contextmanager
def tensor_float_32(precision: Precision) -> Iterator[None]:
    """Let TensorFlow multiply in TF32 meanwhile, if that is the precision; it is a switch of the process."""
    if precision is not Precision.TF32:
        yield
        return
    config = prepare_tensorflow().config.experimental
    config.enable_tensor_float_32_execution(True)
    try:
        yield
    finally:
        config.enable_tensor_float_32_execution(False)


def may_have_gpu() -> bool:
    """Tell whether it is worth while to import TensorFlow to look for a GPU: that takes seconds."""
    return cuda_devices() > 0 or any(_is_installed(package) for package in OTHER_GPU_PACKAGES)


def _is_installed(package: str) -> bool:
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True


def has_gpu() -> bool:
    """Tell whether TensorFlow finds a GPU."""
    return bool(prepare_tensorflow().config.list_physical_devices("GPU"))


def works_on_gpu() -> bool:
    """Tell the same, without importing TensorFlow where there is no GPU.

    Warns
    -----
    OpenL3Warning
        If there is one that it does not find.
    """
    if not may_have_gpu():
        return False
    works = has_gpu()
    if not works:
        warn(
            "There is a GPU, and TensorFlow does not find it: the CPU is used. For the GPU: pip install "
            "'l3embed[torch]' or 'tensorflow[and-cuda]'; device=cpu leaves out this search.",
        )
    return works


def find_device(device: Device) -> Device:
    """Return the device that is meant: the CPU or the GPU.

    Raises
    ------
    OpenL3Error
        If a GPU is asked for and TensorFlow finds none.
    """
    if device is Device.AUTO:
        return Device.GPU if has_gpu() else Device.CPU
    if device is Device.GPU and not has_gpu():
        raise OpenL3Error(NO_GPU)
    return device


def gpu_fault(precision: Precision) -> str:
    """Return why the GPU cannot compute in a precision, but for emulating it; nothing, if it can."""
    if not has_gpu():
        return NO_GPU
    if precision is Precision.FLOAT32:
        return ""
    if precision is Precision.FLOAT16:
        return (
            "precision float16 runs in PyTorch; got runtime keras. Use runtime torch, or precision bfloat16."
        )
    tf = prepare_tensorflow()
    gpu = tf.config.list_physical_devices("GPU")[0]
    capability = tf.config.experimental.get_device_details(gpu).get("compute_capability")
    if capability is None or tuple(capability) >= BFLOAT16_FROM:
        return ""
    return (
        f"precision {precision.value} needs a GPU of compute capability 8.0 or later; this one has "
        f"{'.'.join(map(str, capability))}, and would be slower than in float32. Use precision float32."
    )

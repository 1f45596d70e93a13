"""Which runtime and device a network gets."""

from __future__ import annotations

import importlib.util
import warnings

from l3embed.errors import OpenL3Error, OpenL3Warning
from l3embed.runtimes.base import Placement
from l3embed.runtimes.tensorflow import check_precision, find_device, has_gpu, may_have_gpu
from l3embed.variants import AudioVariant, Device, Frontend, ImageVariant, Precision, Runtime


def choose_runtime(variant: AudioVariant | ImageVariant, placement: Placement) -> tuple[Runtime, Device]:
    """Return the runtime and the device for a network: ``auto`` takes what is fastest here.

    A GPU, if TensorFlow works on one; else OpenVINO; else TensorFlow on the CPU.

    Raises
    ------
    OpenL3Error
        If what was asked for is not there, does not go together, or would be emulated slowly.
    """
    in_graph = isinstance(variant, AudioVariant) and variant.frontend is Frontend.KAPRE_GRAPH
    runtime, device = placement.runtime, placement.device
    if runtime is Runtime.OPENVINO:
        _check_openvino(variant, device, in_graph=in_graph)
    elif runtime is Runtime.AUTO:
        on_cpu = device is Device.CPU or (device is Device.AUTO and not _works_on_gpu())
        is_openvino = on_cpu and not in_graph and has_openvino()
        runtime = Runtime.OPENVINO if is_openvino else Runtime.KERAS
    found = Device.CPU if runtime is Runtime.OPENVINO else Device(find_device(device).lower())
    check_precision(variant.precision, found.value.upper())
    return runtime, found


def has_openvino() -> bool:
    """Tell whether OpenVINO is installed; it has no wheels for some machines."""
    return importlib.util.find_spec("openvino") is not None


def _works_on_gpu() -> bool:
    if not may_have_gpu():
        return False
    works = has_gpu()
    if not works:
        warnings.warn(
            "There is a GPU, and TensorFlow does not find it: the CPU is used. For the GPU: pip install "
            "'tensorflow[and-cuda]'; device=cpu leaves out this search.",
            OpenL3Warning,
            stacklevel=2,
        )
    return works


def _check_openvino(variant: AudioVariant | ImageVariant, device: Device, *, in_graph: bool) -> None:
    if not has_openvino():
        raise OpenL3Error("runtime is openvino, which is not installed: pip install openvino.")
    if device is Device.GPU:
        raise OpenL3Error("runtime openvino is for the CPU; got device gpu. Use runtime keras or auto.")
    if in_graph:
        raise OpenL3Error(
            f"frontend {Frontend.KAPRE_GRAPH.value} is a part of the Keras runtime's function; got runtime "
            f"openvino. Use frontend {Frontend.KAPRE.value}, or runtime keras."
        )
    if variant.precision is Precision.TF32:
        raise OpenL3Error("precision tf32 is NVIDIA GPUs' alone; got runtime openvino.")

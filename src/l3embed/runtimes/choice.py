"""The table of runtimes, and which of them and which device a network gets.

A new runtime is a module that keeps the contract in `l3embed.runtimes.base`, a row here, and a file in
``conf/runtime``. No module is imported, and no framework, before it is needed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Collection
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

from l3embed.errors import OpenL3Error
from l3embed.runtimes.base import AUTO, has_graph_frontend
from l3embed.variants import Device, Frontend, Precision, Variant, check_one_of

if TYPE_CHECKING:
    from l3embed.runtimes.base import GpuRuntime, ModelRuntime, Placement, Runtime


@dataclass(frozen=True)
class Row:
    """A runtime, as far as it is known without a look at the machine.

    Parameters
    ----------
    module : str
        Keeps the contract.
    requires : str
        What it imports, and what pip calls that.
    packages : tuple of str
        Distributions whose versions may change its numbers.
    uses_gpu : bool
        Whether it is not for the CPU alone; its module is a `GpuRuntime` then.
    is_quick_on_cpu : bool
        Whether ``auto`` may take it on a CPU.
    has_graph_frontend : bool
        Whether kapre's layers can be a part of its networks.
    runs_models : bool
        Whether it runs any Keras model as it is; its module is a `ModelRuntime` then.
    has_int8 : bool
        Whether it computes in int8, on the CPU.
    """

    module: str
    requires: str
    packages: tuple[str, ...]
    uses_gpu: bool = False
    is_quick_on_cpu: bool = True
    has_graph_frontend: bool = False
    runs_models: bool = False
    has_int8: bool = False

    @property
    def is_installed(self) -> bool:
        """Whether it is; ncnn and OpenVINO, for two, have no wheels for some machines."""
        return importlib.util.find_spec(self.requires) is not None

    def load(self) -> Runtime:
        """Import its module."""
        return cast("Runtime", import_module(self.module))


RUNTIMES = {
    "ncnn": Row("l3embed.runtimes.ncnn", requires="ncnn", packages=("ncnn",)),
    "openvino": Row("l3embed.runtimes.openvino", requires="openvino", packages=("openvino",), has_int8=True),
    "torch": Row(
        "l3embed.runtimes.pytorch",
        requires="torch",
        packages=("torch",),
        uses_gpu=True,
        is_quick_on_cpu=False,
        has_graph_frontend=True,
    ),
    "keras": Row(
        "l3embed.runtimes.keras",
        requires="tensorflow",
        packages=("kapre", "keras", "tensorflow"),
        uses_gpu=True,
        has_graph_frontend=True,
        runs_models=True,
    ),
}
"""All runtimes, by their names. ``auto`` takes the first that can do what is asked for."""


def runtime_names() -> tuple[str, ...]:
    """Return the words that choose a runtime."""
    return (AUTO, *sorted(RUNTIMES))


def parse_runtime(argument: str, value: object) -> str:
    """Check a user's word for a runtime, and return it.

    Raises
    ------
    OpenL3Error
        Naming the argument, what came and what is allowed.
    """
    check_one_of(argument, value, runtime_names())
    return cast("str", value)


def runtime_packages() -> tuple[str, ...]:
    """Return the distributions whose versions may change the numbers of some runtime."""
    return tuple(sorted({package for row in RUNTIMES.values() for package in row.packages}))


def choose_runtime(
    variant: Variant, placement: Placement, without: Collection[str] = ()
) -> tuple[str, Device]:
    """Return the runtime and the device for a network: ``auto`` takes what is fastest here.

    That is a GPU, if a runtime works on one; else, on the CPU, the first of the table. Some runtimes may be
    left out of that.

    Raises
    ------
    OpenL3Error
        If what was asked for is not there, does not go together, or would be emulated slowly.
    """
    name, device = placement.runtime, placement.device
    if name == AUTO:
        name, device = _fastest(variant, device, without)
    fault = _fault(name, variant, device)
    if fault:
        raise OpenL3Error(fault)
    return name, _find_device(name, device)


def model_runtime(asked_for: str) -> ModelRuntime:
    """Return the runtime of a Keras model that is run as it is.

    Raises
    ------
    OpenL3Error
        If it is not one of those.
    """
    able = [name for name, row in RUNTIMES.items() if row.runs_models]
    if asked_for not in (AUTO, *able):
        raise OpenL3Error(
            f"runtime is {asked_for}, and the given model is not one that l3embed has loaded: it runs in "
            f"Keras. Use runtime {' or '.join([*able, AUTO])}, or load it with l3embed.models."
        )
    name = able[0] if asked_for == AUTO else asked_for
    return cast("ModelRuntime", RUNTIMES[name].load())


def _fastest(variant: Variant, device: Device, without: Collection[str]) -> tuple[str, Device]:
    """Return the first runtime that can do it; if none can, the last, whose fault will be told."""
    is_int8 = variant.precision is Precision.INT8
    able = {
        name: row for name, row in RUNTIMES.items() if name not in without and (row.has_int8 or not is_int8)
    }
    names = [name for name, row in able.items() if row.uses_gpu]
    if device is Device.AUTO:
        # One after the other: the next is asked, and imported, where the last has found no GPU.
        for name in names:
            if RUNTIMES[name].is_installed and _gpu_runtime(name).works_on_gpu():
                return name, Device.GPU
        device = Device.CPU
    if device is Device.CPU or is_int8:  # which a GPU is refused for by those that have it
        names = [name for name, row in able.items() if row.is_quick_on_cpu]
    if not names:
        raise OpenL3Error(f"Of the runtimes {', '.join(without)} none is left that can compute here.")
    return next((name for name in names if not _fault(name, variant, device)), names[-1]), device


def _fault(name: str, variant: Variant, device: Device) -> str:
    """Return why a runtime cannot run a network on a device; nothing, if it can."""
    row = RUNTIMES[name]
    if not row.is_installed:
        return f"runtime is {name}, which is not installed: pip install {row.requires}."
    if variant.precision is Precision.INT8 and (not row.has_int8 or device is Device.GPU):
        able = " or ".join(other for other in RUNTIMES if RUNTIMES[other].has_int8)
        return (
            f"precision int8 is the CPU's, in runtime {able}; got runtime {name} and device {device.value}. "
            f"Use runtime {able} or {AUTO}, and device {Device.CPU.value} or {Device.AUTO.value}."
        )
    if device is Device.GPU and not row.uses_gpu:
        allowed = " or ".join([*(other for other in RUNTIMES if RUNTIMES[other].uses_gpu), AUTO])
        return f"runtime {name} is for the CPU; got device gpu. Use runtime {allowed}."
    if has_graph_frontend(variant) and not row.has_graph_frontend:
        able = " or ".join(other for other in RUNTIMES if RUNTIMES[other].has_graph_frontend)
        return (
            f"frontend {Frontend.KAPRE_GRAPH.value} is a part of the network; got runtime {name}. "
            f"Use frontend {Frontend.KAPRE.value}, or runtime {able}."
        )
    return row.load().fault(variant, _find_device(name, device))


def _find_device(name: str, device: Device) -> Device:
    """Return the device that is meant: ``auto`` is the GPU, if the runtime has one."""
    if device is not Device.AUTO:
        return device
    has_gpu = RUNTIMES[name].uses_gpu and _gpu_runtime(name).has_gpu()
    return Device.GPU if has_gpu else Device.CPU


def _gpu_runtime(name: str) -> GpuRuntime:
    return cast("GpuRuntime", RUNTIMES[name].load())

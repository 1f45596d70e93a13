"""What the processor has: how many cores for this process, and which short types it multiplies."""

from __future__ import annotations

import math
import os
import platform
from functools import cache
from pathlib import Path

from l3embed.errors import OpenL3Error
from l3embed.variants import Precision

CORES_VARIABLE = "LOKY_MAX_CPU_COUNT"
"""Environment variable of joblib's that says how many cores a process may use."""

QUOTA_FILE = Path("/sys/fs/cgroup/cpu.max")
OLDER_QUOTA_FILES = (
    Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
    Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us"),
)
"""Where Linux says what a container may use: microseconds of all cores, and in how many of the clock.

Source: the kernel's documentation of control groups, version 2 (``cpu.max``) and 1 (``sched-bwc``).
"""

CPU_INFO = Path("/proc/cpuinfo")
BFLOAT16_FLAGS = frozenset(("amx_bf16", "avx512_bf16", "avx_ne_convert"))
"""How Linux calls the instructions that multiply bfloat16 (x86): AMX, AVX-512 and AVX2."""


INT8_FLAGS = frozenset(("amx_int8", "avx512_vnni", "avx_vnni", "asimddp", "i8mm"))
"""The same of int8: AMX, AVX-512 and AVX2 on x86; dot products and matrix products on ARM."""


def available_threads(threads: int = 0) -> int:
    """Return how many threads to use: those asked for, or as many as this process may use at once.

    Affinity, a container's CPU quota, and ``LOKY_MAX_CPU_COUNT`` limit these, as they limit joblib, which
    takes 0.04 s to import.

    Raises
    ------
    OpenL3Error
        If the variable is no number.
    """
    return threads or max(1, min(_cores(), _quota(), _allowed()))


def _cores() -> int:
    """Return the cores that the system lets this process run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota() -> float:
    """Return how many cores' time a container may use, rounded up."""
    try:
        if QUOTA_FILE.is_file():
            quota, period = QUOTA_FILE.read_text(encoding="ascii").split()
        else:
            quota, period = (path.read_text(encoding="ascii") for path in OLDER_QUOTA_FILES)
        return math.ceil(int(quota) / int(period)) if int(quota) > 0 else math.inf
    except (OSError, ValueError, ZeroDivisionError):  # there is none, which version 2 calls max
        return math.inf


def _allowed() -> float:
    """Return how many cores the user allows."""
    value = os.environ.get(CORES_VARIABLE)
    if value is None:
        return math.inf
    try:
        return int(value)
    except ValueError as error:
        raise OpenL3Error(f"{CORES_VARIABLE} must be a whole number of cores; got {value!r}.") from error


def precision_fault(precision: Precision) -> str:
    """Return why the processor cannot compute in a precision, but for emulating it; nothing, if it can."""
    if precision is Precision.TF32:
        return "precision tf32 is NVIDIA GPUs' alone. On the CPU use float32 or bfloat16."
    if precision is Precision.FLOAT16:
        return "precision float16 is GPUs' alone, in runtime torch. On the CPU use float32 or bfloat16."
    if precision is Precision.BFLOAT16 and not has_bfloat16():
        return (
            "This processor has no instructions for bfloat16 (AMX, AVX512_BF16 or AVX-NE-CONVERT): it would "
            "emulate it, slower than float32. Use precision float32."
        )
    if precision is Precision.INT8 and not has_int8():
        return (
            "This processor has no instructions for sums of products of int8 (AMX, AVX512_VNNI or AVX-VNNI; "
            "on ARM dot products): it would be no faster than in float32. Use precision float32."
        )
    return ""


@cache
def has_bfloat16() -> bool:
    """Tell whether the processor multiplies bfloat16 itself, rather than being slow at emulating it."""
    if CPU_INFO.is_file():
        # OpenVINO says yes for processors that it then emulates it on, at a sixth of float32's speed.
        return bool(BFLOAT16_FLAGS & _flags())
    return "BF16" in _openvino_capabilities()


@cache
def has_int8() -> bool:
    """Tell whether the processor sums products of int8 itself, as far as it tells what it can do."""
    if CPU_INFO.is_file():
        return bool(INT8_FLAGS & _flags())
    return "INT8" in _openvino_capabilities()


def processor_name() -> str:
    """Return what the processor is called, as far as that can be found out."""
    names = []
    if CPU_INFO.is_file():
        lines = CPU_INFO.read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), "") or platform.processor() or platform.machine()


def _flags() -> set[str]:
    """Return what the first core can do, as Linux calls it: ``flags`` on x86, ``Features`` on ARM."""
    lines = CPU_INFO.read_text().splitlines()
    return set(next((line for line in lines if line.startswith(("flags", "Features"))), "").split())


def _openvino_capabilities() -> list[str]:
    try:
        import openvino
    except ImportError:
        return []
    capabilities: list[str] = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return capabilities

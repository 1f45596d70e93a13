"""What the processor has: how many cores for this process, and bfloat16 or not."""

from __future__ import annotations

from functools import cache
from pathlib import Path

CORES_VARIABLE = "LOKY_MAX_CPU_COUNT"
"""Environment variable of joblib's that says how many cores a process may use."""

CPU_INFO = Path("/proc/cpuinfo")
BFLOAT16_FLAGS = frozenset(("amx_bf16", "avx512_bf16", "avx_ne_convert"))
"""How Linux calls the instructions that multiply bfloat16 (x86): AMX, AVX-512 and AVX2."""


def available_threads(threads: int = 0) -> int:
    """Return how many threads to use: those asked for, or as many as this process may use at once.

    Affinity, a container's CPU quota, and ``LOKY_MAX_CPU_COUNT`` limit these.
    """
    from joblib import cpu_count

    return threads or int(cpu_count())


@cache
def has_bfloat16() -> bool:
    """Tell whether the processor multiplies bfloat16 itself, rather than being slow at emulating it."""
    if CPU_INFO.is_file():
        # OpenVINO says yes for processors that it then emulates it on, at a sixth of float32's speed.
        return any(BFLOAT16_FLAGS & set(line.split()) for line in _flag_lines())
    return "BF16" in _openvino_capabilities()


def _flag_lines() -> list[str]:
    return [line for line in CPU_INFO.read_text().splitlines() if line.startswith("flags")][:1]


def _openvino_capabilities() -> list[str]:
    try:
        import openvino
    except ImportError:
        return []
    capabilities: list[str] = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return capabilities

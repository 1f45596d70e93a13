"""What figures were measured on."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Any

from l3embed.runtimes.processor import CPU_INFO, available_threads
from l3embed.runtimes.tensorflow import may_have_gpu
from l3embed.version import __version__

PACKAGES = (
    "numpy",
    "scipy",
    "tensorflow",
    "keras",
    "kapre",
    "ncnn",
    "openvino",
    "resampy",
    "soundfile",
    "scikit-image",
)
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
"""Instructions that decide how fast a network runs."""

BLAS_VARIABLE = "OPENBLAS_CORETYPE"
"""Holds NumPy's products to the instructions of an older processor, where it is set."""


def describe() -> dict[str, Any]:
    """Return what the machine is, and what runs on it."""
    return {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "processor": _cpu_info("model name") or platform.processor() or platform.machine(),
        "flags": [flag for flag in FLAGS if flag in flags()],
        "cores": available_threads(),
        "gpu": may_have_gpu(),
        "blas": os.environ.get(BLAS_VARIABLE, ""),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "versions": {"l3embed": __version__, **{name: version(name) for name in PACKAGES}},
    }


def flags() -> frozenset[str]:
    """Return the processor's instructions, as Linux calls them; none where it is another system."""
    return frozenset(_cpu_info("flags").split())


def has_amx() -> bool:
    """Tell whether the processor multiplies bfloat16 in tiles, sixteen times as fast as float32."""
    return "amx_bf16" in flags()


def _cpu_info(key: str) -> str:
    if not CPU_INFO.is_file():
        return ""
    for line in CPU_INFO.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""

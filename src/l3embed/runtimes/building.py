"""Networks built in the runtime that was asked for, or the fastest, once it has been seen to be right."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from l3embed.errors import OpenL3Error, OpenL3Warning
from l3embed.networks.folding import FoldedLayer
from l3embed.runtimes.base import AUTO, Embedder, Placement
from l3embed.runtimes.choice import RUNTIMES, choose_runtime
from l3embed.runtimes.self_test import self_test_fault
from l3embed.variants import Variant


def build_embedder(variant: Variant, layers: Sequence[FoldedLayer], placement: Placement) -> Embedder:
    """Build a network; ``auto`` goes on to the next runtime if one fails its self-test.

    Raises
    ------
    OpenL3Error
        If the runtime, the device or the precision is not to be had here, or fails its self-test.

    Warns
    -----
    OpenL3Warning
        If a runtime that would be faster fails its self-test.
    """
    failed: list[str] = []
    while True:
        name, device = choose_runtime(variant, placement, without=failed)
        fault = self_test_fault(name, variant, device, placement.threads)
        if not fault:
            return RUNTIMES[name].load().build(variant, layers, device, placement.threads)
        if placement.runtime != AUTO:
            others = " or ".join([*(other for other in RUNTIMES if other != name), AUTO])
            packages = ", ".join(RUNTIMES[name].packages)
            raise OpenL3Error(f"{fault}. Use runtime {others}, or install another version of {packages}.")
        failed.append(name)
        warnings.warn(f"{fault}. Another runtime is used instead.", OpenL3Warning, stacklevel=2)

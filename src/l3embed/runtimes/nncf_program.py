"""The program that has NNCF make a network's int8 one: ``python -m l3embed.runtimes.nncf_program FOLDER``.

A process of its own, since NNCF writes to standard output, changes how Python logs, and would report its use
to its makers. The folder holds the network in float32, the items to calibrate it with, and then the result.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

FLOAT32, ITEMS, INT8 = "float32.xml", "items.npy", "int8.xml"

SILENCE = {"NNCF_CI": "1"}
"""Environment variables with which NNCF reports to nobody."""

SETTINGS = {
    "preset": "mixed",
    "activations": "minmax",
    "overflow_fix": "disable",
    "bias_correction": "full",
}
"""How it is made, for the name that the result is kept under.

By default NNCF takes the mean of the items' largest numbers for a range, which cuts off those of louder
windows: calibrated so, the centred cosine to float32 was between 0.83 and 0.98. Processors whose products of
int8 overflow are refused (`l3embed.runtimes.processor.precision_fault`), and need no care here.
"""


def main(folder: Path) -> None:
    """Read a folder's network and items, and write the int8 network to it."""
    import nncf
    import openvino
    from nncf.quantization.advanced_parameters import OverflowFix
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    model = openvino.Core().read_model(folder / FLOAT32)
    items = np.load(folder / ITEMS)
    quantized = nncf.quantize(
        model,
        nncf.Dataset([item[np.newaxis] for item in items]),
        subset_size=len(items),
        preset=nncf.QuantizationPreset.MIXED,
        fast_bias_correction=False,
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            overflow_fix=OverflowFix.DISABLE,
            activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX,
        ),
    )
    openvino.save_model(quantized, folder / INT8, compress_to_fp16=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""NNCF itself, on a whole network: slim ones have too few numbers for the errors to cancel out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import NEEDS_OPENVINO

from l3embed.models.running import load_network
from l3embed.runtimes.base import Placement
from l3embed.runtimes.calibration import read_calibration
from l3embed.runtimes.processor import has_int8
from l3embed.runtimes.quantization import centred_cosines
from l3embed.variants import AudioVariant, Device, InputRepr, Precision
from l3embed.weights.source import RandomWeights

VARIANT = AudioVariant(InputRepr.MEL128, embedding_size=512, precision=Precision.INT8)
IN_FLOAT32 = replace(VARIANT, precision=Precision.FLOAT32)


@NEEDS_OPENVINO
@pytest.mark.skipif(not has_int8(), reason="the processor has no instructions for int8")
@pytest.mark.slow
def test_it_makes_a_network_that_is_near_float32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nncf")
    monkeypatch.setenv("L3EMBED_CACHE", str(tmp_path / "cache"))
    items = read_calibration(VARIANT).held_out

    in_int8, in_float32 = (
        load_network(variant, RandomWeights(), Placement(Device.CPU)).embedder.embed(items)
        for variant in (VARIANT, IN_FLOAT32)
    )

    cosines = centred_cosines(in_int8, in_float32)
    assert np.median(cosines) >= 0.99
    assert cosines.min() < 0.99999  # these are other numbers

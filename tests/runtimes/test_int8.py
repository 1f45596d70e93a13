"""Networks in int8: made once and kept, seen to be near float32, and refused where they are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import NEEDS_OPENVINO

from l3embed import OpenL3Error
from l3embed.inputs.windows import Framing
from l3embed.networks.folding import FoldedLayer, WeightedConv
from l3embed.progress import quietly
from l3embed.runtimes import quantization
from l3embed.runtimes.calibration import Calibration, calibration_checksum, read_calibration
from l3embed.runtimes.nncf_program import INT8
from l3embed.runtimes.openvino import build
from l3embed.runtimes.quantization import quantization_fault, quantized_network
from l3embed.stages.network import ChosenNetwork
from l3embed.variants import AudioVariant, Device, Frontend, ImageVariant, InputRepr, Precision, Variant
from l3embed.weights.file import describe_weights

from .test_contract import folded, some_items

pytestmark = NEEDS_OPENVINO

VARIANT = AudioVariant(InputRepr.MEL128, embedding_size=512, precision=Precision.INT8)
IN_FLOAT32 = replace(VARIANT, precision=Precision.FLOAT32)

Spoil = Callable[[Any], None]


class StandIn:
    """In place of NNCF: what it makes of a network is the network, or what `spoil` makes of its numbers."""

    def __init__(self) -> None:
        self.runs = 0
        self.spoil: Spoil = lambda numbers: None

    def quantize(self, model: Any, calibration: Calibration, folder: Path) -> None:
        import openvino

        self.runs += 1
        path = folder / INT8
        openvino.save_model(model, path, compress_to_fp16=False)
        numbers = np.fromfile(path.with_suffix(".bin"), np.float32)
        self.spoil(numbers)
        numbers.tofile(path.with_suffix(".bin"))


@pytest.fixture
def nncf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> StandIn:
    """A stand-in for NNCF, and an empty cache; a few items of noise to calibrate with."""
    stand_in = StandIn()
    noise = Calibration(some_items(VARIANT, 4), some_items(VARIANT, 4, seed=1))
    monkeypatch.setenv("L3EMBED_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(quantization, "_has_nncf", lambda: True)
    monkeypatch.setattr(quantization, "_quantize", stand_in.quantize)
    monkeypatch.setattr(quantization, "read_calibration", lambda variant: noise)
    return stand_in


def kept(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "int8").glob("*.npz"))


def layers(slim_weights: Path) -> list[FoldedLayer]:
    return folded(VARIANT, slim_weights)


def test_it_computes_with_the_network_that_was_made(nncf: StandIn, slim_weights: Path) -> None:
    items = some_items(VARIANT, 2, seed=2)

    found = build(VARIANT, layers(slim_weights), Device.CPU, threads=0).embed(items)

    expected = build(IN_FLOAT32, layers(slim_weights), Device.CPU, threads=0).embed(items)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
    assert nncf.runs == 1


def test_it_is_made_once(nncf: StandIn, slim_weights: Path, tmp_path: Path) -> None:
    for _ in range(2):
        build(VARIANT, layers(slim_weights), Device.CPU, threads=0)

    assert nncf.runs == 1
    assert len(kept(tmp_path)) == 1


@pytest.mark.usefixtures("nncf")
@pytest.mark.parametrize(
    ("is_quiet", "said"),
    [(False, f"Making {VARIANT.name}, once: a minute.\n"), (True, "")],
    ids=["told", "quiet"],
)
def test_that_it_is_made_is_told_unless_that_is_not_wanted(
    is_quiet: bool, said: str, slim_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with quietly(is_quiet):
        quantized_network(VARIANT, layers(slim_weights))
    assert capsys.readouterr().err == said


def test_without_nncf_the_kept_one_is_used(
    nncf: StandIn, slim_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(VARIANT, layers(slim_weights), Device.CPU, threads=0)
    monkeypatch.setattr(quantization, "_has_nncf", lambda: False)

    assert quantization_fault(VARIANT) == ""
    build(VARIANT, layers(slim_weights), Device.CPU, threads=0)

    assert nncf.runs == 1


@pytest.mark.usefixtures("nncf")
def test_without_nncf_and_without_a_kept_one_it_is_an_error_that_says_how_to_install_it(
    slim_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantization, "_has_nncf", lambda: False)

    assert "pip install 'l3embed[int8]'" in quantization_fault(VARIANT)
    with pytest.raises(OpenL3Error, match=r"needs NNCF.*pip install 'l3embed\[int8\]'"):
        build(VARIANT, layers(slim_weights), Device.CPU, threads=0)


def test_other_weights_are_another_network(nncf: StandIn, slim_weights: Path, tmp_path: Path) -> None:
    quantized_network(VARIANT, layers(slim_weights))
    changed = [
        replace(layer, bias=layer.bias + 1e-3) if isinstance(layer, WeightedConv) else layer
        for layer in layers(slim_weights)
    ]

    quantized_network(VARIANT, changed)

    assert nncf.runs == 2
    assert len(kept(tmp_path)) == 2


def test_a_damaged_one_is_made_anew(nncf: StandIn, slim_weights: Path, tmp_path: Path) -> None:
    quantized_network(VARIANT, layers(slim_weights))
    (path,) = kept(tmp_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    build(VARIANT, layers(slim_weights), Device.CPU, threads=0)

    assert nncf.runs == 2


def test_one_that_is_too_far_from_float32_is_refused_and_not_kept(
    nncf: StandIn, slim_weights: Path, tmp_path: Path
) -> None:
    def make_noise(numbers: Any) -> None:
        is_weight = (np.abs(numbers) > 1e-6) & (np.abs(numbers) < 1e3)  # the others are shapes and the like
        numbers[is_weight] += np.random.default_rng(0).standard_normal(is_weight.sum()) / 10

    nncf.spoil = make_noise

    with pytest.raises(OpenL3Error, match=r"too far from float32.* at least 0\.99.*image_precision"):
        quantized_network(VARIANT, layers(slim_weights))

    assert kept(tmp_path) == []


@pytest.mark.usefixtures("nncf")
def test_one_that_computes_otherwise_here_than_where_it_was_made_is_an_error(
    slim_weights: Path, tmp_path: Path
) -> None:
    made = quantized_network(VARIANT, layers(slim_weights))
    (path,) = kept(tmp_path)
    quantization._write(path, replace(made, embeddings=1.1 * made.embeddings))

    with pytest.raises(OpenL3Error, match=r"computes wrong numbers in int8: .* off by 9\.1e-02"):
        build(VARIANT, layers(slim_weights), Device.CPU, threads=0)


def test_what_nncf_said_last_is_told_when_it_fails(
    slim_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nncf.py").write_text("raise RuntimeError('out of luck')")
    monkeypatch.setenv("L3EMBED_CACHE", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(OpenL3Error, match=r"NNCF .* has failed \(status 1\)(.|\n)*RuntimeError: out of luck"):
        quantized_network(VARIANT, layers(slim_weights))

    assert kept(tmp_path) == []


@pytest.mark.usefixtures("nncf")
def test_results_are_kept_under_the_network_that_was_made(slim_weights: Path, tmp_path: Path) -> None:
    """In the pipeline's store: NNCF of another version may make another one of the same weights."""
    file = describe_weights(slim_weights / f"openl3_{VARIANT.weight_set.name}.h5")

    def parameters(variant: AudioVariant) -> dict[str, Any]:
        return ChosenNetwork(variant, file, "0", Framing()).parameters

    before = parameters(VARIANT)
    (path,) = kept(tmp_path)
    made = quantized_network(VARIANT, layers(slim_weights))
    quantization._write(path, replace(made, embeddings=made.embeddings + 1))

    assert parameters(VARIANT)["quantized_sha256"] != before["quantized_sha256"]
    assert parameters(VARIANT)["variant"] == "audio_mel128_music_512_kapre_int8"
    assert "quantized_sha256" not in parameters(IN_FLOAT32)


@pytest.mark.parametrize(
    ("variant", "least"), [(VARIANT, 8), (ImageVariant(precision=Precision.INT8), 8)], ids=["audio", "image"]
)
def test_every_other_item_of_the_carried_files_is_held_out(variant: Variant, least: int) -> None:
    found = read_calibration(variant)

    assert len(found.held_out) >= least
    assert len(found.items) - len(found.held_out) in (0, 1)
    for part in (found.items, found.held_out):
        assert part.shape[1:] == variant.network_shape
        assert part.dtype == np.float32
    assert not any(np.array_equal(item, other) for item in found.items for other in found.held_out)


def test_each_frontend_is_calibrated_for_itself() -> None:
    by_librosa = replace(VARIANT, frontend=Frontend.LIBROSA)

    assert calibration_checksum(by_librosa) != calibration_checksum(VARIANT)

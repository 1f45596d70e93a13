"""A new runtime is one module and one row of the table: this file is such a module, and `ROW` its row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from conftest import WriteWav, noise

from l3embed import OpenL3Error, get_audio_embedding, preprocess_audio
from l3embed.app.groups import RuntimeSettings
from l3embed.cli.main import main
from l3embed.networks.folding import FoldedLayer
from l3embed.runtimes import building, choice
from l3embed.runtimes.base import Embedder, Placement
from l3embed.runtimes.choice import RUNTIMES, Row, choose_runtime, runtime_packages
from l3embed.store.code import STEPS
from l3embed.store.recipe import Step
from l3embed.variants import AudioVariant, Device, Precision, Variant

ROW = Row(__name__, requires="numpy", packages=("standin-package",))

AUDIO: dict[str, Any] = {"input_repr": "mel128", "embedding_size": 512, "hop_size": 0.5, "verbose": 0}


def fault(variant: Variant, device: Device) -> str:
    return "" if variant.precision is Precision.FLOAT32 else "The stand-in computes in float32 alone."


def build(variant: Variant, layers: Iterable[FoldedLayer], device: Device, threads: int) -> Embedder:
    return Means(variant, len(list(layers)))


class Means:
    """The number of the network's layers, and means of all that comes in."""

    device = Device.CPU
    runtime = "standin"
    batches_at_once = 1

    def __init__(self, variant: Variant, layers: int) -> None:
        self.input_shape, self.embedding_size = variant.network_shape, variant.embedding_size
        self._layers = layers

    def embed(self, batch: npt.NDArray[np.float32], stop: Event | None = None) -> npt.NDArray[np.float32]:
        embeddings = np.empty((len(batch), self.embedding_size), np.float32)
        embeddings[:] = batch.reshape(len(batch), -1).mean(axis=1)[:, np.newaxis]
        embeddings[:, 0] = self._layers
        return embeddings


@pytest.fixture(autouse=True)
def _is_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RUNTIMES, "standin", ROW)
    # A real one has to compute what its layers say; this would be found out.
    monkeypatch.setattr(building, "self_test_fault", lambda *_: "")


def test_it_computes_the_embeddings(slim_weights: Path) -> None:
    spectrograms = preprocess_audio(noise(1.5), 48_000, hop_size=0.5, input_repr="mel128")

    embedding, _ = get_audio_embedding(
        noise(1.5), 48_000, runtime="standin", frontend="librosa", weights=str(slim_weights), **AUDIO
    )

    assert embedding.shape == (len(spectrograms), 512)
    assert (embedding[:, 0] > 8).all()  # eight convolutions, and what lies between them
    means = spectrograms.mean(axis=(1, 2, 3))[:, np.newaxis]
    np.testing.assert_allclose(embedding[:, 1:], np.tile(means, 511), rtol=1e-6)


def test_the_command_line_takes_it_and_the_output_says_so(
    slim_weights: Path, write_wav: WriteWav, tmp_path: Path
) -> None:
    path = write_wav("a.wav")
    options = ["-i", "mel128", "-as", "512", "--weights", str(slim_weights), "--runtime", "standin"]

    assert main(["audio", str(path), "--quiet", *options]) == 0

    with np.load(tmp_path / "a.npz") as arrays:
        assert str(arrays["runtime"]) == "standin"


def test_the_command_line_lists_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["audio", "--help"])

    assert "--runtime {auto,keras,ncnn,openvino,standin,torch}" in capsys.readouterr().out


def test_the_settings_take_it() -> None:
    assert RuntimeSettings(name="standin").name == "standin"


def test_a_word_for_no_runtime_is_an_error_that_lists_it() -> None:
    expected = r"^runtime must be one of auto, keras, ncnn, openvino, standin, torch; got 'x'\.$"
    with pytest.raises(OpenL3Error, match=expected):
        get_audio_embedding(noise(1.0), 48_000, runtime="x")


def test_its_packages_decide_about_results() -> None:
    assert "standin-package" in runtime_packages()
    assert set(runtime_packages()) - {"standin-package"} <= set(STEPS[Step.EMBED].packages)


@pytest.mark.parametrize(("precision", "expected"), [("float32", "standin"), ("bfloat16", "keras")])
def test_auto_takes_the_first_that_can_do_it(
    precision: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "RUNTIMES", {"standin": ROW, "keras": RUNTIMES["keras"]})
    monkeypatch.setattr("l3embed.runtimes.processor.has_bfloat16", lambda: True)
    variant = AudioVariant(precision=Precision(precision))

    assert choose_runtime(variant, Placement(Device.CPU)) == (expected, Device.CPU)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "bfloat16"}, "The stand-in computes in float32 alone"),
        (
            {"device": "gpu"},
            "runtime standin is for the CPU; got device gpu. Use runtime torch or keras or auto",
        ),
        ({"frontend": "kapre_graph"}, "got runtime standin. Use frontend kapre, or runtime torch or keras"),
    ],
    ids=["precision", "device", "frontend"],
)
def test_what_it_cannot_do_is_an_error(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OpenL3Error, match=message):
        get_audio_embedding(noise(1.0), 48_000, runtime="standin", **options)


def test_where_it_is_not_installed_is_told_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RUNTIMES, "standin", replace(ROW, requires="no_such_package"))

    with pytest.raises(OpenL3Error, match="runtime is standin, which is not installed: pip install no_such"):
        get_audio_embedding(noise(1.0), 48_000, runtime="standin")


def test_a_given_model_does_not_run_in_it(tiny_model: Any) -> None:
    with pytest.raises(OpenL3Error, match=r"runtime is standin, .* Use runtime keras or auto"):
        get_audio_embedding(noise(1.0), 48_000, tiny_model, runtime="standin")

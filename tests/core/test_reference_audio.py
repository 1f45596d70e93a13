"""The release's stored audio outputs: windows, spectrograms and embeddings are the same numbers.

`tests/data/reference` holds what openl3 0.4.2 computed, unchanged, with the seeded weights. Differences
are measured as the largest one over the largest magnitude.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from conftest import NEEDS_TORCH, OTHER_RUNTIMES, reference

import l3embed as openl3
from l3embed.frontends import kapre, kapre_layers, librosa
from l3embed.models.running import load_network
from l3embed.runtimes.base import Placement
from l3embed.runtimes.keras import model_embedder
from l3embed.variants import AudioVariant, Device, Frontend, InputRepr
from l3embed.weights.source import RandomWeights

SAME_AUDIO = 1e-5
"""Of embeddings and spectrograms that start from the very same samples."""

RESAMPLED_AUDIO = 1e-2
"""Of embeddings of resampled audio: the release's own rounding moves bins at rounding level this far."""

RESAMPLED_SAMPLES = 1e-7
DYNAMIC_RANGE_DB = 80.0
FEW_NETWORKS = 2

CASES: list[dict[str, Any]] = json.loads((reference("outputs/index.json")).read_text())


@pytest.fixture(autouse=True)
def _few_networks_at_once() -> Iterator[None]:
    """Let go of those of earlier cases, each of which takes some 0.2 GB."""
    yield
    if load_network.cache_info().currsize > FEW_NETWORKS:
        load_network.cache_clear()


def cases(kind: str) -> pytest.MarkDecorator:
    """Parametrise over the cases of a kind, each with its name; those of one model follow one another."""
    chosen = [case for case in CASES if case["kind"] == kind]
    by_model = sorted(chosen, key=lambda case: [str(case.get(key)) for key in ("input_repr", "content_type")])
    return pytest.mark.parametrize("case", by_model, ids=lambda case: case["case"])


def stored(name: str) -> dict[str, npt.NDArray[Any]]:
    with np.load(reference(f"outputs/{name}.npz")) as arrays:
        return dict(arrays)


def read_input(case: dict[str, Any]) -> tuple[npt.NDArray[np.float64], int]:
    samples, sample_rate_hz = soundfile.read(reference(f"inputs/{case['file']}"))
    return samples, sample_rate_hz


def relative_difference(ours: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> float:
    assert ours.shape == theirs.shape
    return float(np.abs(ours.astype(float) - theirs).max() / np.abs(theirs).max())


def our_window(case: dict[str, Any]) -> npt.NDArray[np.floating]:
    """Our window of the case's number, in double precision, shape ``(1, 1, 48000)``."""
    windows = openl3.preprocess_audio(*read_input(case), hop_size=case["hop_size"])
    index = case["index"]
    return windows[index : index + 1]


@cache
def stored_window(file: str) -> npt.NDArray[np.float32]:
    return stored(f"window__{file.split('.')[0]}")["window"]


def test_every_audio_case_is_there() -> None:
    kinds = [case["kind"] for case in CASES]
    assert (kinds.count("audio"), kinds.count("window"), kinds.count("spectrogram")) == (36, 2, 6)


@cases("window")
def test_windows(case: dict[str, Any]) -> None:
    assert relative_difference(our_window(case), stored(case["case"])["window"]) < RESAMPLED_SAMPLES


@cases("spectrogram")
def test_kapre_spectrograms_of_the_stored_window(case: dict[str, Any]) -> None:
    spectrogram = kapre.spectrograms(stored_window(case["file"])[:, 0], InputRepr(case["input_repr"]))
    difference_db = np.abs(spectrogram - stored(case["case"])["kapre"]).max()
    assert difference_db < 1e-4


@cases("spectrogram")
def test_kapre_layers_of_the_stored_window(case: dict[str, Any]) -> None:
    spectrogram = kapre_layers.spectrogram_layer(InputRepr(case["input_repr"]))(stored_window(case["file"]))
    difference_db = np.abs(np.asarray(spectrogram) - stored(case["case"])["kapre"]).max()
    assert difference_db / DYNAMIC_RANGE_DB < SAME_AUDIO


@cases("spectrogram")
def test_librosa_spectrograms(case: dict[str, Any]) -> None:
    # From our samples rather than the stored window: the release computed these in double precision, from
    # samples that it rounded to single precision only to store them.
    spectrogram = librosa.spectrograms(our_window(case)[:, 0], InputRepr(case["input_repr"]))
    difference_db = np.abs(spectrogram - stored(case["case"])["librosa"]).max()
    assert difference_db / DYNAMIC_RANGE_DB < SAME_AUDIO


@cases("spectrogram")
def test_kapre_in_the_graph_is_the_stored_spectrogram_through_the_network(case: dict[str, Any]) -> None:
    variant = AudioVariant(InputRepr(case["input_repr"]), embedding_size=512)
    in_graph = replace(variant, frontend=Frontend.KAPRE_GRAPH)
    on_cpu = Placement(Device.CPU)

    embedding = load_network(in_graph, RandomWeights(), on_cpu).embedder.embed(stored_window(case["file"]))

    expected = load_network(variant, RandomWeights(), on_cpu).embedder.embed(stored(case["case"])["kapre"])
    assert relative_difference(embedding, expected) < SAME_AUDIO


@cases("spectrogram")
def test_the_network_takes_the_stored_spectrograms(case: dict[str, Any]) -> None:
    """Samples through the model with kapre's layers are the stored spectrograms through the one without."""
    input_repr = case["input_repr"]
    from_samples = openl3.models.load_audio_embedding_model(input_repr, "music", 512)
    from_spectrograms = openl3.models.load_audio_embedding_model(input_repr, "music", 512, frontend="librosa")
    embedding = model_embedder(from_samples).embed(stored_window(case["file"]))
    expected = model_embedder(from_spectrograms).embed(stored(case["case"])["kapre"])
    assert relative_difference(embedding, expected) < SAME_AUDIO


def is_quick(case: dict[str, Any]) -> bool:
    """Whether a case is one of the few, of every representation and frontend, that always run everywhere."""
    expected = {"file": "rain_22k_mono.wav", "content_type": "music", "embedding_size": 512, "hop_size": 0.5}
    return case["file"] == "notes_48k_mono.flac" or expected.items() <= case.items()


def runs() -> list[Any]:
    """All audio cases in the runtime that is chosen by itself, and on the CPU in the others there are."""
    chosen = [case for case in CASES if case["kind"] == "audio"]
    keys = ("input_repr", "content_type", "embedding_size", "frontend")
    by_model = sorted(chosen, key=lambda case: [str(case[key]) for key in keys])
    return [
        *(pytest.param(case, {}, id=f"{case['case']}-auto") for case in by_model),
        *(
            pytest.param(
                case,
                {"runtime": runtime, "device": "cpu"},
                id=f"{case['case']}-{runtime}",
                marks=[] if is_quick(case) else pytest.mark.slow,
            )
            for runtime in OTHER_RUNTIMES
            for case in by_model
        ),
    ]


def check_embedding(case: dict[str, Any], options: dict[str, Any]) -> None:
    audio, sample_rate_hz = read_input(case)
    names = ("input_repr", "content_type", "embedding_size", "center", "hop_size", "frontend")
    options = {**{name: case[name] for name in names}, **options}
    embedding, timestamps = openl3.get_audio_embedding(audio, sample_rate_hz, **options, verbose=0)

    expected = stored(case["case"])
    tolerance = SAME_AUDIO if sample_rate_hz == 48_000 else RESAMPLED_AUDIO
    assert isinstance(embedding, np.ndarray)
    assert embedding.dtype == np.float32
    assert relative_difference(embedding, expected["embedding"]) < tolerance
    np.testing.assert_array_equal(timestamps, expected["timestamps"])


@pytest.mark.filterwarnings("ignore:.*shorter than one window")
@pytest.mark.parametrize(("case", "options"), runs())
def test_embeddings(case: dict[str, Any], options: dict[str, Any]) -> None:
    check_embedding(case, options)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case["case"])
        for case in CASES
        if case["kind"] == "audio" and is_quick(case) and case["frontend"] == "kapre"
    ],
)
@pytest.mark.parametrize("runtime", ["keras", pytest.param("torch", marks=NEEDS_TORCH)])
def test_embeddings_with_kapre_in_the_graph(runtime: str, case: dict[str, Any]) -> None:
    check_embedding(case, {"frontend": "kapre_graph", "runtime": runtime, "device": "cpu"})

"""`l3embed.interfaces.hoplite`: our half of perch-hoplite's contract; its own half is a stand-in here.

`test_clients.py` runs it in perch-hoplite itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from conftest import noise

import l3embed
from l3embed import OpenL3Error
from l3embed.errors import OpenL3Warning
from l3embed.runtimes.base import FrameworkError


@dataclass
class EmbeddingModel:
    """As in perch-hoplite: of its fields, the only one that all models have."""

    sample_rate: int


@dataclass
class InferenceOutputs:
    """As in perch-hoplite, without what OpenL3 has nothing for."""

    embeddings: npt.NDArray[np.float32] | None = None
    batched: bool = False


@pytest.fixture(scope="module")
def interface() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("perch_hoplite", "perch_hoplite.zoo", "perch_hoplite.zoo.zoo_interface"):
            patch.setitem(sys.modules, name, ModuleType(name))
        content = vars(sys.modules["perch_hoplite.zoo.zoo_interface"])
        content.update(EmbeddingModel=EmbeddingModel, InferenceOutputs=InferenceOutputs)
        patch.delitem(sys.modules, "l3embed.interfaces.hoplite", raising=False)
        yield import_module("l3embed.interfaces.hoplite")
        del sys.modules["l3embed.interfaces.hoplite"]


@pytest.fixture(scope="module")
def config(slim_weights: Path) -> dict[str, Any]:
    return {"input_repr": "mel128", "weights": str(slim_weights), "hop_size_s": 0.5, "normalize": False}


def embed(samples: npt.NDArray[Any], config: dict[str, Any], rate_hz: int = 48_000) -> Any:
    return l3embed.get_audio_embedding(
        samples,
        rate_hz,
        input_repr="mel128",
        embedding_size=512,
        center=False,
        hop_size=0.5,
        weights=config["weights"],
        verbose=False,
    )[0]


def test_a_sound_s_windows_begin_with_it(interface: ModuleType, config: dict[str, Any]) -> None:
    model = interface.OpenL3Model.from_config(config)
    samples = noise(2.2).astype(np.float32)

    embeddings = model.embed(samples).embeddings

    assert (embeddings.shape, embeddings.dtype) == ((4, 1, 512), np.float32)
    np.testing.assert_array_equal(embeddings[:, 0], embed(samples, config))
    assert (model.sample_rate, model.window_size_s, model.hop_size_s) == (48_000, 1, 0.5)


def test_a_batch_is_its_sounds(interface: ModuleType, config: dict[str, Any]) -> None:
    model = interface.OpenL3Model.from_config(config)
    batch = np.stack([noise(1.5), noise(1.5, seed=1)])

    outputs = model.batch_embed(batch)

    assert outputs.batched
    for embeddings, samples in zip(outputs.embeddings, batch, strict=True):
        np.testing.assert_array_equal(embeddings, model.embed(samples).embeddings)


def test_normalized_embeddings_have_the_length_one(interface: ModuleType, config: dict[str, Any]) -> None:
    model = interface.OpenL3Model.from_config({**config, "normalize": True, "sample_rate": 16_000})
    samples = noise(1.5, 16_000)

    embeddings = model.embed(samples).embeddings[:, 0]

    expected = embed(samples, config, 16_000)
    np.testing.assert_allclose((embeddings**2).sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(embeddings * np.linalg.norm(expected, axis=1)[:, None], expected, rtol=1e-4)


def test_a_faulty_sound_gets_no_embeddings_and_a_warning(
    interface: ModuleType, config: dict[str, Any]
) -> None:
    """An error would end hoplite's run over all files."""
    model = interface.OpenL3Model.from_config(config)

    with pytest.warns(OpenL3Warning, match=r"A sound was left out\. Audio must hold finite numbers"):
        assert model.embed(np.full(48_000, np.nan)).embeddings is None


def test_a_network_that_fails_is_an_error(
    interface: ModuleType, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = interface.OpenL3Model.from_config(config)

    def fail(*_: Any, **__: Any) -> None:
        raise FrameworkError("no memory")

    monkeypatch.setattr("l3embed.interfaces.network_choice.get_audio_embedding", fail)
    with pytest.raises(FrameworkError, match="no memory"):
        model.embed(noise(1.0))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"hop_s": 1}, "The config may have sample_rate, window_size_s, .*; got hop_s"),
        ({"window_size_s": 5.0}, r"window_size_s must be 1; got 5\.0"),
        ({"input_repr": "mel64"}, "input_repr must be one of linear, mel128, mel256; got 'mel64'"),
        ({"weights": "nowhere.h5"}, r"There is no weight file nowhere\.h5"),
    ],
    ids=["unknown", "window", "representation", "weights"],
)
def test_what_is_not_allowed_is_an_error_at_once(
    more: dict[str, Any], words: str, interface: ModuleType, config: dict[str, Any]
) -> None:
    with pytest.raises(OpenL3Error, match=words):
        interface.OpenL3Model.from_config({**config, **more})

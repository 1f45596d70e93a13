"""`l3embed.interfaces.mteb`: our half of MTEB's contract; its own half is a stand-in here.

`test_clients.py` runs it in MTEB itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import noise

import l3embed
from l3embed import OpenL3Error

TASK = SimpleNamespace(name="Task")
CALL: dict[str, Any] = {"task_metadata": TASK, "hf_split": "test", "hf_subset": "default"}


def stand_in(name: str, **content: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(content)
    return module


@pytest.fixture(scope="module")
def interface() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        models = stand_in("mteb.models", ModelMeta=SimpleNamespace)
        patch.setitem(sys.modules, "mteb", stand_in("mteb", models=models))
        patch.setitem(sys.modules, "mteb.models", models)
        patch.setitem(sys.modules, "mteb.models.abs_encoder", stand_in("abs_encoder", AbsEncoder=object))
        patch.delitem(sys.modules, "l3embed.interfaces.mteb", raising=False)
        yield import_module("l3embed.interfaces.mteb")
        del sys.modules["l3embed.interfaces.mteb"]


@pytest.fixture(scope="module")
def meta(interface: ModuleType, slim_weights: Path) -> Any:
    return interface.model_meta("mel128", weights=slim_weights)


@pytest.fixture(scope="module")
def encoder(meta: Any) -> Any:
    return meta.loader(meta.name, meta.revision, device="cpu", **meta.loader_kwargs)


def test_sounds_of_any_rate_and_channels_are_means_of_their_embeddings(
    encoder: Any, slim_weights: Path
) -> None:
    mono, stereo = noise(1.5, 16_000), np.stack([noise(1.2), noise(1.2, seed=1)])
    batches = [
        {"audio": [{"array": mono.tolist(), "sampling_rate": 16_000}]},
        {"audio": [{"array": stereo, "sampling_rate": 48_000}]},
    ]

    rows = encoder.encode(batches, **CALL)

    assert (rows.shape, rows.dtype) == ((2, 512), np.float32)
    for row, (samples, rate_hz) in zip(rows, [(mono, 16_000), (stereo.T, 48_000)], strict=True):
        expected, _ = l3embed.get_audio_embedding(
            samples,
            rate_hz,
            input_repr="mel128",
            embedding_size=512,
            hop_size=0.5,
            weights=str(slim_weights),
            verbose=False,
        )
        np.testing.assert_allclose(row, expected.mean(axis=0), rtol=1e-6)


def test_no_sounds_are_no_rows(encoder: Any) -> None:
    assert encoder.encode([], **CALL).shape == (0, 512)


def test_a_task_of_something_else_is_an_error(encoder: Any) -> None:
    with pytest.raises(OpenL3Error, match=r"OpenL3 embeds sounds; the task Task gives text\. Choose tasks"):
        encoder.encode([{"text": ["words"]}], **CALL)


def test_results_of_other_weights_and_hops_have_another_revision(
    interface: ModuleType, meta: Any, slim_weights: Path
) -> None:
    others = [
        interface.model_meta("mel128", weights="random:987654"),
        interface.model_meta("mel128", weights=slim_weights, hop_s=0.1),
    ]

    assert meta.revision == "random-20260101-hop-0.5"
    assert len({meta.revision, *(other.revision for other in others)}) == 3
    assert {meta.name, *(other.name for other in others)} == {"l3embed/openl3-mel128-music-512"}


def test_it_says_what_mteb_asks_for(interface: ModuleType) -> None:
    meta = interface.model_meta("linear", "env", 6144, weights="published")

    assert (meta.name, meta.embed_dim, meta.modalities) == ("l3embed/openl3-linear-env-6144", 6144, ["audio"])


def test_it_has_as_many_parameters_as_the_network(interface: ModuleType) -> None:
    """As the Keras model counts them: 4,689,860, those of batch norms that are not trained included."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("l3embed.networks.layers.BLOCK_FILTERS", (64, 128, 256, 512))
        assert interface.model_meta(weights="published").n_parameters == 4_689_860

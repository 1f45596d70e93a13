"""Words and environment variables that name a source of weights."""

from pathlib import Path

import pytest

from l3embed.errors import OpenL3Error
from l3embed.weights.source import (
    PublishedWeights,
    RandomWeights,
    WeightsDirectory,
    WeightsSource,
    parse_weights_source,
    weights_source_from_environment,
)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("published", PublishedWeights(None)),
        ("random", RandomWeights(20260101)),
        ("random:0", RandomWeights(0)),
        ("random:42", RandomWeights(42)),
    ],
)
def test_words(text: str, source: WeightsSource) -> None:
    assert parse_weights_source(text) == source


def test_a_directory(tmp_path: Path) -> None:
    assert parse_weights_source(str(tmp_path)) == WeightsDirectory(tmp_path)


@pytest.mark.parametrize("text", ["", "Published", "no/such/directory"])
def test_what_is_none_of_them_is_refused(text: str) -> None:
    with pytest.raises(OpenL3Error, match="published, random, random:SEED or the path") as caught:
        parse_weights_source(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("seed", ["-1", "", "1.5", "x", " 1", "1_0", "²"])
def test_a_seed_is_an_integer_from_0_on(seed: str) -> None:
    with pytest.raises(OpenL3Error, match="an integer from 0 on") as caught:
        parse_weights_source(f"random:{seed}")
    assert repr(seed) in str(caught.value)


def test_a_negative_seed_is_refused_in_code_as_well() -> None:
    with pytest.raises(OpenL3Error, match="an integer from 0 on; got '-1'"):
        RandomWeights(-1)


@pytest.mark.parametrize("value", [None, ""])
def test_the_environment_says_published_by_default(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is not None:
        monkeypatch.setenv("L3EMBED_WEIGHTS", value)
    assert weights_source_from_environment() == PublishedWeights()


def test_the_environment_names_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("L3EMBED_WEIGHTS", "random:5")
    assert weights_source_from_environment() == RandomWeights(5)


def test_an_explicit_base_address_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("L3EMBED_WEIGHTS_URL", "https://mirror.example/environment")
    assert PublishedWeights("https://mirror.example/a/").resolve_base_url() == "https://mirror.example/a"
    assert PublishedWeights().resolve_base_url() == "https://mirror.example/environment"


def test_without_any_base_address_the_project_serves() -> None:
    assert PublishedWeights().resolve_base_url().startswith("https://github.com/marl/openl3/raw/")

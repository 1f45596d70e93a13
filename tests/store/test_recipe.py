"""Keys: what makes a result another one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from l3embed.store.recipe import Recipe, Step

RECIPE = Recipe(
    Step.EMBED, "0a", {"variant": "audio_mel128", "hop_s": 0.1, "center": True}, "c0de", "numpy 2.2.6"
)


@pytest.mark.parametrize(
    "change",
    [
        {"step": Step.POOL},
        {"sha256": "0b"},
        {"parameters": {**RECIPE.parameters, "hop_s": 0.2}},
        {"parameters": {**RECIPE.parameters, "center": False}},
        {"parameters": {"variant": "audio_mel128", "hop_s": 0.1}},
        {"code": "c0df"},
        {"packages": "numpy 2.2.7"},
    ],
    ids=["step", "input", "number", "switch", "parameter less", "code", "packages"],
)
def test_every_part_of_a_recipe_changes_its_key(change: dict[str, Any]) -> None:
    assert replace(RECIPE, **change).key != RECIPE.key


def test_the_order_of_parameters_does_not_change_a_key() -> None:
    parameters = dict(reversed(list(RECIPE.parameters.items())))
    assert list(parameters) != list(RECIPE.parameters)
    assert replace(RECIPE, parameters=parameters).key == RECIPE.key


def test_a_key_stays_the_same_from_one_release_to_the_next() -> None:
    # Another way to write recipes down would make everybody's results unknown at once. By sha256sum, of:
    # {"code":"c0de","packages":"numpy 2.2.6","parameters":{"center":true,"hop_s":0.1,
    # "variant":"audio_mel128"},"sha256":"0a","step":"embed"}, without spaces and line breaks.
    assert RECIPE.key == "e05eec428b27dbe829a2a73be4a327674c863d01208f9fa382cc326f693ad2c5"

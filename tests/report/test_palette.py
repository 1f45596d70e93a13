"""Whether classes can be told apart by colour, whoever looks: both themes, simulated colour blindness."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import combinations, pairwise

import numpy as np
import pytest

from .conftest import Array

CLASSES = 8
OKABE_ITO_LEAST = 0.076
"""The least distance within the palette of Okabe and Ito, the usual one, by the measure below."""

LEAST_STEP = 0.035
"""Between neighbours of a ramp: about twice what can just be seen side by side."""

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}
# Ottosson (2020): linear RGB to cone responses, and their cube roots to OKLab.
TO_CONES = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
TO_LAB = [
    [0.2104542553, 0.793617785, -0.0040720468],
    [1.9779984951, -2.428592205, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.808675766],
]


def linear(colour: str) -> Array:
    values = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def seen(colour: str, sight: str) -> Array:
    rgb = np.clip(np.asarray(SIGHT[sight]) @ linear(colour), 0, 1)
    lab: Array = np.asarray(TO_LAB) @ np.cbrt(np.asarray(TO_CONES) @ rgb)
    return lab


def colours(theme: str) -> dict[str, str]:
    style = files("l3embed.report").joinpath("style.css").read_text(encoding="utf-8")
    light, dark = style.split("@media screen and (prefers-color-scheme: dark)", 1)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", {"light": light, "dark": dark}[theme]))


def contrast(one: str, other: str) -> float:
    luminances = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) + 0.05 for colour in (one, other))
    return luminances[1] / luminances[0]


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_any_two_classes_differ_more_than_in_the_usual_palette(theme: str, sight: str) -> None:
    shades = [seen(colours(theme)[f"class-{place}"], sight) for place in range(CLASSES)]
    assert min(np.linalg.norm(one - other) for one, other in combinations(shades, 2)) > OKABE_ITO_LEAST


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("ramp", ["right", "wrong", "length"])
def test_the_steps_of_a_ramp_are_told_apart_and_in_order(theme: str, sight: str, ramp: str) -> None:
    known = colours(theme)
    steps = [seen(colour, sight) for name, colour in known.items() if re.fullmatch(rf"{ramp}-\d", name)]
    lightness = np.diff([step[0] for step in steps])
    assert len(steps) >= 5
    assert (lightness > 0).all() or (lightness < 0).all()
    assert min(np.linalg.norm(one - other) for one, other in pairwise(steps)) > LEAST_STEP


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_sure_mistakes_are_unlike_what_is_right(theme: str, sight: str) -> None:
    known = colours(theme)
    right, wrong = (
        [seen(known[f"{name}-{step}"], sight) for step in range(5)] for name in ("right", "wrong")
    )
    apart = [np.linalg.norm(one - other) for one, other in zip(right, wrong, strict=True)]
    assert apart == sorted(apart)  # the surer, the clearer
    assert apart[-1] > 2 * OKABE_ITO_LEAST


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("ramp", ["right", "wrong", "length"])
def test_the_faintest_marks_can_be_seen(theme: str, ramp: str) -> None:
    known = colours(theme)
    shades = [colour for name, colour in known.items() if re.fullmatch(rf"{ramp}-\d", name)]
    assert min(contrast(shade, known["surface"]) for shade in shades) > 1.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_stand_out_from_the_map(theme: str) -> None:
    known = colours(theme)
    marks = [known[f"class-{place}"] for place in range(CLASSES)]
    assert min(contrast(mark, known["surface"]) for mark in marks) > 2


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "soft", "accent", "bad"])
@pytest.mark.parametrize("paper", ["page", "surface", "raised"])
def test_words_can_be_read(theme: str, ink: str, paper: str) -> None:
    known = colours(theme)
    assert contrast(known[ink], known[paper]) > 4.5

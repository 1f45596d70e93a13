"""Finding weights without a warning for each: a stage warns once of all that are untrained."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from l3embed.errors import OpenL3Warning
from l3embed.progress import say
from l3embed.variants import WeightSet
from l3embed.weights.file import WeightFile
from l3embed.weights.source import WeightsSource
from l3embed.weights.store import locate_weights


def locate_quietly(weight_set: WeightSet, source: WeightsSource) -> WeightFile:
    """Return the file of a weight set; what is untrained is left to `warn_of_untrained`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OpenL3Warning)
        return locate_weights(weight_set, source)


def warn_of_untrained(stage: str, files: Iterable[WeightFile]) -> None:
    """Say once that weights are untrained, if any are."""
    identities = sorted({file.identity for file in files if not file.trained})
    if identities:
        say(
            f"{stage}: warning: the weights ({', '.join(identities)}) are untrained: what they give are "
            "random features, good for trying things out alone; weights=published gets the trained ones"
        )

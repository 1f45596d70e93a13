"""What a result was computed from, and the key that follows from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from functools import cached_property
from typing import TypeAlias

Parameter: TypeAlias = "str | int | float | bool"


class Step(str, Enum):
    """What can be done with one input; with those of a part, at once, if they are packed."""

    PREPROCESS = "preprocess"
    EMBED = "embed"
    POOL = "pool"
    PACK = "pack"
    PREVIEW = "preview"


@dataclass(frozen=True)
class Recipe:
    """All that decides about the result of one step on one input: the same recipe, the same result.

    Parameters
    ----------
    step : Step
        What is done.
    sha256 : str
        Checksum of the input's bytes. Its name is not in here: a renamed file is the same input.
    parameters : mapping
        Those that change the result, the weights' checksum among them.
    code : str
        Checksum of the modules that do it.
    packages : str
        Versions of the packages that they use.
    """

    step: Step
    sha256: str
    parameters: Mapping[str, Parameter]
    code: str
    packages: str

    @cached_property
    def key(self) -> str:
        """The result's name in the store: 64 hexadecimal digits."""
        words = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(words.encode()).hexdigest()

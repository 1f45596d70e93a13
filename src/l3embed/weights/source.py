"""Where weights come from: the published files, a seed, or a directory."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from l3embed.errors import OpenL3Error
from l3embed.weights.random import DEFAULT_SEED
from l3embed.weights.registry import DEFAULT_BASE_URL

SOURCE_VARIABLE = "L3EMBED_WEIGHTS"
"""Environment variable that names the source of the weights."""

URL_VARIABLE = "L3EMBED_WEIGHTS_URL"
"""Environment variable with the address of a mirror of the published files."""


@dataclass(frozen=True)
class PublishedWeights:
    """The trained weights of OpenL3, fetched once from a base address and kept in the cache.

    Parameters
    ----------
    base_url
        Address of the folder that holds the files; without one, ``L3EMBED_WEIGHTS_URL`` says it, and
        without that, they come from the OpenL3 project.
    """

    base_url: str | None = None

    def resolve_base_url(self) -> str:
        """Return the address to fetch from, without a slash at its end.

        Raises
        ------
        OpenL3Error
            If it is no http or https address.
        """
        return resolve_base_url("weights", self.base_url, URL_VARIABLE, DEFAULT_BASE_URL)


@dataclass(frozen=True)
class RandomWeights:
    """Untrained weights that depend on a seed alone, for trying things out without the published ones."""

    seed: int = DEFAULT_SEED

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise _seed_error(str(self.seed))


@dataclass(frozen=True)
class WeightsDirectory:
    """Weight files that somebody has put into a directory."""

    path: Path


@dataclass(frozen=True)
class WeightsFile:
    """One weight file, whatever its name, for whatever network it is asked for."""

    path: Path


WeightsSource: TypeAlias = PublishedWeights | RandomWeights | WeightsDirectory | WeightsFile


def parse_weights_source(text: str) -> WeightsSource:
    """Turn a user's word into a source: ``published``, ``random``, ``random:SEED`` or a directory.

    Raises
    ------
    OpenL3Error
        If it is none of them.
    """
    if text == "published":
        return PublishedWeights()
    if text == "random":
        return RandomWeights()
    if text.startswith("random:"):
        return RandomWeights(_parse_seed(text.removeprefix("random:")))
    directory = Path(text).expanduser()
    if text and directory.is_dir():
        return WeightsDirectory(directory)
    raise OpenL3Error(
        f"The source of the weights must be published, random, random:SEED or the path of an existing "
        f"directory; got {text!r}. Correct it, or create the directory and put the weight files into it."
    )


def weights_source_from_environment() -> WeightsSource:
    """Return the source that ``L3EMBED_WEIGHTS`` names; without it, the published weights."""
    return parse_weights_source(os.environ.get(SOURCE_VARIABLE) or "published")


def as_weights_source(weights: str | WeightsSource | None) -> WeightsSource:
    """Return the source that an argument names, or without one the environment."""
    if weights is None:
        return weights_source_from_environment()
    return parse_weights_source(weights) if isinstance(weights, str) else weights


def source_of_identity(identity: str) -> WeightsSource | None:
    """Return where weights of an identity can be had; None if they lie wherever somebody has put them.

    Raises
    ------
    OpenL3Error
        If it is the identity of random weights, with a seed that is none.
    """
    kind = identity.partition(":")[0]
    if kind == "random":
        return parse_weights_source(identity)
    return PublishedWeights() if kind == "published" else None


def resolve_base_url(content: str, chosen: str | None, variable: str, default: str) -> str:
    """Return the address that was chosen, or that an environment variable names, or the default.

    Raises
    ------
    OpenL3Error
        If it is no http or https address; `content` says what is fetched there.
    """
    url = chosen or os.environ.get(variable) or default
    if not _is_http(url):
        raise OpenL3Error(
            f"The base address of the {content} must be an http:// or https:// address; got {url!r}. "
            f"Give another one, or unset {variable} to fetch from {default}."
        )
    return url.rstrip("/")


def _parse_seed(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise _seed_error(text)
    return int(text)


def _seed_error(text: str) -> OpenL3Error:
    return OpenL3Error(
        f"The seed of random weights must be an integer from 0 on; got {text!r}. "
        f"Write random:SEED, as in random:{DEFAULT_SEED}, or random alone for that seed."
    )


def _is_http(url: str) -> bool:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:  # an address with unbalanced brackets
        return False

"""Which code does each step: results of other code are not reused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from l3embed.runtimes.choice import runtime_packages
from l3embed.store.recipe import Parameter, Recipe, Step
from l3embed.store.sources import source_files, sources_checksum, sources_of
from l3embed.version import __version__

READING = ("imageio", "imageio-ffmpeg", "numpy", "pillow", "scikit-image", "scipy", "soundfile", "tifffile")
"""Packages that files are read with."""

NOT_INSTALLED = "none"
"""In place of a package's version."""


@dataclass(frozen=True)
class StepCode:
    """What decides about a step's results, besides its recipe's input and parameters.

    Parameters
    ----------
    sources : tuple of str
        Folders and modules of this package, relative to it: all of their stage's, or single files of those.
    packages : tuple of str
        Packages whose versions may change its numbers.
    """

    sources: tuple[str, ...]
    packages: tuple[str, ...]

    def files(self) -> Iterator[Path]:
        """Return the files of the sources, in an order that is always the same."""
        return source_files(self.sources)


STEPS = {
    Step.PREPROCESS: StepCode(sources_of("preprocess", but=("stages/dataset.py", "stages/packed")), READING),
    Step.EMBED: StepCode(
        sources_of("embed", but=("export", "stages/packed")),
        tuple(sorted(("h5py", "numpy", "scipy", *runtime_packages()))),
    ),
    Step.POOL: StepCode(("disk/rows.py", "export/moments.py", "stages/pooling.py"), ("numpy",)),
    Step.PACK: StepCode(
        (
            *("decoding", "disk/rows.py", "export/moments.py", "export/parquet.py", "frontends", "inputs"),
            *("models", "networks", "runtimes", "stages/network.py", "stages/packed/direct_inputs.py"),
            *("stages/packed/part_computing.py", "stages/packed/part_files.py"),
            *("stages/packed/part_work.py", "stages/packed/part_writing.py"),
            *("variants.py", "weights/file.py"),
        ),
        tuple(sorted({"h5py", "pyarrow", *READING, *runtime_packages()})),
    ),
    Step.PREVIEW: StepCode(
        (
            *("decoding", "inputs/media.py", "report/previews.py", "stages/stored_previews.py"),
            "variants.py",
        ),
        READING,
    ),
}
"""The code of each step, by folders where all of one does it."""


def recipe_of(step: Step, sha256: str, parameters: Mapping[str, Parameter]) -> Recipe:
    """Return the recipe of a step on an input, by the code that is here."""
    return Recipe(step, sha256, parameters, code_checksum(step), package_versions(step))


@cache
def code_checksum(step: Step) -> str:
    """Return the checksum of the code that does a step."""
    return sources_checksum(STEPS[step].sources)


@cache
def package_versions(step: Step) -> str:
    """Return the versions of the packages that a step uses, as in ``keras 3.12.4, numpy 2.2.6``."""
    return ", ".join(f"{name} {_version(name)}" for name in STEPS[step].packages)


@cache
def all_versions() -> str:
    """Return the versions of l3embed and of all installed packages that the steps use."""
    names = sorted({name for step in STEPS.values() for name in step.packages})
    return ", ".join((f"l3embed {__version__}", *installed_versions(names)))


def installed_versions(packages: Iterable[str]) -> list[str]:
    """Return packages with their versions, as in ``numpy 2.2.6``, without those that are not installed."""
    found = {name: _version(name) for name in packages}
    return [f"{name} {version}" for name, version in found.items() if version != NOT_INSTALLED]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # OpenVINO, where it has no wheels, or an extra
        return NOT_INSTALLED

"""What ``l3embed doctor`` looks at, and what it finds."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from functools import partial
from importlib import metadata
from pathlib import Path

from l3embed.cli.store import format_size
from l3embed.cli.trials import try_apart
from l3embed.disk.folders import CACHE_VARIABLE, STORE_VARIABLE, cache_folder, store_folder
from l3embed.progress import counted
from l3embed.runtimes.choice import RUNTIMES
from l3embed.variants import ALL_WEIGHT_SETS, Device
from l3embed.version import __version__

AT_ONCE = 2
"""Trials side by side: each imports a framework, which is work for one core."""

FOR_DEVELOPERS = "dev"
"""The extra that no user misses."""

REFERENCE = Path(__file__).parent.parent / "reference" / "inputs"
FILES_TO_READ = ("rain_22k_mono.wav", "notes_48k_mono.flac", "discs_224.png", "clip_12fps.mp4")
"""One of each kind, that the package carries."""


class State(str, Enum):
    """How something is; `FAULT` alone is bad."""

    WORKS = "works"
    INFO = ""
    MISSING = "not installed"
    FAULT = "FAULT"


@dataclass(frozen=True)
class Finding:
    """What was found of one thing.

    Parameters
    ----------
    section : str
        Of what kind it is, as in ``runtimes``.
    name : str
        Which.
    state : State
        How it is.
    detail : str
        Version, place, or what is wrong and what to do.
    """

    section: str
    name: str
    state: State
    detail: str


def examine() -> Iterator[Finding]:
    """Look at everything, and yield what was found, in order.

    Nothing is changed, and nothing fetched; what is tried runs in processes of its own.
    """
    looks: list[Callable[[], Finding]] = [
        *_system(),
        _choice,
        *(partial(_runtime, name) for name in RUNTIMES),
        _gpu,
        _readers,
        *(partial(_extra, name) for name in _extras()),
        _cache,
        _store,
        _weights,
    ]
    with ThreadPoolExecutor(AT_ONCE, "l3embed-doctor") as pool:
        yield from pool.map(lambda look: look(), looks)


def _system() -> list[Callable[[], Finding]]:
    return [_versions, _processor]


def _versions() -> Finding:
    detail = f"Python {platform.python_version()}, {platform.platform(terse=True)}"
    return Finding("system", f"l3embed {__version__}", State.INFO, detail)


def _processor() -> Finding:
    from l3embed.runtimes.processor import available_threads, has_bfloat16, has_int8, processor_name

    words = [counted(available_threads(), "core")]
    if memory := _memory_bytes():
        words.append(f"{format_size(memory)} of memory")
    words.append("bfloat16" if has_bfloat16() else "no bfloat16")
    words.append("int8" if has_int8() else "no int8")
    return Finding("system", processor_name(), State.INFO, ", ".join(words))


def _memory_bytes() -> int:
    """Return how much memory the machine has; 0 where the system does not say so (Windows)."""
    names = ("SC_PHYS_PAGES", "SC_PAGE_SIZE")
    known = getattr(os, "sysconf_names", {})
    return os.sysconf(names[0]) * os.sysconf(names[1]) if all(name in known for name in names) else 0


def _choice() -> Finding:
    found = try_apart("choice")
    if found["fault"]:
        return Finding("runtimes", "auto", State.FAULT, found["fault"])
    return Finding(
        "runtimes", "auto", State.INFO, f"takes {found['runtime']} on the {found['device'].upper()}"
    )


def _runtime(name: str) -> Finding:
    row = RUNTIMES[name]
    if not row.is_installed:
        return Finding("runtimes", name, State.MISSING, f"pip install {row.requires}")
    versions = _versions_of(row.packages)
    found = try_apart("runtime", name, Device.CPU.value)
    if found["fault"]:
        return Finding("runtimes", name, State.FAULT, f"{versions}: {found['fault']}")
    if not row.uses_gpu:
        return Finding("runtimes", name, State.WORKS, versions)
    if not try_apart("gpu", name).get("gpu"):
        return Finding("runtimes", name, State.WORKS, f"{versions}; finds no GPU")
    fault = try_apart("runtime", name, Device.GPU.value)["fault"]
    if fault:
        return Finding(
            "runtimes", name, State.FAULT, f"{versions}: works on the CPU, and on the GPU: {fault}"
        )
    return Finding("runtimes", name, State.WORKS, f"{versions}; works on the GPU too")


def _gpu() -> Finding:
    from l3embed.runtimes.driver import cuda_devices

    count = cuda_devices()
    detail = f"NVIDIA's driver shows {counted(count, 'GPU')}" if count else "NVIDIA's driver shows no GPU"
    return Finding("devices", "GPU", State.INFO, detail)


def _readers() -> Finding:
    import imageio_ffmpeg
    import soundfile

    versions = f"libsndfile {soundfile.__libsndfile_version__}"
    try:
        versions += f", ffmpeg {imageio_ffmpeg.get_ffmpeg_version()}"
    except RuntimeError as error:
        return Finding("readers", "sound, pictures, video", State.FAULT, str(error))
    found = try_apart("read", *(str(REFERENCE / name) for name in FILES_TO_READ))
    if found["fault"]:
        return Finding("readers", "sound, pictures, video", State.FAULT, f"{versions}: {found['fault']}")
    return Finding("readers", "sound, pictures, video", State.WORKS, versions)


def _extras() -> list[str]:
    try:
        names = metadata.metadata("l3embed").get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:  # run from its source, without being installed
        return []
    return [name for name in names if name != FOR_DEVELOPERS]


def _extra(name: str) -> Finding:
    packages = _packages_of(name)
    missing = [package for package in packages if not _is_there(package)]
    if missing:
        return Finding("extras", name, State.MISSING, f"pip install 'l3embed[{name}]'")
    found = try_apart("import", *(module for package in packages for module in _modules_of(package)))
    if found["fault"]:
        return Finding("extras", name, State.FAULT, found["fault"])
    return Finding("extras", name, State.WORKS, _versions_of(packages))


def _packages_of(extra: str) -> list[str]:
    """Return the distributions that an extra brings on this machine."""
    from packaging.requirements import Requirement

    wanted = [Requirement(line) for line in metadata.requires("l3embed") or []]
    own = {one.name for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})}
    brought = {one.name for one in wanted if one.marker is None or one.marker.evaluate({"extra": extra})}
    return sorted(brought - own, key=str.lower)


def _modules_of(package: str) -> list[str]:
    """Return what a distribution is imported by; nothing, if it does not say so."""
    by_module = metadata.packages_distributions()
    canonical = _canonical(package)
    return [
        module
        for module, owners in by_module.items()
        if canonical in map(_canonical, owners) and module.isidentifier() and not module.startswith("_")
    ][:1]


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_there(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def _versions_of(packages: Sequence[str]) -> str:
    return ", ".join(f"{package} {metadata.version(package)}" for package in packages if _is_there(package))


def _cache() -> Finding:
    return _folder("cache", cache_folder(), CACHE_VARIABLE, apart=store_folder())


def _store() -> Finding:
    return _folder("store", store_folder(), STORE_VARIABLE)


def _folder(name: str, folder: Path, variable: str, apart: Path | None = None) -> Finding:
    """Say where a folder is, what it takes, and whether it can be written to; another may be left out."""
    above = next(each for each in (folder, *folder.parents) if each.exists())
    if not os.access(above, os.W_OK):
        remedy = f"Give yourself access to it, or set {variable} to another folder."
        return Finding("folders", name, State.FAULT, f"{folder} cannot be written to. {remedy}")
    used = format_size(_bytes_below(folder, apart))
    free = format_size(shutil.disk_usage(above).free)
    return Finding("folders", name, State.INFO, f"{folder} ({used}; {free} free)")


def _bytes_below(folder: Path, apart: Path | None) -> int:
    total = 0
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = [each for each in folders if here / each != apart]
        for file in files:
            try:
                total += (here / file).lstat().st_size
            except OSError:  # removed meanwhile
                continue
    return total


def _weights() -> Finding:
    from l3embed.errors import OpenL3Error
    from l3embed.weights.locating import PublishedState, published_state
    from l3embed.weights.source import SOURCE_VARIABLE

    chosen = os.environ.get(SOURCE_VARIABLE)
    try:
        states = {weight_set.name: published_state(weight_set) for weight_set in ALL_WEIGHT_SETS}
    except OpenL3Error as error:
        return Finding("weights", "published", State.FAULT, str(error))
    damaged = [name for name, state in states.items() if state is PublishedState.DAMAGED]
    if damaged:
        remedy = f"l3embed weights fetch {' '.join(damaged)}"
        return Finding("weights", "published", State.FAULT, f"{', '.join(damaged)} damaged: {remedy}")
    there = sum(state is PublishedState.VERIFIED for state in states.values())
    detail = f"{there} of {len(states)} in the cache; others are fetched when they are needed"
    said = f"; {SOURCE_VARIABLE}={chosen}" if chosen else ""
    return Finding("weights", "published", State.INFO, f"{detail}{said}")

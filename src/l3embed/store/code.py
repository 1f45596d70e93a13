"""Which code does each step: results of other code are not reused."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from l3embed.runtimes.choice import runtime_packages
from l3embed.store.recipe import Step
from l3embed.version import __version__

PACKAGE = Path(__file__).parents[1]

MODULES = {
    Step.PREPROCESS: (
        "inputs/sound.py",
        "decoding/audio.py",
        "decoding/ffmpeg.py",
        "decoding/image.py",
        "decoding/recording.py",
        "decoding/video.py",
        "frontends/decibel.py",
        "frontends/librosa.py",
        "frontends/mel.py",
        "frontends/spectrogram.py",
        "inputs/pixels.py",
        "inputs/resampling.py",
        "runtimes/ahead.py",
        "runtimes/processor.py",
        "disk/rows.py",
        "inputs/preparation.py",
        "stages/preprocess.py",
        "variants.py",
        "inputs/windows.py",
    ),
    Step.EMBED: (
        "inputs/sound.py",
        "models/running.py",
        "frontends/decibel.py",
        "frontends/hann_windows.npz",
        "frontends/kapre.py",
        "frontends/kapre_layers.py",
        "frontends/mel.py",
        "frontends/spectrogram.py",
        "models/openl3.py",
        "networks/layers.py",
        "inputs/pixels.py",
        "runtimes/ahead.py",
        "runtimes/base.py",
        "runtimes/batching.py",
        "runtimes/choice.py",
        "runtimes/keras.py",
        "runtimes/openvino.py",
        "runtimes/processor.py",
        "runtimes/tensorflow.py",
        "disk/rows.py",
        "stages/embed.py",
        "stages/network.py",
        "variants.py",
        "weights/file.py",
        "inputs/windows.py",
    ),
    Step.POOL: ("export/moments.py", "disk/rows.py", "stages/pooling.py"),
    Step.PREVIEW: (
        "decoding/audio.py",
        "decoding/ffmpeg.py",
        "decoding/image.py",
        "decoding/recording.py",
        "decoding/video.py",
        "report/previews.py",
        "stages/stored_previews.py",
        "variants.py",
    ),
}
"""Files of the package, relative to it, that decide about a step's results; ``dvc.yaml`` lists them too."""

PACKAGES = {
    Step.PREPROCESS: (
        "imageio",
        "imageio-ffmpeg",
        "numpy",
        "pillow",
        "scikit-image",
        "scipy",
        "soundfile",
        "tifffile",
    ),
    Step.EMBED: tuple(sorted(("h5py", "numpy", "scipy", *runtime_packages()))),
    Step.POOL: ("numpy",),
    Step.PREVIEW: (
        "imageio",
        "imageio-ffmpeg",
        "numpy",
        "pillow",
        "scikit-image",
        "scipy",
        "soundfile",
        "tifffile",
    ),
}
"""Packages whose versions may change a step's numbers."""


@cache
def code_checksum(step: Step) -> str:
    """Return the checksum of the code that does a step."""
    digest = hashlib.sha256()
    for name in MODULES[step]:
        content = (PACKAGE / name).read_bytes()
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


@cache
def package_versions(step: Step) -> str:
    """Return the versions of the packages that a step uses, as in ``keras 3.12.4, numpy 2.2.6``."""
    return ", ".join(f"{name} {_version(name)}" for name in PACKAGES[step])


@cache
def all_versions() -> str:
    """Return the versions of l3embed and of all packages that the steps use."""
    names = sorted({name for names in PACKAGES.values() for name in names})
    return ", ".join((f"l3embed {__version__}", *(f"{name} {_version(name)}" for name in names)))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # OpenVINO, where it has no wheels
        return "none"

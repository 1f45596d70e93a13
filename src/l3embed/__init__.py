"""OpenL3's audio and image embeddings: ``import l3embed as openl3``.

Importing this loads next to nothing: modules are loaded when a name of theirs is first used, and
TensorFlow and librosa when something is first computed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import l3embed.runtimes.forks  # noqa: F401 (it is told of forks from now on)
from l3embed.errors import OpenL3Error, OpenL3Warning
from l3embed.version import __version__

if TYPE_CHECKING:
    from l3embed import core, distances, errors, models
    from l3embed.core import (
        AudioEmbeddingStream,
        get_audio_embedding,
        get_image_embedding,
        get_output_path,
        preprocess_audio,
        process_audio_file,
        process_image_file,
        process_video_file,
    )
    from l3embed.export.loading import load_export

    openl3_exceptions = openl3_warnings = errors
else:  # a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            return import_module(f"{__name__}.{_MODULES[name]}")
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'core')}"), name)


__all__ = [
    "AudioEmbeddingStream",
    "OpenL3Error",
    "OpenL3Warning",
    "__version__",
    "core",
    "distances",
    "get_audio_embedding",
    "get_image_embedding",
    "get_output_path",
    "load_export",
    "models",
    "preprocess_audio",
    "process_audio_file",
    "process_image_file",
    "process_video_file",
]


_MODULES = {
    "core": "core",
    "distances": "distances",
    "models": "models",
    "openl3_exceptions": "errors",
    "openl3_warnings": "errors",
}
"""Modules by the names that they have in openl3."""

_HOMES = {"load_export": "export.loading"}
"""Where those names live that are no part of openl3, and not in ``core``."""


def __dir__() -> list[str]:
    return __all__

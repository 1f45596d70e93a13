"""The folders outside any project, where what was fetched or computed is kept."""

from __future__ import annotations

import os
from pathlib import Path

CACHE_VARIABLE = "L3EMBED_CACHE"
"""Environment variable that names the cache folder."""

STORE_VARIABLE = "L3EMBED_STORE"
"""Environment variable that names the folder of the pipeline's results of single inputs."""


def cache_folder() -> Path:
    """Return the cache folder, which need not exist: as ``L3EMBED_CACHE`` says, or the user's."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("l3embed")


def store_folder() -> Path:
    """Return the store's folder, which need not exist: as ``L3EMBED_STORE`` says, or in the cache."""
    chosen = os.environ.get(STORE_VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else cache_folder() / "store"

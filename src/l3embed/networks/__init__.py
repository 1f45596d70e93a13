"""The audio and the image network: their one description, what it folds to, and Keras models of it.

The description is loaded alone, without NumPy, by whoever asks for weights.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "build_keras_model": "keras_model",
    "fold_layers": "folding",
    "model_weights": "keras_model",
    "network_layers": "layers",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

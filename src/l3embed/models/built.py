"""Keras models that l3embed has built, and what it knows of them."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from functools import cache
from typing import Any

from l3embed.frontends import kapre_layers
from l3embed.models.origin import FOREIGN_MODEL, Origin, variant_origin
from l3embed.networks.keras_model import build_keras_model
from l3embed.runtimes.tensorflow import prepare_tensorflow
from l3embed.variants import Frontend, ImageVariant, Variant
from l3embed.weights.file import WeightFile, layers_checksum, read_layers
from l3embed.weights.locating import locate_weights
from l3embed.weights.source import WeightsSource


@dataclass(frozen=True)
class LoadedModel:
    """A Keras model that l3embed has loaded.

    Parameters
    ----------
    variant : AudioVariant or ImageVariant
        Which.
    origin : Origin
        What it is.
    checksum : int
        Of the weights that it was loaded with.
    """

    variant: Variant
    origin: Origin
    checksum: int


_loaded: weakref.WeakKeyDictionary[Any, LoadedModel] = weakref.WeakKeyDictionary()


def model_origin(model: Any) -> Origin:
    """Return what a model is, if l3embed loaded it, else ``FOREIGN_MODEL``.

    Examples
    --------
    >>> import l3embed
    >>> model = l3embed.models.load_audio_embedding_model("mel128", "music", 512)
    >>> l3embed.models.model_origin(model).variant
    'audio_mel128_music_512_kapre'
    """
    loaded = loaded_model(model)
    return loaded.origin if loaded else FOREIGN_MODEL


def loaded_model(model: Any) -> LoadedModel | None:
    """Return what is known of a model, if l3embed loaded it.

    Examples
    --------
    >>> import l3embed
    >>> model = l3embed.models.load_audio_embedding_model("mel128", "music", 512)
    >>> l3embed.models.loaded_model(model).variant.embedding_size
    512
    """
    return _loaded.get(model)


@cache
def load_variant(variant: Variant, source: WeightsSource) -> Any:
    """Return the Keras model of a variant, loaded once a process.

    Examples
    --------
    >>> import l3embed
    >>> from l3embed.variants import parse_audio_variant
    >>> from l3embed.weights.source import weights_source_from_environment
    >>> variant = parse_audio_variant("mel128", "music", 512, "kapre")
    >>> l3embed.models.load_variant(variant, weights_source_from_environment()).output_shape
    (None, 512)
    """
    return build_model(variant, locate_weights(variant.weight_set, source))


def build_model(variant: Variant, file: WeightFile) -> Any:
    """Return the Keras model of a variant with the weights of a file; nothing keeps it but its user.

    Examples
    --------
    >>> import l3embed
    >>> from pathlib import Path
    >>> from l3embed.variants import parse_audio_variant
    >>> from l3embed.weights.file import describe_weights
    >>> path = Path(l3embed.models.get_audio_embedding_model_path("mel128", "music"))
    >>> variant = parse_audio_variant("mel128", "music", 512, "kapre")
    >>> l3embed.models.build_model(variant, describe_weights(path)).output_shape
    (None, 512)
    """
    weights = read_layers(file.path, variant.weight_set)
    prepare_tensorflow()
    model = build_keras_model(variant, weights, _graph_frontend(variant))
    _loaded[model] = LoadedModel(variant, variant_origin(variant, file), layers_checksum(weights))
    return model


def _graph_frontend(variant: Variant) -> Any:
    """Return the layer from samples to spectrograms that a variant's Keras model begins with, if any."""
    if isinstance(variant, ImageVariant) or variant.frontend is Frontend.LIBROSA:
        return None
    return kapre_layers.spectrogram_layer(variant.input_repr)

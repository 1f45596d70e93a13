"""Networks ready to run: weights, network and runtime put together, once a process."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from l3embed.models.built import loaded_model
from l3embed.models.origin import FOREIGN_MODEL, Origin, variant_origin
from l3embed.networks.folding import FoldedLayer, LayerWeights, fold_layers
from l3embed.networks.keras_model import model_weights
from l3embed.networks.layers import network_layers
from l3embed.runtimes.base import Embedder, Placement
from l3embed.runtimes.building import build_embedder
from l3embed.runtimes.choice import choose_runtime, model_runtime
from l3embed.variants import AudioVariant, Frontend, Variant
from l3embed.weights.file import WeightFile, layers_checksum, read_layers
from l3embed.weights.locating import locate_weights
from l3embed.weights.source import WeightsSource

KEPT_NETWORKS = 4
"""Networks that a process keeps, those that were asked for last: each takes 100 to 200 MB."""


@dataclass(frozen=True)
class Network:
    """A network ready to run, and what it is.

    Parameters
    ----------
    embedder : Embedder
        Takes in samples, spectrograms or pixels.
    origin : Origin
        What every file of embeddings says of it.
    frontend : Frontend or None
        What has to compute the spectrograms, if it takes in any; None: it is a network of images, or a given
        model that l3embed did not load.
    """

    embedder: Embedder
    origin: Origin
    frontend: Frontend | None = None


@lru_cache(maxsize=KEPT_NETWORKS)
def load_network(variant: Variant, source: WeightsSource, placement: Placement) -> Network:
    """Return the network of a variant, which is kept for the next time.

    Raises
    ------
    OpenL3Error
        If the weights cannot be had, or the runtime, the device or the precision is not to be had here.
    """
    choose_runtime(variant, placement)  # before weights are fetched for what cannot run here
    return build_network(variant, locate_weights(variant.weight_set, source), placement)


def build_network(variant: Variant, file: WeightFile, placement: Placement) -> Network:
    """Return the network of a variant with the weights of a file, with the errors of `load_network`."""
    weights = read_layers(file.path, variant.weight_set)
    embedder = _build_embedder(variant, weights, placement)
    return Network(embedder, variant_origin(variant, file), _frontend(variant))


def int8_checksum(variant: Variant, file: WeightFile) -> str:
    """Return the checksum of what a variant's network is in int8 with the weights of a file.

    Raises
    ------
    OpenL3Error
        If the weights are damaged, or the network is not there yet and cannot be made.
    """
    from l3embed.runtimes.quantization import quantized_checksum  # which float32 does without

    return quantized_checksum(variant, _folded(variant, read_layers(file.path, variant.weight_set)))


@dataclass(frozen=True)
class _Built:
    """What was built from a Keras model, and from which of its weights."""

    checksum: int
    placement: Placement
    embedder: Embedder


_built: weakref.WeakKeyDictionary[Any, _Built] = weakref.WeakKeyDictionary()


def model_network(model: Any, placement: Placement) -> Network:
    """Return the network of a Keras model.

    One that l3embed has loaded runs as its variant would, in whatever runtime, with the weights that it has
    now; any other runs as it is.

    Raises
    ------
    OpenL3Error
        If the runtime, the device or the precision is not to be had here, or not for this model.
    """
    loaded = loaded_model(model)
    if loaded is None:
        runtime = model_runtime(placement.runtime)
        return Network(runtime.model_embedder(model, placement.device), FOREIGN_MODEL)
    weights = model_weights(model, loaded.variant)
    checksum = layers_checksum(weights)
    origin = loaded.origin
    if checksum != loaded.checksum:  # by its user, who may have trained it further
        origin = replace(origin, weights=f"changed:{checksum:08x}", trained=True)
    built = _built.get(model)
    if built is None or (built.checksum, built.placement) != (checksum, placement):
        built = _built[model] = _Built(
            checksum, placement, _build_embedder(loaded.variant, weights, placement)
        )
    return Network(built.embedder, origin, _frontend(loaded.variant))


def _build_embedder(variant: Variant, weights: Iterable[LayerWeights], placement: Placement) -> Embedder:
    return build_embedder(variant, _folded(variant, weights), placement)


def _folded(variant: Variant, weights: Iterable[LayerWeights]) -> list[FoldedLayer]:
    return fold_layers(network_layers(variant.weight_set.modality, variant.pool), weights)


def _frontend(variant: Variant) -> Frontend | None:
    return variant.frontend if isinstance(variant, AudioVariant) else None

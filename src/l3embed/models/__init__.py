"""Models: weights, networks and frontends put together. Mirrors ``openl3.models``."""

from l3embed.models.built import build_model, load_variant, loaded_model, model_origin
from l3embed.models.openl3 import (
    get_audio_embedding_model_path,
    get_image_embedding_model_path,
    kapre_v0_1_4_magnitude_to_decibel,
    load_audio_embedding_model,
    load_audio_embedding_model_from_path,
    load_image_embedding_model,
    load_image_embedding_model_from_path,
)
from l3embed.models.origin import FOREIGN_MODEL
from l3embed.models.origin import Origin as ModelOrigin

__all__ = [
    "FOREIGN_MODEL",
    "ModelOrigin",
    "build_model",
    "get_audio_embedding_model_path",
    "get_image_embedding_model_path",
    "kapre_v0_1_4_magnitude_to_decibel",
    "load_audio_embedding_model",
    "load_audio_embedding_model_from_path",
    "load_image_embedding_model",
    "load_image_embedding_model_from_path",
    "load_variant",
    "loaded_model",
    "model_origin",
]

"""OpenL3 for the benchmark HEAR: ``python -m heareval.embeddings.runner l3embed.hear``."""

from l3embed.interfaces.hear_api import get_scene_embeddings, get_timestamp_embeddings, load_model

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

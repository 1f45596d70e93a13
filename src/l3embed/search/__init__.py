"""Sounds and pictures like this one, in what was embedded: `Index`, and the hits that it finds."""

from l3embed.search.hit import Hit
from l3embed.search.index import Index

__all__ = ["Hit", "Index"]

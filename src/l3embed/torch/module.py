"""The networks with their frontends as PyTorch modules. Mirrors `l3embed.models`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from torch import nn

from l3embed.errors import OpenL3Error
from l3embed.frontends.kapre_torch import Spectrogram
from l3embed.networks.layers import network_layers
from l3embed.networks.torch_layers import load_arrays, network_arrays, trainable_network
from l3embed.variants import (
    SAMPLES_SHAPE,
    AudioVariant,
    Frontend,
    ImageVariant,
    parse_audio_variant,
    parse_image_variant,
)
from l3embed.weights.file import WeightFile, describe_weights, layers_checksum, read_layers
from l3embed.weights.locating import locate_weights
from l3embed.weights.source import WeightsSource, as_weights_source
from l3embed.weights.writing import write_layers


class OpenL3(nn.Module):  # type: ignore[misc]
    """An OpenL3 network as a `torch.nn.Module`, from its input to its embedding.

    It takes in ``(batch, 1, 48000)`` samples at 48 kHz if its frontend is kapre, whose layers it then begins
    with, ``(batch, 1, frequency, time)`` decibels if it is librosa, and ``(batch, 3, 224, 224)`` pixels if it
    is an image network; it gives ``(batch, embedding_size)``. In evaluation (`eval`) these are the
    reference's numbers; in training (`train`) its batch norms use the batch's own means, as is usual.

    Parameters
    ----------
    variant : AudioVariant or ImageVariant
        Which network. Its weights are PyTorch's initial ones: `load_weights` gives it others, and
        `load_audio_embedding_model` and `load_image_embedding_model` return it with its own.

    Raises
    ------
    OpenL3Error
        If the variant's precision is not float32: `torch.autocast` and `to` change the precision of modules.
    """

    def __init__(self, variant: AudioVariant | ImageVariant) -> None:
        super().__init__()
        if variant.precision.suffix:
            raise OpenL3Error(
                f"A PyTorch module is made in float32; got precision {variant.precision.value}. Use "
                "torch.autocast, or the module's own to()."
            )
        self.variant = variant
        self.has_frontend = isinstance(variant, AudioVariant) and variant.frontend is not Frontend.LIBROSA
        self.frontend = Spectrogram(variant.input_repr) if self.has_frontend else nn.Identity()
        self.network = trainable_network(network_layers(variant.weight_set.modality, variant.pool))
        self._loaded: tuple[int, WeightFile] | None = None

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one item: (1, samples), (1, frequency, time) or (3, height, width)."""
        height, width, channels = self.variant.network_shape
        return SAMPLES_SHAPE if self.has_frontend else (channels, height, width)

    @property
    def embedding_size(self) -> int:
        """Dimension D of one embedding."""
        return self.variant.embedding_size

    def forward(self, items: Any) -> Any:
        """Compute the embeddings of a batch: ``(n, *input_shape)`` to ``(n, D)``."""
        return self.network(self.frontend(items))

    def load_weights(self, path: str | Path) -> OpenL3:
        """Take the weights of a file in the layout of the published ones, and return the module.

        Raises
        ------
        OpenL3Error
            If it is no such file, or holds another network's weights.
        OSError
            If it cannot be read at all.
        """
        return self._take(describe_weights(Path(path)))

    def save_weights(self, path: str | Path) -> None:
        """Write the weights to a file in the layout of the published ones; it appears all at once.

        All of l3embed takes it: in a folder (``weights="folder"``) under the name of the network's file, or
        by `l3embed.models.load_audio_embedding_model_from_path`.

        Raises
        ------
        OpenL3Error
            If the weights are not finite: no file with such is read again.
        OSError
            If it cannot be written.
        """
        arrays = network_arrays(self.network)
        if not all(_is_finite(array) for layer in arrays for array in layer):
            raise OpenL3Error(f"{path} was not written: the weights are not finite (NaN or infinite).")
        checksum, file = self._loaded or (None, None)
        is_untrained = file is not None and not file.trained and layers_checksum(arrays) == checksum
        identity = file.identity if file is not None and is_untrained else None
        write_layers(Path(path), self.variant.weight_set.modality, arrays, untrained=identity)

    def _take(self, file: WeightFile) -> OpenL3:
        arrays = read_layers(file.path, self.variant.weight_set)
        load_arrays(self.network, arrays)
        self._loaded = (layers_checksum(arrays), file)
        return self


def load_audio_embedding_model(
    input_repr: str,
    content_type: str,
    embedding_size: int,
    frontend: str = "kapre",
    *,
    weights: str | os.PathLike[str] | WeightsSource | None = None,
) -> OpenL3:
    """Return an audio model, in evaluation; each call gives a new one, which is the caller's to change.

    Parameters
    ----------
    input_repr : "linear", "mel128", or "mel256"
        Spectrogram that the model was trained on.
    content_type : "music" or "env"
        What the videos of the training set showed.
    embedding_size : 6144 or 512
        Embedding dimension.
    frontend : "kapre" or "librosa"
        With "kapre" the model takes in samples; with "librosa", spectrograms.
    weights : "published", "random", "random:SEED", a directory's path, or None
        Where the weights come from; None: as the environment variable ``L3EMBED_WEIGHTS`` says.

    Raises
    ------
    OpenL3Error
        If an argument is none of the allowed values, or the weights cannot be had.
    """
    return _load(parse_audio_variant(input_repr, content_type, embedding_size, frontend), weights)


def load_image_embedding_model(
    input_repr: str,
    content_type: str,
    embedding_size: int,
    *,
    weights: str | os.PathLike[str] | WeightsSource | None = None,
) -> OpenL3:
    """Return an image model, in evaluation; each call gives a new one, which is the caller's to change.

    Parameters
    ----------
    input_repr : "linear", "mel128", or "mel256"
        Spectrogram that the audio network was trained on, together with this one.
    content_type : "music" or "env"
        What the videos of the training set showed.
    embedding_size : 8192 or 512
        Embedding dimension.
    weights
        As in `load_audio_embedding_model`.

    Raises
    ------
    OpenL3Error
        If an argument is none of the allowed values, or the weights cannot be had.
    """
    return _load(parse_image_variant(input_repr, content_type, embedding_size), weights)


def _load(
    variant: AudioVariant | ImageVariant, weights: str | os.PathLike[str] | WeightsSource | None
) -> OpenL3:
    source = as_weights_source(os.fspath(weights) if isinstance(weights, os.PathLike) else weights)
    model = OpenL3(variant)._take(locate_weights(variant.weight_set, source))
    model.eval()
    return model


def _is_finite(array: Any) -> bool:
    import numpy as np

    return bool(np.isfinite(array).all())

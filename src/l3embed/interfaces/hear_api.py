"""HEAR's common API: `l3embed.hear` shows it.

Source: https://hearbenchmark.com/hear-api.html.
"""

from __future__ import annotations

from typing import Any

from l3embed.interfaces.requirements import needed_by

with needed_by("l3embed.hear", "torch", "torch"):
    import torch

from l3embed.errors import OpenL3Error
from l3embed.interfaces.frozen_module import FrozenOpenL3
from l3embed.interfaces.network_choice import choose_network
from l3embed.variants import SAMPLE_RATE_HZ

LARGEST_HOP_MS = 50
"""What HEAR asks for, as onsets in music count as found within so much."""

SCENE_HOP_S = 0.5
"""The hop whose windows' mean stands for a whole sound; so did OpenL3's entry to HEAR 2021."""


class HearModel(FrozenOpenL3):
    """OpenL3 with the attributes that HEAR reads, and with `timestamp_hop_ms`."""

    def __init__(self, *arguments: Any, timestamp_hop_ms: float) -> None:
        super().__init__(*arguments)
        self.sample_rate = self.sample_rate_hz
        self.timestamp_hop_ms = timestamp_hop_ms
        self.scene_embedding_size = self.timestamp_embedding_size = self.embedding_size


def load_model(
    model_file_path: str = "",
    input_repr: str | None = None,
    content_type: str = "music",
    embedding_size: int = 512,
    sample_rate: int = SAMPLE_RATE_HZ,
    timestamp_hop_ms: float = LARGEST_HOP_MS,
) -> HearModel:
    """Return the model; by default that of OpenL3's entry to HEAR 2021: mel256, music, 512.

    `heareval` passes the arguments after the first one on: ``--model-options '{"embedding_size": 6144}'``.

    Parameters
    ----------
    model_file_path : str
        A weight file in the layout of the published ones, a folder of such, ``published`` or ``random``; if
        empty, as the environment variable ``L3EMBED_WEIGHTS`` says: the published weights.
    input_repr : "linear", "mel128", "mel256" or None
        Spectrogram that the model was trained on; None: as a weight file's name tells, or mel256.
    content_type : "music" or "env"
        What the videos of the training set showed.
    embedding_size : 6144 or 512
        Embedding dimension.
    sample_rate : int
        Of the sounds that come, in Hz; HEAR's come at 16,000, 22,050, 32,000, 44,100 and 48,000. What is not
        at 48 kHz is resampled. (The entry of 2021 was given sounds at 16 kHz.)
    timestamp_hop_ms : float
        Milliseconds between timestamps, at most 50.

    Raises
    ------
    OpenL3Error
        If an argument is none of the allowed values, or the weights cannot be had.
    """
    if not 0 < timestamp_hop_ms <= LARGEST_HOP_MS:
        raise OpenL3Error(
            f"timestamp_hop_ms must be above 0 and at most {LARGEST_HOP_MS}; got {timestamp_hop_ms!r}."
        )
    choice = choose_network(input_repr, content_type, embedding_size, model_file_path)
    return HearModel(choice, sample_rate, timestamp_hop_ms=timestamp_hop_ms)


def get_timestamp_embeddings(audio: Any, model: HearModel) -> tuple[Any, Any]:
    """Return embeddings at regular timestamps, on which their windows of one second are centred.

    Parameters
    ----------
    audio : torch.Tensor [shape=(n_sounds, n_samples)]
        Mono samples at the model's sample rate.
    model : HearModel
        What `load_model` returned.

    Returns
    -------
    embeddings : torch.Tensor [shape=(n_sounds, n_timestamps, embedding_size)]
        In float32, on the device of `audio`.
    timestamps : torch.Tensor [shape=(n_sounds, n_timestamps)]
        In milliseconds, in float32: from 0 on, the last within the last hop of the sound.

    Raises
    ------
    OpenL3Error
        If `audio` is of another shape or type, empty, or has samples that are not finite.
    """
    embeddings = model.embed(audio, model.timestamp_hop_ms / 1000)
    timestamps = model.timestamp_hop_ms * torch.arange(embeddings.shape[1], device=audio.device)
    return embeddings, timestamps.float().repeat(len(embeddings), 1)


def get_scene_embeddings(audio: Any, model: HearModel) -> Any:
    """Return one embedding for each sound: the mean of `get_audio_embedding`'s at a hop of 0.5 s.

    Parameters
    ----------
    audio, model
        As in `get_timestamp_embeddings`.

    Returns
    -------
    torch.Tensor [shape=(n_sounds, embedding_size)]
        In float32, on the device of `audio`.

    Raises
    ------
    OpenL3Error
        As `get_timestamp_embeddings`.
    """
    return model.embed_whole(audio, SCENE_HOP_S)

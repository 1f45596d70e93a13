"""OpenL3 as the frozen `torch.nn.Module` that benchmarks move to a device and call."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from l3embed.errors import OpenL3Error
from l3embed.inputs.windows import check_sample_rate
from l3embed.interfaces.network_choice import NetworkChoice, place
from l3embed.variants import CENTER_PAD_SAMPLES, SAMPLE_RATE_HZ

HALF_WINDOW_S = CENTER_PAD_SAMPLES / SAMPLE_RATE_HZ


class FrozenOpenL3(nn.Module):  # type: ignore[misc]
    """Batches of sounds to embeddings by l3embed's own runtimes; there is nothing to train in it.

    On the CPU that is the runtime that is fastest there, and on a GPU ``torch``. (`l3embed.torch` has
    modules to train.)

    Parameters
    ----------
    choice : NetworkChoice
        Which network.
    sample_rate_hz : int
        Of the sounds that come; what is not at 48 kHz is resampled as everywhere in l3embed.

    Raises
    ------
    OpenL3Error
        If the rate is too low for sound, or the weights cannot be had.
    """

    def __init__(self, choice: NetworkChoice, sample_rate_hz: int) -> None:
        super().__init__()
        check_sample_rate("The sample rate", sample_rate_hz)
        choice.fetch_weights()
        self.choice = choice
        self.sample_rate_hz = sample_rate_hz
        # `to` moves it: so the module knows where its user wants it.
        self.register_buffer("placed", torch.empty(0), persistent=False)

    @property
    def embedding_size(self) -> int:
        """Dimension D of one embedding."""
        return self.choice.variant.embedding_size

    def extra_repr(self) -> str:
        """Say which network it is, where modules are printed."""
        return f"{self.choice.variant.name}, {self.sample_rate_hz} Hz"

    def embed(self, audio: Any, hop_s: float) -> Any:
        """Embed the windows of a batch, centred on 0, `hop_s`, 2 `hop_s`, ... and padded with zeros.

        The last is centred within the last hop of the sound: not half a second behind it.

        Parameters
        ----------
        audio : torch.Tensor [shape=(B, N)]
            Mono samples.
        hop_s : float
            Seconds from one window to the next, at most half a second.

        Returns
        -------
        torch.Tensor [shape=(B, T, D)]
            In float32, on the device of `audio`; T is N over the hop, rounded up.

        Raises
        ------
        OpenL3Error
            If `audio` is of another shape or type, empty, or has samples that are not finite.
        """
        # get_audio_embedding's last window ends with the sound: so much more lets its centre get there.
        rest = round((HALF_WINDOW_S - hop_s) * self.sample_rate_hz)
        return torch.stack(self._embed(nn.functional.pad(_checked(audio), (0, rest)), hop_s))

    def embed_whole(self, audio: Any, hop_s: float) -> Any:
        """Return the mean of the embeddings that `get_audio_embedding` gives: ``(B, N)`` to ``(B, D)``.

        Parameters and errors are those of `embed`.
        """
        return torch.stack([rows.mean(dim=0) for rows in self._embed(_checked(audio), hop_s)])

    def _embed(self, audio: Any, hop_s: float) -> list[Any]:
        sounds = list(audio.detach().cpu().numpy())
        device = place(audio.device if audio.device.type != "cpu" else self.placed.device)
        rows = self.choice.embed(sounds, self.sample_rate_hz, hop_s=hop_s, center=True, device=device)
        return [torch.from_numpy(embeddings).to(audio.device) for embeddings in rows]


def _checked(audio: Any) -> Any:
    allowed = "audio must be a tensor of floats of shape (sounds, samples)"
    if not isinstance(audio, torch.Tensor):
        raise OpenL3Error(f"{allowed}; got {type(audio).__name__}.")
    if audio.ndim != len(("sounds", "samples")) or not audio.is_floating_point():
        raise OpenL3Error(f"{allowed}; got {audio.dtype} of shape {tuple(audio.shape)}.")
    if not audio.numel():
        raise OpenL3Error(f"audio must hold at least one sample; its shape is {tuple(audio.shape)}.")
    return audio.float()

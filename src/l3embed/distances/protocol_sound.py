"""Sound as a protocol has it read, before it is cut into windows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.core.files import Medium
from l3embed.distances.computed_with import STEREO
from l3embed.distances.protocols import PROTOCOLS, Protocol
from l3embed.errors import OpenL3Error
from l3embed.inputs.findings import Findings
from l3embed.inputs.media import SourceFile, open_sound
from l3embed.inputs.sound import Inputs, mono_blocks, network_inputs, prepare_for
from l3embed.inputs.windows import Framing
from l3embed.models.running import Network
from l3embed.progress import counted

Samples = npt.NDArray[np.float64]

LEFT, RIGHT = 0, 1


@dataclass(frozen=True)
class ProtocolMedium(Medium):
    """Sound files, read as a protocol has it.

    Parameters
    ----------
    protocol : Protocol
        Which one.
    channel : int or None
        Which one is embedded; None: their average.
    """

    protocol: Protocol = PROTOCOLS["stable-audio-metrics"]
    channel: int | None = None

    def inputs(self, path: str, network: Network, findings: Findings) -> Inputs:
        """Return what reads a file, when it is asked for its first block."""
        source = SourceFile(Path(path), self.media, self.reading, findings)
        prepare = prepare_for(network.embedder.input_shape, network.frontend)
        samples = protocol_samples(source, self.protocol, self.channel)
        return network_inputs(samples, Framing(self.protocol.hop_s), prepare)

    def others(self, rows: int, findings: Findings) -> dict[str, Any]:
        """Return what is saved next to the embeddings."""
        return super().others(rows, findings) | {"protocol": self.protocol.name}


def protocol_samples(source: SourceFile, protocol: Protocol, channel: int | None) -> Iterator[Samples]:
    """Read a sound file as a protocol has it, as blocks of 48 kHz mono samples.

    Raises
    ------
    OpenL3Error
        If it cannot be read, or is not what the protocol takes.
    """
    gain = 1.0 if protocol.peak_db is None else _gain(source, protocol.peak_db)
    with open_sound(source.path, source.media) as recording:
        if recording is None:
            raise OpenL3Error("It has no sound.")
        channels, rate_hz = recording.channels, recording.sample_rate_hz
        _check(protocol, channels, rate_hz, channel)
        source.findings.channels = channels
        blocks: Iterator[Samples] = (gain * block for block in recording.blocks())
        if protocol.bandwidth_hz is not None and rate_hz != protocol.bandwidth_hz:
            blocks = _resampled(blocks, rate_hz, protocol.bandwidth_hz, channels)
            rate_hz = protocol.bandwidth_hz
        if channel is not None:
            blocks = (block[:, min(channel, channels - 1)] for block in blocks)
        yield from mono_blocks(blocks, rate_hz, source.findings)
        source.note_damage(recording.damage)


def channels_of(source: SourceFile) -> int:
    """Return how many channels a sound file has.

    Raises
    ------
    OpenL3Error
        If it cannot be read.
    """
    with open_sound(source.path, source.media) as recording:
        return recording.channels if recording else 0


def _gain(source: SourceFile, peak_db: float) -> float:
    """Return what brings the loudest sample of all channels to a level; 1 for silence, which stays silent."""
    with open_sound(source.path, source.media) as recording:
        peaks = [float(np.abs(block).max(initial=0)) for block in recording.blocks()] if recording else []
    peak = float(np.max(peaks, initial=0))  # NaN, if one is: such samples are refused later
    return float(10 ** (peak_db / 20) / peak) if peak else 1.0


def _check(protocol: Protocol, channels: int, rate_hz: int, channel: int | None) -> None:
    if protocol.exact_hz is not None and (channels, rate_hz) != (1, protocol.exact_hz):
        raise OpenL3Error(
            f"The protocol {protocol.name} takes mono at {protocol.exact_hz:,} Hz; got "
            f"{counted(channels, 'channel')} at {rate_hz:,} Hz. Convert it first."
        )
    if channel is not None and channels > STEREO:
        raise OpenL3Error(
            f"The protocol {protocol.name} embeds left and right apart; got {channels} channels. Mix it to "
            "two first, or use channels=1."
        )


def _resampled(blocks: Iterator[Samples], rate_hz: int, new_hz: int, channels: int) -> Iterator[Samples]:
    """Resample blocks with soxr, at its default quality: the same numbers as of the whole at once."""
    from soxr import ResampleStream

    stream = ResampleStream(rate_hz, new_hz, channels, dtype="float64")
    for block in blocks:
        yield stream.resample_chunk(np.ascontiguousarray(block, np.float64))
    yield stream.resample_chunk(np.empty((0, channels)), last=True)

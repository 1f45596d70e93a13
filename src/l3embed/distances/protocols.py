"""Protocols: all that has to be the same for figures to compare with published ones, by name.

Importing this loads neither NumPy nor anything else that is heavy.
"""

from __future__ import annotations

from dataclasses import dataclass

from l3embed.errors import OpenL3Error
from l3embed.variants import InputRepr, check_one_of


@dataclass(frozen=True)
class Protocol:
    """How a project that publishes figures embeds sounds: a mel network, 512 numbers, kapre, centred.

    Parameters
    ----------
    name : str
        As it is asked for.
    input_reprs : tuple of InputRepr
        Networks; the first, unless another is asked for.
    channels : tuple of int
        Channels that may be embedded apart; the first, unless another is asked for.
    peak_db : float or None
        Level that the loudest sample of all channels is brought to; None: left as it is.
    bandwidth_hz : int or None
        Rate that sound is resampled to first, before OpenL3 resamples it again; None: it is not.
    exact_hz : int or None
        The only rate that is taken, with one channel; None: any.
    """

    name: str
    input_reprs: tuple[InputRepr, ...]
    channels: tuple[int, ...] = (1,)
    peak_db: float | None = None
    bandwidth_hz: int | None = None
    exact_hz: int | None = None
    embedding_size: int = 512
    hop_s: float = 0.5


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        # FD-openl3 as it was published for Stable Audio.
        Protocol("stable-audio-metrics", (InputRepr.MEL256,), (2, 1), peak_db=-1.0, bandwidth_hz=44_100),
        # Models openl3-mel256-music and so on.
        Protocol("kadtk", (InputRepr.MEL256, InputRepr.MEL128), exact_hz=48_000),
    )
}


def parse_protocol(name: str | None) -> Protocol | None:
    """Return a protocol by its name; None for none.

    Raises
    ------
    OpenL3Error
        If there is none of that name.
    """
    if name is None:
        return None
    check_one_of("protocol", name, tuple(PROTOCOLS))
    return PROTOCOLS[name]


def check_channels(protocol: Protocol | None, channels: int | None) -> int:
    """Return how many channels are embedded apart, which a protocol may choose.

    Raises
    ------
    OpenL3Error
        If the protocol, or what OpenL3 does without one, does not allow it.
    """
    allowed = protocol.channels if protocol else (1,)
    chosen = allowed[0] if channels is None else channels
    if chosen not in allowed:
        what = f"The protocol {protocol.name}" if protocol else "Without a protocol, OpenL3"
        raise OpenL3Error(
            f"{what} takes channels={' or '.join(map(str, sorted(allowed)))}; got {channels}. "
            "The protocol stable-audio-metrics takes 1 and 2."
        )
    return chosen

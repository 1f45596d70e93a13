"""What a search finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hit:
    """A file, or a moment of one, that is like what was asked for.

    Parameters
    ----------
    rank : int
        From 1 on.
    similarity : float
        The centred cosine (`l3embed.export.cosine`), from -1 to 1.
    path : str
        The row's file, as the folder names it: itself a query, and so is ``path@begin-end``.
    label : str
        Its class; empty if it has none.
    begin_s, end_s : float or None
        What of the file the network looked at, in seconds: the window of a moment of sound, the time of a
        frame of a video, the whole of a file; None for pictures, and where it is not known.
    time_s : float or None
        The timestamp of a moment, as the embeddings' files have it; None for whole files and for pictures.
    sample_rate_hz : float or None
        Of the sound, where that is known.
    """

    rank: int
    similarity: float
    path: str
    label: str = ""
    begin_s: float | None = None
    end_s: float | None = None
    time_s: float | None = None
    sample_rate_hz: float | None = None

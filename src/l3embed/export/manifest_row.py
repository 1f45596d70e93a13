"""What an export says of one input in one modality."""

from __future__ import annotations

from dataclasses import dataclass

from l3embed.disk.tables import OK


@dataclass(frozen=True)
class ManifestRow:
    """One input in one modality: a video has two rows.

    Parameters
    ----------
    path : str
        Below the dataset's folder, with slashes; of a listing, the input's name in outputs.
    modality : str
        ``audio`` or ``image``: which network its embeddings are from.
    label : str
        Class of the input; empty if it has none.
    fold : str
        Fold that the dataset's authors put it into; empty if they did not.
    sha256 : str
        Of the input's bytes; empty if they could not be read.
    status : str
        ``ok`` or ``failed``.
    reason : str
        Why it failed.
    warnings : str
        What is odd about it, though it can be embedded: cut short, silent, shorter than a window, ...
    duration_s : float or None
        Length of the recording or the video; None for an image.
    sample_rate_hz : float or None
        Of the sound as it was decoded; None without any.
    channels : int or None
        Of the sound as it was decoded; None without any.
    frames : int
        Embeddings: windows of sound, images, or frames of a video.
    dimension : int
        Numbers in each embedding.
    output : str
        The file that its embeddings are in, below the export's folder: its own ``.npz``, or, of a packed
        export, the part that also holds those of others. Empty if there is none.
    variant : str
        The model, as in ``audio_mel256_music_6144_kapre``.
    weights : str
        The weights' identity, as in ``random:20260101``.
    precision : str
        What the convolutions computed in: ``float32``, unless asked otherwise.
    runtime : str
        What computed the network, as in ``ncnn``.
    packages : str
        Versions of what computed it, as in ``l3embed 0.1.0, keras 3.12.4``.
    seconds : float or None
        What computing it took, preprocessing included; None if that is not known any more.
    location : str
        Path or URI of the file, as a listing has it; empty in a folder, where `path` says it.
    start_s, end_s : float or None
        Which section of the file it is; None for its beginning and its end.
    """

    path: str
    modality: str
    label: str = ""
    fold: str = ""
    sha256: str = ""
    status: str = OK
    reason: str = ""
    warnings: str = ""
    duration_s: float | None = None
    sample_rate_hz: float | None = None
    channels: int | None = None
    frames: int = 0
    dimension: int = 0
    output: str = ""
    variant: str = ""
    weights: str = ""
    precision: str = ""
    runtime: str = ""
    packages: str = ""
    seconds: float | None = None
    location: str = ""
    start_s: float | None = None
    end_s: float | None = None

    @property
    def content(self) -> str:
        """By which copies are known: the checksum, and of a section its seconds; empty if unknown."""
        if not self.sha256 or (self.start_s is None and self.end_s is None):
            return self.sha256
        return f"{self.sha256}@{self.start_s or 0.0}-{self.end_s}"

    @property
    def is_ok(self) -> bool:
        """Whether there are embeddings."""
        return self.status == OK

"""What embeddings were computed with, as far as they say so, and whether two sets were computed alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from l3embed.errors import OpenL3Error
from l3embed.models.origin import FOREIGN_MODEL
from l3embed.variants import Modality

AS_OPENL3 = "openl3"
"""The protocol of sound that is read as OpenL3 reads it: resampled to 48 kHz, its channels averaged."""

PUBLISHED = "published"
"""What identities of the published weights begin with."""

HOP_TOLERANCE_S = 1e-6

STEREO = 2

WORDS = {
    "variant": "the network",
    "weights": "the weights",
    "hop_s": "the hop in seconds",
    "channels": "channels embedded apart",
    "protocol": "the protocol",
}
"""What each field is called where two differ in it."""


@dataclass(frozen=True)
class ComputedWith:
    """What embeddings were computed with; None: they do not say.

    Parameters
    ----------
    variant : str or None
        As in ``audio_mel256_music_512_kapre``.
    weights : str or None
        The weights' identity, as in ``random:20260101``.
    hop_s : float or None
        Seconds from one embedding to the next; of pictures there is none.
    channels : int or None
        Channels that were embedded apart and put side by side: 1, if they were averaged.
    protocol : str or None
        How sound was read: `AS_OPENL3`, or a name of `protocols.PROTOCOLS`.
    """

    variant: str | None = None
    weights: str | None = None
    hop_s: float | None = None
    channels: int | None = None
    protocol: str | None = None

    @property
    def modality(self) -> Modality | None:
        """Which network, if that is known."""
        names = {modality.value: modality for modality in Modality}
        return names.get((self.variant or "").partition("_")[0])

    def __str__(self) -> str:
        known = [self.variant, self.weights]
        known += [f"hop {self.hop_s:g} s" if self.hop_s else None]
        known += ["left and right apart" if self.channels == STEREO else None]
        known += [f"protocol {self.protocol}" if self.protocol not in (None, AS_OPENL3) else None]
        return ", ".join(word for word in known if word) or "it does not say what it was computed with"


UNKNOWN = ComputedWith()


def computed_with(arrays: Mapping[str, Any]) -> ComputedWith:
    """Return what the arrays of an ``.npz`` say, of l3embed's embeddings or of a file of statistics."""

    def text(name: str) -> str | None:
        return str(arrays[name]) if name in arrays else None

    variant, weights = text("variant"), text("weights")
    is_sound = variant is not None and variant.startswith(Modality.AUDIO.value)
    if variant == FOREIGN_MODEL.variant:  # which tells no model from another
        variant = None
    return ComputedWith(
        variant,
        None if weights == FOREIGN_MODEL.weights else weights,
        float(arrays["hop_s"]) if "hop_s" in arrays else _hop_s(arrays),
        int(arrays["channels"]) if "channels" in arrays else 1 if is_sound else None,
        text("protocol") or (AS_OPENL3 if is_sound else None),
    )


def _hop_s(arrays: Mapping[str, Any]) -> float | None:
    """Return the hop that times tell, if there are two: of a video's frames it differs from file to file."""
    is_sound = str(arrays.get("variant", Modality.AUDIO.value)).startswith(Modality.AUDIO.value)
    times_s = arrays["timestamps"] if "timestamps" in arrays and is_sound else []
    return round(float(times_s[1] - times_s[0]), 6) if len(times_s) > 1 else None


def differences(one: ComputedWith, other: ComputedWith) -> list[str]:
    """Return the names of the fields in which two differ, as far as both are known."""
    return [
        field.name
        for field in fields(ComputedWith)
        if not _agree(field.name, getattr(one, field.name), getattr(other, field.name))
    ]


def _agree(name: str, one: Any, other: Any) -> bool:
    if one is None or other is None or one == other:
        return True
    if name == "hop_s":
        return bool(abs(one - other) <= HOP_TOLERANCE_S)
    # Others' files may say that weights are the published ones, and not which checksum those have.
    is_loose = name == "weights" and PUBLISHED in (one, other)
    return is_loose and one.startswith(PUBLISHED) and other.startswith(PUBLISHED)


def check_alike(one_name: str, one: ComputedWith, other_name: str, other: ComputedWith) -> None:
    """Check that two sets were computed alike, as far as they say.

    Raises
    ------
    OpenL3Error
        Naming both, and all in which they differ.
    """
    if found := differences(one, other):
        told = "; ".join(
            f"{WORDS[name]}: {getattr(one, name)} in {one_name}, {getattr(other, name)} in {other_name}"
            for name in found
        )
        raise OpenL3Error(
            f"{one_name} and {other_name} were not computed alike, so a distance between them would say "
            f"nothing ({told}). Compute both with the same settings."
        )


def joined(one: ComputedWith, other: ComputedWith) -> ComputedWith:
    """Return all that is known from either of two that do not differ."""
    missing = {
        field.name: getattr(other, field.name)
        for field in fields(ComputedWith)
        if getattr(one, field.name) is None
    }
    return replace(one, **missing)

"""How people's files are read, where there is a choice."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from l3embed.errors import OpenL3Error

MAX_MEGAPIXELS = 300
"""Pictures up to this size are read: 0.9 GB in RGB, which is more than any camera's."""


class OnDamage(str, Enum):
    """What to do about a file that ends before its header says: take what is there, or leave it out."""

    USE = "use"
    SKIP = "skip"


@dataclass(frozen=True)
class Reading:
    """How files are read.

    Parameters
    ----------
    on_damage : OnDamage
        What to do about sound or frames that are fewer than the file says.
    exif_rotation : bool
        Whether pictures are turned as their EXIF orientation says. OpenL3 does not turn them.
    max_megapixels : float
        The largest pictures that are read, in millions of pixels.

    Raises
    ------
    OpenL3Error
        If the limit is not above zero.
    """

    on_damage: OnDamage = OnDamage.USE
    exif_rotation: bool = False
    max_megapixels: float = MAX_MEGAPIXELS

    def __post_init__(self) -> None:
        if not self.max_megapixels > 0:
            raise OpenL3Error(
                f"max_megapixels must be a number of millions of pixels above 0; got {self.max_megapixels!r}."
            )


AS_OPENL3 = Reading()
"""How the reference reads files."""

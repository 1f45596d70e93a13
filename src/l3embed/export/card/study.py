"""What only its author can say of a study: never guessed, and named where it is missing."""

from __future__ import annotations

from dataclasses import dataclass

from l3embed.export.card.licences import Licence


@dataclass(frozen=True)
class Study:
    """What the author of a study says of it.

    Parameters
    ----------
    title : str
        What people call it.
    description : str
        A few sentences, which may have Markdown; empty if there are none.
    authors : tuple of str
        Names of persons.
    licence : Licence or None
        Of what is published; None if it is not stated.
    url : str
        Where it is published; empty if that is not known.
    version : str
        As in ``1.0.0``; empty if it has none.
    published : str
        The day, as in ``2026-11-22``; empty if it is not stated.
    citation : str
        How to cite it, BibTeX at best; empty if it is not stated.
    """

    title: str
    description: str = ""
    authors: tuple[str, ...] = ()
    licence: Licence | None = None
    url: str = ""
    version: str = ""
    published: str = ""
    citation: str = ""

    def not_stated(self) -> list[str]:
        """Return the settings of what Croissant asks for and is not stated."""
        asked = {
            "license": self.licence,
            "authors": self.authors,
            "url": self.url,
            "published": self.published,
        }
        return [f"card.{name}" for name, value in asked.items() if not value]

"""The licences that a dataset card can name by an identifier, and any other by the address of its text."""

from __future__ import annotations

from dataclasses import dataclass

from l3embed.errors import OpenL3Error

OTHER = "other"
"""What the Hugging Face Hub calls a licence that is not in its list."""


@dataclass(frozen=True)
class Licence:
    """A licence.

    Parameters
    ----------
    identifier : str
        As the Hugging Face Hub has it: ``cc-by-4.0``, or ``other``.
    name : str
        What people call it.
    url : str
        Where its text is.
    """

    identifier: str
    name: str
    url: str

    @property
    def is_other(self) -> bool:
        """Whether the Hub has no identifier for it."""
        return self.identifier == OTHER


def _creative_commons(kind: str, version: str = "4.0") -> Licence:
    url = f"https://creativecommons.org/licenses/{kind}/{version}/"
    return Licence(f"cc-{kind}-{version}", f"CC {kind.upper()} {version}", url)


LICENCES = {
    licence.identifier: licence
    for licence in (
        Licence("cc0-1.0", "CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        *map(_creative_commons, ("by", "by-sa", "by-nc", "by-nc-sa", "by-nd", "by-nc-nd")),
        *(_creative_commons(kind, "3.0") for kind in ("by", "by-sa", "by-nc", "by-nc-sa", "by-nc-nd")),
        Licence("odc-by", "ODC-By 1.0", "https://opendatacommons.org/licenses/by/1-0/"),
        Licence("odbl", "ODbL 1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
        Licence("pddl", "PDDL 1.0", "https://opendatacommons.org/licenses/pddl/1-0/"),
        Licence("cdla-permissive-2.0", "CDLA-Permissive-2.0", "https://cdla.dev/permissive-2-0/"),
        Licence("cdla-sharing-1.0", "CDLA-Sharing-1.0", "https://cdla.dev/sharing-1-0/"),
        Licence("mit", "MIT", "https://opensource.org/license/mit"),
        Licence("apache-2.0", "Apache 2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    )
}
"""Those for data, and the two for software that data have most often, by identifier.

Source of the identifiers: the list of the Hugging Face Hub (its documentation, "Licenses").
"""

WEIGHTS_LICENCE = LICENCES["cc-by-4.0"]
"""Of OpenL3's published weights; source: the OpenL3 project's README."""


def parse_licence(license_: str | None, name: str | None) -> Licence | None:
    """Turn the words of a setting into a licence; None if there are none.

    Parameters
    ----------
    license_ : str, optional
        An identifier, in any case, or the address of a licence's text.
    name : str, optional
        What the licence is called, if it is an address.

    Raises
    ------
    OpenL3Error
        If it is neither, or one of the two is missing.
    """
    if not license_:
        if name:
            raise OpenL3Error(f"card.license_name={name} goes with an address in card.license; got none.")
        return None
    if license_.startswith(("https://", "http://")):
        if not name:
            raise OpenL3Error(
                f"card.license is the address {license_}, so it needs the licence's name. "
                "Set card.license_name=..."
            )
        return Licence(OTHER, name, license_)
    found = LICENCES.get(license_.casefold())
    if found is None:
        raise OpenL3Error(
            f"card.license must be one of {', '.join(LICENCES)}, or the address of a licence's text, with "
            f"its name in card.license_name; got {license_!r}."
        )
    if name:
        raise OpenL3Error(
            f"card.license_name goes with an address in card.license; got {name!r} with {license_}. "
            "Leave it out."
        )
    return found

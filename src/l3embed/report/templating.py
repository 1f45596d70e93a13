"""What pages are made of: the package's own templates, styles and scripts."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files as resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

FOLDER = resources("l3embed.report")


def template_environment() -> Environment:
    """Return what renders the package's templates: all that is put into them is escaped."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    return Environment(
        loader=FunctionLoader(lambda name: read_part("templates", name)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def joined_styles(names: Sequence[str]) -> Markup:
    """Return some style sheets, of which the later ones win."""
    from markupsafe import Markup

    return Markup("".join(map(read_part, names)))  # noqa: S704 (the package's own)


def read_part(*parts: str) -> str:
    """Return a file of this folder."""
    return FOLDER.joinpath(*parts).read_text(encoding="utf-8")
